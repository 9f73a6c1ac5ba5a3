"""Learning-rate rules: what the rate is after each validation. No arrays, no files."""

import math


class DivideOnPlateau:
    """Divide the rate when validation stalls; stop when dividing no longer helps.

    After each epoch give the validation loss to ``update``. An epoch stalls when its loss is not
    below the best so far; every stall divides ``lr`` by ``factor``. After ``patience`` stalls in a
    row ``stop`` is True. (The rule of the classic toolkits: Mikolov et al., 2010.)
    """

    def __init__(self, lr, factor=2.0, patience=3):
        self.lr, self.factor, self.patience = lr, factor, patience
        self.best = math.inf
        self.stalls = 0

    def update(self, loss):
        """Take the loss (nats per token) of one epoch; return True if it is the best so far."""
        improved = loss < self.best
        if improved:
            self.best, self.stalls = loss, 0
        else:
            self.stalls += 1
            self.lr /= self.factor
        return improved

    @property
    def stop(self):
        """True when the last ``patience`` epochs all failed to improve."""
        return self.stalls >= self.patience
