"""Dropout: in training each value is left out with some probability, so that no value is relied on alone."""

import math

import numpy as np

from rnnlm.compute import arguments
from rnnlm.layers.base import Layer


def random_keep(shape, ratio, rng, dtype):
    """A mask: 0 with probability ratio, else 1 / (1 - ratio), so that the expected value is 1.

    Drawn from 16 random bits a value, half the time of a random float; ratio is rounded to that.
    """
    threshold = min(round(ratio * 65536), 65535)  # a value falls out if its bits are below it
    bits = np.frombuffer(rng.bytes(2 * math.prod(shape)), "<u2").reshape(shape)
    return (bits >= threshold) * np.dtype(dtype).type(65536 / (65536 - threshold))


def require_ratio(ratio, rng, name="dropout ratio"):
    """ArgumentError unless it is a share that leaves something, with a generator where there is something to draw."""
    if arguments.share(name, ratio) or rng is not None:
        arguments.generator("rng", rng)


class TimeDropout(Layer):
    """Inverted dropout: zero each value with probability ratio, divide the others by 1 - ratio.

    The expected value stays, so nothing changes at evaluation (Srivastava et al., 2014; between
    recurrent layers, never inside the recurrence: Zaremba et al., 2014).  per_window: one mask (N, 1, D) for all
    steps of a window, so that a value is left out throughout (the variational dropout of Gal & Ghahramani, 2016).
    ``train`` switches it.
    """

    def __init__(self, ratio, *, rng, per_window=False):
        super().__init__()
        require_ratio(ratio, rng)
        self.ratio, self.rng, self.per_window = ratio, rng, per_window
        self.train = True

    def forward(self, xs):  # (N, T, D) -> (N, T, D)
        """A new mask for every call in training; the input itself otherwise."""
        if not self.train or self.ratio == 0:
            self.cache = None
            return xs
        N, T, D = self.window(xs)
        self.cache = random_keep((N, 1 if self.per_window else T, D), self.ratio, self.rng, xs.dtype)
        return xs * self.cache

    def backward(self, dxs):  # (N, T, D) -> (N, T, D)
        """The same mask."""
        return dxs if self.cache is None else dxs * self.cache


class TimeWordDropout(Layer):
    """An embedding some of whose words are left out: their vectors are zeros wherever they stand in the window.

    Each word of the vocabulary falls out with probability ratio; the vectors of the others are divided by 1 - ratio
    (embedding dropout: Gal & Ghahramani, 2016).  It has the parameters and the gradients of the embedding.
    """

    param_names = ("W",)

    def __init__(self, embedding, ratio, *, rng):
        self.embedding = embedding
        require_ratio(ratio, rng)
        self.ratio, self.rng = ratio, rng
        self.train = True

    @property
    def params(self):
        """Those of the embedding."""
        return self.embedding.params

    @property
    def grads(self):
        """Those of the embedding."""
        return self.embedding.grads

    def forward(self, xs):  # ids (N, T) -> (N, T, D)
        """A new mask over the vocabulary for every call in training."""
        vectors = self.embedding.forward(xs)
        if not self.train or self.ratio == 0:
            self.cache = None
            return vectors
        keep = random_keep((len(self.params[0]),), self.ratio, self.rng, vectors.dtype)
        self.cache = keep[xs][..., np.newaxis]
        return vectors * self.cache

    def backward(self, dxs):  # (N, T, D) -> None: ids have no gradient
        """The same mask."""
        self.embedding.backward(dxs if self.cache is None else dxs * self.cache)
