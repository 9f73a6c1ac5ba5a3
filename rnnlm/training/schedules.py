"""Learning-rate rules: the rate of each step, and when training stops. No arrays, no files."""

import math

from rnnlm.compute import arguments


class Schedule:
    """What all rules share: the base rate, the warm-up, the best validation loss so far.

    After each epoch give the validation loss to ``update``.  An epoch stalls when its loss
    is not below the best so far by at least ``threshold`` nats.

    Parameters
    ----------
    lr : the base rate.
    warm_up : the number of first steps over which the rate rises from next to nothing to
        what the rule says.
    patience : after so many stalls in a row ``stop`` is True, if the rule stops early;
        None: never.
    threshold : in nats.
    """

    needs_epochs = False  # whether the rates depend on how many epochs there will be
    stops_early = True

    def __init__(self, lr, warm_up=0, patience=3, threshold=0.001):
        self.lr, self.warm_up = arguments.not_negative("lr", lr), arguments.whole("warm_up", warm_up, 0)
        self.patience = None if patience is None else arguments.whole("patience", patience)
        self.threshold = arguments.not_negative("threshold", threshold)
        self.best = math.inf
        self.stalls = 0

    def rate(self, step, progress):
        """The learning rate of the step with this number, from 0 on.

        progress: which part of all epochs is done before it, from 0 to 1.
        """
        return self.lr * self.shape(progress) * min(1.0, (step + 1) / (self.warm_up + 1))

    def shape(self, progress):
        """What the base rate is multiplied by."""
        return 1.0

    def update(self, loss):
        """Take the loss (nats per token) of one epoch; return True if it is the best so far."""
        if loss <= self.best - self.threshold:
            self.stalls = 0
        else:  # not a number counts as a stall too
            self.stalls += 1
            self.stalled()
        improved = loss < self.best
        if improved:
            self.best = loss
        return improved

    def stalled(self):
        """Called at every stall."""

    def snapshot(self):
        """What the rule needs to go on."""
        return {"lr": self.lr, "best": self.best, "stalls": self.stalls}

    def restore(self, values):
        """Go on from a snapshot."""
        self.lr, self.best, self.stalls = values["lr"], values["best"], values["stalls"]

    @property
    def stop(self):
        """True when the last ``patience`` epochs all stalled."""
        return self.stops_early and self.patience is not None and self.stalls >= self.patience


class Constant(Schedule):
    """The same rate throughout."""


class DivideOnPlateau(Schedule):
    """Divide the rate by ``factor`` at every stall (a form of the classic toolkits' rule: Mikolov et al., 2010)."""

    def __init__(self, lr, factor=2.0, patience=3, **options):
        super().__init__(lr, patience=patience, **options)
        self.factor = arguments.number("factor", factor, "above 1", lambda x: x > 1)

    def stalled(self):
        """A lower rate from now on."""
        self.lr /= self.factor


class Linear(Schedule):
    """From lr to 0 in a straight line over all epochs."""

    needs_epochs, stops_early = True, False

    def shape(self, progress):
        """1 - progress."""
        return 1.0 - progress


class Cosine(Schedule):
    """From lr to 0 over all epochs along half a period of the cosine (Loshchilov & Hutter, 2017)."""

    needs_epochs, stops_early = True, False

    def shape(self, progress):
        """(1 + cos(pi * progress)) / 2."""
        return (1.0 + math.cos(math.pi * progress)) / 2


SCHEDULES = {"plateau": DivideOnPlateau, "constant": Constant, "linear": Linear, "cosine": Cosine}
