"""Learning-rate rules: the rate of each step, and when training stops."""

from __future__ import annotations

import math
from typing import Any

from rnnlm.compute import arguments


class Schedule:
    """What all rules share: base rate, warm-up, the best validation loss so far.

    After each epoch give the validation loss to ``update``.  An epoch stalls when its
    loss is not below the best so far by at least ``threshold`` nats.

    Parameters
    ----------
    lr : the base rate.
    warm_up : the number of first steps over which the rate rises from almost 0 to the
        rule's rate.
    patience : if the rule stops early, ``stop`` is True after so many stalls in a row;
        None: never.
    threshold : in nats.

    Attributes
    ----------
    best : the lowest loss so far, in nats; inf before the first epoch.
    stalls : how many epochs in a row have stalled.
    """

    needs_epochs = False  # whether the rates depend on how many epochs there will be
    stops_early = True

    def __init__(self, lr: float, warm_up: int = 0, patience: int | None = 3, threshold: float = 0.001) -> None:
        self.lr, self.warm_up = arguments.not_negative("lr", lr), arguments.whole("warm_up", warm_up, 0)
        self.patience = None if patience is None else arguments.whole("patience", patience)
        self.threshold = arguments.not_negative("threshold", threshold)
        self.best = math.inf
        self.stalls = 0

    def rate(self, step: int, progress: float) -> float:
        """The learning rate of the step with this number, from 0 on.

        progress: the part of all epochs that is done before it, from 0 to 1.
        """
        return self.lr * self.shape(progress) * min(1.0, (step + 1) / (self.warm_up + 1))

    def shape(self, progress: float) -> float:
        """The factor of the base rate at this part of all epochs, from 0 to 1."""
        return 1.0

    def update(self, loss: float) -> bool:
        """Take an epoch's loss (nats per token); whether it is the best so far."""
        if loss <= self.best - self.threshold:
            self.stalls = 0
        else:  # not a number counts as a stall too
            self.stalls += 1
            self.stalled()
        improved = loss < self.best
        if improved:
            self.best = loss
        return improved

    def stalled(self) -> None:
        """Called at every stall."""

    def snapshot(self) -> dict[str, Any]:
        """What the rule needs to continue, for ``restore``."""
        return {"lr": self.lr, "best": self.best, "stalls": self.stalls}

    def restore(self, values: dict[str, Any]) -> None:
        """Continue from a snapshot."""
        self.lr, self.best, self.stalls = values["lr"], values["best"], values["stalls"]

    @property
    def stop(self) -> bool:
        """True when the last ``patience`` epochs all stalled."""
        return self.stops_early and self.patience is not None and self.stalls >= self.patience


class Constant(Schedule):
    """The same rate throughout."""


class DivideOnPlateau(Schedule):
    """Divide the rate by ``factor`` at every stall.

    It is a form of the classic toolkits' rule (Mikolov et al., 2010).  The other
    options are those of Schedule.
    """

    def __init__(self, lr: float, factor: float = 2.0, patience: int | None = 3, **options: Any) -> None:
        super().__init__(lr, patience=patience, **options)
        self.factor = arguments.number("factor", factor, "above 1", lambda x: x > 1)

    def stalled(self) -> None:
        """Lower the rate from now on."""
        self.lr /= self.factor


class Linear(Schedule):
    """From lr to 0 in a straight line over all epochs."""

    needs_epochs, stops_early = True, False

    def shape(self, progress: float) -> float:
        """1 - progress."""
        return 1.0 - progress


class Cosine(Schedule):
    """From lr to 0 over all epochs along half a cosine (Loshchilov & Hutter, 2017)."""

    needs_epochs, stops_early = True, False

    def shape(self, progress: float) -> float:
        """(1 + cos(pi * progress)) / 2."""
        return (1.0 + math.cos(math.pi * progress)) / 2


SCHEDULES = {"plateau": DivideOnPlateau, "constant": Constant, "linear": Linear, "cosine": Cosine}
