"""Dropout: in training each value is left out with some probability."""

import numpy as np

from rnnlm.compute import arguments
from rnnlm.compute.draws import SCHEME, column_bits, shared_bits
from rnnlm.layers.base import Layer


def keep_mask(bits, ratio, dtype):
    """A mask from 16 bits a value: 0 with probability ratio, else 1 / (1 - ratio).

    So the expected value is 1.  ratio is rounded to 16 bits, which take a quarter of
    the time of random floats.
    """
    threshold = min(round(ratio * 65536), 65535)  # a value falls out if its bits are below it
    return (bits >= threshold) * np.dtype(dtype).type(65536 / (65536 - threshold))


def require_ratio(ratio, rng, name="dropout ratio"):
    """ArgumentError unless ratio is from 0 to below 1, above 0 with a generator."""
    if arguments.share(name, ratio) or rng is not None:
        arguments.generator("rng", rng)


class TimeDropout(Layer):
    """Inverted dropout: zero values with probability ratio, divide others by 1 - ratio.

    The expected value stays, so nothing changes at evaluation (Srivastava et al., 2014;
    between recurrent layers, never inside the recurrence: Zaremba et al., 2014).

    Parameters
    ----------
    ratio : which part of the values is left out, from 0 to below 1.
    rng : a numpy.random.Generator.
    per_window : one mask (N, 1, D) for all steps of a window, so that a value is left
        out throughout (the variational dropout of Gal & Ghahramani, 2016).

    Attributes
    ----------
    train : whether values are left out.
    columns : the Columns of the batch that the layer is given; None: all.
    random_scheme : see rnnlm/compute/draws.py.
    """

    columns, random_scheme = None, SCHEME

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
        bits = column_bits(self.rng, (N, 1 if self.per_window else T, D), self.columns, self.random_scheme)
        self.cache = keep_mask(bits, self.ratio, xs.dtype)
        return xs * self.cache

    def backward(self, dxs):  # (N, T, D) -> (N, T, D)
        """The same mask."""
        return dxs if self.cache is None else dxs * self.cache


class TimeWordDropout(Layer):
    """An embedding that leaves out words: their vectors are zeros in the whole window.

    Each word of the vocabulary falls out with probability ratio; the vectors of the
    others are divided by 1 - ratio (embedding dropout: Gal & Ghahramani, 2016).  It has
    the parameters and the gradients of the embedding.
    """

    param_names, random_scheme = ("W",), SCHEME

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
        keep = keep_mask(shared_bits(self.rng, (len(self.params[0]),), self.random_scheme), self.ratio, vectors.dtype)
        self.cache = keep[xs][..., np.newaxis]
        return vectors * self.cache

    def backward(self, dxs):  # (N, T, D) -> None: ids have no gradient
        """The same mask."""
        self.embedding.backward(dxs if self.cache is None else dxs * self.cache)
