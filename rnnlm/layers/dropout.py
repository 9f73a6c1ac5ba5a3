"""Dropout: in training each value is left out with some probability, so that no value is relied on alone."""

import numpy as np

from rnnlm.layers.base import Layer


class TimeDropout(Layer):
    """Inverted dropout: zero each value with probability ratio, divide the others by 1 - ratio.

    The expected value stays, so nothing changes at evaluation (Srivastava et al., 2014; between
    recurrent layers, never inside the recurrence: Zaremba et al., 2014).  ``train`` switches it.
    """

    def __init__(self, ratio, *, rng):
        super().__init__()
        if not 0 <= ratio < 1:
            raise ValueError(f"dropout ratio must be at least 0 and below 1, got {ratio}")
        self.ratio, self.rng = ratio, rng
        self.threshold = min(round(ratio * 65536), 65535)  # a value falls out if 16 random bits are below it
        self.train = True

    def forward(self, xs):  # (N, T, D) -> (N, T, D)
        """A new mask for every call in training; the input itself otherwise."""
        if not self.train or self.threshold == 0:
            self.cache = None
            return xs
        bits = np.frombuffer(self.rng.bytes(2 * xs.size), "<u2")  # half the time of a random float for each value
        keep = bits.reshape(xs.shape) >= self.threshold
        self.cache = keep * xs.dtype.type(65536 / (65536 - self.threshold))
        return xs * self.cache

    def backward(self, dxs):  # (N, T, D) -> (N, T, D)
        """The same mask."""
        return dxs if self.cache is None else dxs * self.cache
