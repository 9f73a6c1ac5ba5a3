"""Averages of the weights over a run's steps: smoother, and often better, weights.

Late steps wander around a minimum at a distance that the learning rate sets; their mean
is nearer to it (Polyak & Juditsky, 1992).  The average is scored and saved in place of
the weights, and training continues without it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnlm.compute import arguments
from rnnlm.compute.default_workers import DEFAULT
from rnnlm.compute.device import HOST, device_with
from rnnlm.compute.functions import writable
from rnnlm.compute.threads import slices
from rnnlm.training import device_updates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rnnlm.compute.threads import Workers

PIECE = 1 << 17  # values that a thread takes at a time


class Average:
    """The mean of the weights after each step from some part of all epochs on.

    In a run shorter than the exponential average looks back, it would be the mean of
    everything.  So the n-th step has at least the weight 10 / (n + 9) (Shamir & Zhang,
    2013, with eta = 9): the average is about n / 11 steps old then.

    Parameters
    ----------
    start : the part of all epochs, from 0 to 1, after which averaging begins.
    decay : 1: all these steps count alike (the tail average).  Below 1: a step counts
        ``decay`` times as much as the one after it (the exponential average); the
        average is about 1 / (1 - decay) steps old.

    Attributes
    ----------
    count : the steps averaged so far.
    values : a list of arrays, empty before the first.
    """

    def __init__(self, start: float = 0.0, decay: float = 1.0) -> None:
        self.start = arguments.number("start", start, "from 0 to 1", lambda x: 0 <= x <= 1)
        self.decay = arguments.number("decay", decay, "from 0 to 1", lambda x: 0 <= x <= 1)
        self.count = 0
        self.values: list[np.ndarray] = []

    def __setstate__(self, state):
        vars(self).update(state)
        self.values = list(map(writable, self.values))

    def values_for(self, params: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The arrays of the average, which are made of zeros if there are none yet."""
        if not self.values:
            self.values = [np.zeros_like(w) for w in params]
        return self.values

    def snapshot(self) -> dict[str, Any]:
        """What the average needs to continue, besides its arrays."""
        return {"count": self.count}

    def restore(self, values: dict[str, Any]) -> None:
        """Continue from a snapshot."""
        self.count = values["count"]

    def update(self, params: Sequence[np.ndarray], progress: float, workers: Workers = DEFAULT) -> None:
        """Include the weights after a step if it is time: a <- a + weight * (w - a).

        progress: the part of all epochs that is done, from 0 to 1.
        """
        if progress < self.start:
            return
        self.values_for(params)
        self.count += 1
        weight = 1 / self.count if self.decay == 1 else max(1 - self.decay, 10 / (self.count + 9))

        if params and (device := device_with(params[0])) is not HOST:
            device_updates.average(device, params, self.values, weight)
            return

        def step(pair):
            w, a = pair
            if weight == 1:  # the first: it replaces whatever was there before a rollback
                a[...] = w
                return
            out = workers.scratch("average", w.shape, w.dtype)
            np.subtract(w, a, out=out)
            out *= weight
            a += out

        workers.compute(workers.each, step, self._pieces(params))

    @contextmanager
    def in_place(self, params: Sequence[np.ndarray]) -> Iterator[None]:
        """A block in which the parameters hold the average, if there is one.

        Afterwards they hold what they held before.
        """
        self._exchange(params)
        try:
            yield
        finally:
            self._exchange(params)

    def _exchange(self, params):
        if self.count and params and (device := device_with(params[0])) is not HOST:
            device_updates.exchange(device, params, self.values)
        elif self.count:
            for w, a in self._pieces(params):
                kept = w.copy()
                w[...] = a
                a[...] = kept

    def _pieces(self, params):
        """Pairs of flat views, of the parameters and of the average."""
        return [(flat_w[piece], flat_a[piece])
                for w, a in zip(params, self.values, strict=True)
                for flat_w, flat_a in [(w.reshape(-1, order="A", copy=False), a.reshape(-1, order="A", copy=False))]
                for piece in slices(flat_w.size, PIECE)]
