"""The part of a Trainer that lets rows of a large embedding lag behind between steps.

The optimizer brings rows up to date (rnnlm/training/catching_up.py), and the model says
which ones a window reads.  With parts that lack either, no row lags.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from rnnlm.training import protocols
from rnnlm.training.protocols import members

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Any

    from rnnlm.compute.threads import Workers
    from rnnlm.training.sharing import Sharing


class Lags:
    """The parts of a Trainer that its model, optimizer and average have to do with."""

    lag = False

    if TYPE_CHECKING:
        model: Any
        optimizer: Any
        average: protocols.Average | None
        sharing: Sharing | None
        workers: Workers

    def settle(self) -> None:
        """Bring all parameters up to date, where ``lag`` has left some rows behind.

        ``fit`` does so at the end of an epoch, before it validates.  Within an epoch
        ``weights_to_keep`` is better: the run continues to the same last digit.
        """
        if _catches_up(self.optimizer):
            self.optimizer.settle(self.own.params, self.workers)

    def weights_to_keep(self) -> AbstractContextManager[object]:
        """A block in which the parameters are those to validate and to save.

        They are the average, where there is one; otherwise, all rows are up to date.
        Afterwards they are as before, to the last bit.
        """
        params, block = self.own.params, nullcontext()
        if self.average:
            block = self.average.in_place(params)
        elif _catches_up(self.optimizer):
            block = self.optimizer.settled(params, self.workers)
        return self.sharing.keeping(block) if self.sharing else block

    @property
    def own(self) -> Any:
        """What this process updates: ``params`` and ``grads``."""
        return self.sharing.own if self.sharing else self.model.packing

    def _catch_up(self, xs):
        """Bring the rows up to date that the model will read, or all."""
        model, optimizer = self.model, self.optimizer
        # An average reads all rows after each step.
        lag = self.lag and (self.sharing is None or self.sharing.lets_lag)
        if lag and self.average is None and _catches_up(optimizer) and hasattr(model, "rows_read"):
            packing = model.packing
            optimizer.catch_up(packing.params, packing.grads, model.rows_read(xs), self.workers)
        else:
            self.settle()

    @contextmanager
    def _lagging(self):
        """A block in which a step may leave rows behind."""
        lag, self.lag = self.lag, True
        try:
            yield
        finally:
            self.lag = lag

    def _lag_arrays(self):
        """When each row was brought up to date, and the rates of the steps since."""
        packing = self.model.packing
        rates, met = self.optimizer.lag_arrays(packing.params, packing.grads)
        names = {id(array): name for name, array in packing.by_name(packing.params).items()}
        return {"optimizer/rates": rates} | {f"optimizer/met/{names[id(packing.params[i])]}": steps
                                             for i, steps in met.items()}


def _catches_up(optimizer):
    return all(hasattr(optimizer, name) for name in members(protocols.OptimizerThatCatchesUp))
