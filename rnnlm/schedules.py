"""Learning-rate rules: what the rate is after each validation. No arrays, no files."""

import math


class DivideOnPlateau:
    """Divide the rate when validation stalls; stop when dividing no longer helps.

    After each epoch give the validation loss to ``update``. An epoch stalls when its loss is not
    below the best so far by at least ``threshold`` nats; every stall divides ``lr`` by ``factor``.
    After ``patience`` stalls in a row ``stop`` is True. (A form of the rule of the classic toolkits:
    Mikolov et al., 2010.)
    """

    def __init__(self, lr, factor=2.0, patience=3, threshold=0.001):
        self.lr, self.factor, self.patience, self.threshold = lr, factor, patience, threshold
        self.best = math.inf
        self.stalls = 0

    def update(self, loss):
        """Take the loss (nats per token) of one epoch; return True if it is the best so far."""
        if loss <= self.best - self.threshold:
            self.stalls = 0
        else:  # not a number counts as a stall too
            self.stalls += 1
            self.lr /= self.factor
        improved = loss < self.best
        if improved:
            self.best = loss
        return improved

    def numbers(self):
        """Where the rule stands: what ``go_to`` takes."""
        return {"lr": self.lr, "best": self.best, "stalls": self.stalls}

    def go_to(self, numbers):
        """Stand where ``numbers()`` was taken."""
        self.lr, self.best, self.stalls = numbers["lr"], numbers["best"], numbers["stalls"]

    @property
    def stop(self):
        """True when the last ``patience`` epochs all stalled."""
        return self.stalls >= self.patience
