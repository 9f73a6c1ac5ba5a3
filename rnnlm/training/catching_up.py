"""The part of an Optimizer that lets the rows of a large embedding miss steps.

A step then costs what the rows of a window cost.  ``catch_up`` comes before rows are
read, ``settle`` before anything else looks at the parameters.  The result is that of
the dense update: see rnnlm/training/missed_steps.py.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute.default_workers import DEFAULT
from rnnlm.compute.row_gradient import RowGradient
from rnnlm.compute.threads import slices
from rnnlm.training.missed_steps import LONGEST, Idle, MissedSteps

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from rnnlm.compute.threads import Workers

ROWS = 50_000  # a matrix of fewer rows is updated as a whole at each step
SPAN = 4096  # steps after which all rows catch up, so that only their rates are kept
PIECE = 1 << 17  # values that a thread takes at a time


class CatchesUp:
    """Rows miss steps, and catch up when they are read.

    Attributes
    ----------
    lagging : whether rows may miss the next step.
    unsettled : how many steps were made since all rows were up to date.
    rates : (SPAN,), the learning rates of these steps.
    met : for the index of each parameter whose rows may miss steps (V,): after how many
        of these steps each row was brought up to date last.
    """

    if TYPE_CHECKING:
        steps: int
        slots: dict[str, list[np.ndarray]]
        slot_names: tuple[str, ...]
        weight_decay: float
        factors: Sequence[float]
        decays: Sequence[Any]

    def __init__(self) -> None:
        self.lagging, self.unsettled = False, 0
        self.rates = np.zeros(SPAN, np.float32)
        self.met: dict[int, np.ndarray] = {}

    def idle(self) -> Idle | None:
        """What the rule does to a weight without a gradient; None: not known."""
        return None

    def idle_moves(self, steps: np.ndarray, rates: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """``gains`` and ``eps`` of MissedSteps, for steps (n,) at rates (n,)."""
        return np.zeros_like(rates), None

    def catch_up(self, params: Sequence[np.ndarray], grads: Sequence[Any], rows: Sequence[np.ndarray | None],
                 workers: Workers = DEFAULT) -> None:
        """Bring the rows up to date that will be read; others may miss the next step.

        Parameters
        ----------
        params, grads : as ``update`` gets them.
        rows : for each parameter the ids of its rows that are read before the next
            update, an array of any shape; None: all.
        workers : the Workers that share the work.
        """
        # At most as many steps as came before: in the first ones, Adam's correction
        # changes fast, and rows that missed them need many quotients.
        if self.unsettled >= min(SPAN, max(64, self.steps - self.unsettled)):
            self.settle(params, workers)
        if not self.lagging:
            self.met = {i: np.zeros(len(params[i]), np.float32) for i in self._may_lag(params, grads)
                        if rows[i] is not None}
            self.lagging = True
        if self.unsettled:
            for i in self.met:
                self._each_piece(self._catch_up, i, params[i], rows[i], workers)

    def settle(self, params: Sequence[np.ndarray], workers: Workers = DEFAULT) -> None:
        """Bring all rows up to date; from now on none misses a step."""
        if self.unsettled:
            for i in self.met:
                self._each_piece(self._catch_up, i, params[i], None, workers)
        self.lagging, self.unsettled = False, 0

    @contextmanager
    def settled(self, params: Sequence[np.ndarray], workers: Workers = DEFAULT) -> Iterator[None]:
        """A block in which all rows are up to date; afterwards they are as before."""
        kept: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        try:
            if self.unsettled:
                for i in self.met:
                    self._each_piece(partial(self._show, kept), i, params[i], None, workers)
            yield
        finally:
            for w, ids, rows in kept:
                w[ids] = rows

    def lag_arrays(self, params: Sequence[np.ndarray], grads: Sequence[Any]) -> tuple[np.ndarray, dict[int, Any]]:
        """``rates`` and ``met``, which are made of zeros where there are none yet."""
        if not self.met:
            self.met = {i: np.zeros(len(params[i]), np.float32) for i in self._may_lag(params, grads)}
        return self.rates, self.met

    def _may_lag(self, params, grads):
        """The indices of the parameters whose rows may miss steps."""
        idle = self.idle() if self._idle_is_of_this_rule() else None
        if idle is None or idle.length > LONGEST:
            return []
        return [i for i, (w, g) in enumerate(zip(params, grads, strict=True))
                if isinstance(g, RowGradient) and len(w) >= ROWS and not np.ndim(self._decay(i))
                and (self._decay(i) or any(factor != 1 for factor in idle.factors))]

    def _idle_is_of_this_rule(self):
        """Whether no subclass has changed the rule, or how it is applied, alone."""
        rule, idle, update = (next(kind for kind in type(self).__mro__ if name in vars(kind))
                              for name in ("rule", "idle", "update"))
        return issubclass(idle, rule) and CatchesUp in update.__bases__

    def _decay(self, i):
        return self.decays[i] if self.decays else self.weight_decay

    def _slots(self, i):
        return [self.slots[name][i] for name in self.slot_names]

    def _step_late(self, params, grads):
        """Note a step that rows miss, unless they are among those with a gradient."""
        for i, met in self.met.items():
            ids = grads[i].ids
            if self.unsettled and met[ids].min(initial=self.unsettled) < self.unsettled:  # they were not read
                self._catch_up(i, params[i], self._history(i), ids)
            met[ids] = self.unsettled + 1
        self.rates[self.unsettled] = self.lr
        self.unsettled += 1

    def _each_piece(self, function, i, w, ids, workers):
        """function(i, w, history, ids) for the rows in pieces; ids: None for all."""
        ids = np.arange(len(w)) if ids is None else np.unique(ids)
        pieces = [ids[part] for part in slices(len(ids), max(1, PIECE // w.shape[1]))]
        with np.errstate(all="ignore"):  # as in the update: the next step's loss says it
            workers.compute(workers.each, partial(function, i, w, self._history(i)), pieces)

    def _catch_up(self, i, w, history, ids):
        """Bring rows up to date."""
        ids, missed = self._late(i, history, ids)
        if missed:
            slots = [slot[ids] for slot in self._slots(i)]
            w[ids] = missed.moved(w[ids], slots)
            for slot, rows in zip(self._slots(i), missed.faded(slots), strict=True):
                slot[ids] = rows
            self.met[i][ids] = self.unsettled

    def _show(self, kept, i, w, history, ids):
        """Show rows up to date, and keep what they were."""
        ids, missed = self._late(i, history, ids)
        if missed:
            kept.append((w, ids, w[ids]))
            w[ids] = missed.moved(w[ids], [slot[ids] for slot in self._slots(i)])

    def _late(self, i, history, ids):
        """The ids of rows that have missed steps, in order, and their MissedSteps."""
        met = np.clip(self.met[i][ids], 0, self.unsettled).astype(int)  # a file may claim anything
        order = met.argsort(kind="stable")[: np.count_nonzero(met < self.unsettled)]
        return ids[order], MissedSteps(self.idle(), *history, met[order]) if order.size else None

    def _history(self, i):
        """``gains``, ``eps`` and ``keeps`` of the steps since all were up to date."""
        rates = self.rates[: self.unsettled].astype(np.float64) * (self.factors[i] if self.factors else 1.0)
        steps = np.arange(1.0, len(rates) + 1) + float(self.steps - self.unsettled)
        return *self.idle_moves(steps, rates), 1.0 - rates * self._decay(i)
