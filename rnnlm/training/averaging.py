"""Averages of the weights over the steps of a run: smoother than the last weights, and often better.

Late steps wander around a minimum at a distance that the learning rate sets; their mean lies nearer to it
(Polyak & Juditsky, 1992).  The average is scored and saved in the weights' place, training goes on without it.
"""

from contextlib import contextmanager

import numpy as np

from rnnlm.compute import arguments
from rnnlm.compute.functions import writable
from rnnlm.compute.threads import DEFAULT, slices

SHARE = 1 << 17  # numbers that a thread takes at a time


class Average:
    """The mean of the weights after each step from a share ``start`` of all epochs on.

    decay 1: all these steps count alike (the tail average).  Below 1: a step counts ``decay`` times as much as the
    one after it (the exponential average); the average is about 1 / (1 - decay) steps old.  In a run shorter than
    that it would be the mean of everything, so the n-th step takes a share of at least 10 / (n + 9) (Shamir &
    Zhang, 2013, with eta = 9): the average is about n / 11 steps old then.
    count: the steps averaged so far; values: a list of arrays, empty before the first.
    """

    def __init__(self, start=0.0, decay=1.0):
        self.start = arguments.number("start", start, "from 0 to 1", lambda x: 0 <= x <= 1)
        self.decay = arguments.number("decay", decay, "from 0 to 1", lambda x: 0 <= x <= 1)
        self.count = 0
        self.values = []

    def __setstate__(self, state):
        vars(self).update(state)
        self.values = list(map(writable, self.values))

    def prepare(self, params):
        """Make the arrays, zeros, if there are none yet."""
        if not self.values:
            self.values = [np.zeros_like(w) for w in params]

    def update(self, params, progress, workers=DEFAULT):
        """Take the weights after a step in, if it is time: a <- a + share * (w - a)."""
        if progress < self.start:
            return
        self.prepare(params)
        self.count += 1
        share = 1 / self.count if self.decay == 1 else max(1 - self.decay, 10 / (self.count + 9))

        def step(pair):
            w, a = pair
            if share == 1:  # the first: whatever stood there before a rollback is gone
                a[...] = w
                return
            out = workers.scratch("average", w.shape, w.dtype)
            np.subtract(w, a, out=out)
            out *= share
            a += out

        with workers.computing():
            workers.each(step, self._parts(params))

    @contextmanager
    def in_place(self, params):
        """A block in which the parameters hold the average, if there is one; afterwards what they held before."""
        self._exchange(params)
        try:
            yield
        finally:
            self._exchange(params)

    def _exchange(self, params):
        if self.count:
            for w, a in self._parts(params):
                kept = w.copy()
                w[...] = a
                a[...] = kept

    def _parts(self, params):
        return [(flat_w[part], flat_a[part])
                for w, a in zip(params, self.values, strict=True)
                for flat_w, flat_a in [(w.reshape(-1, order="A", copy=False), a.reshape(-1, order="A", copy=False))]
                for part in slices(flat_w.size, SHARE)]
