"""Dropout: in training each value is left out with some probability.

So the network learns not to rely on any single value.
"""

from __future__ import annotations

import numpy as np

from rnnlm.compute import arguments
from rnnlm.compute.draws import SCHEME, column_bits, shared_bits
from rnnlm.layers.base import Layer


def keep_mask(bits, ratio, dtype):
    """A mask from 16 random bits a value.

    It is 0 with probability ratio, else 1 / (1 - ratio).  So the expected value is 1.
    The ratio is rounded to 16 bits: they take a quarter of the time of random floats.
    """
    threshold, factor = threshold_of(ratio)
    return (bits >= threshold) * np.dtype(dtype).type(factor)


def threshold_of(ratio):
    """Below which bits a value falls out, and what the others are multiplied by."""
    threshold = min(round(ratio * 65536), 65535)
    return threshold, 65536 / (65536 - threshold)


def require_ratio(ratio, rng, name="dropout ratio"):
    """ArgumentError unless 0 <= ratio < 1, with a generator if it is above 0."""
    if arguments.share(name, ratio) or rng is not None:
        arguments.generator("rng", rng)


class TimeDropout(Layer):
    """Inverted dropout: zero values with probability ratio, divide others by 1 - ratio.

    The expected value stays the same, so evaluation needs no change (Srivastava et al.,
    2014).  It is applied between recurrent layers, never inside the recurrence (Zaremba
    et al., 2014).

    Parameters
    ----------
    ratio : the probability, from 0 to below 1.
    rng : numpy.random.Generator that draws the masks; a ratio of 0 needs none.
    per_window : take one mask (N, 1, D) for all steps of a window, so that a value is
        left out throughout (the variational dropout of Gal & Ghahramani, 2016).

    Attributes
    ----------
    train : whether values are left out.
    columns : the Columns of the batch that the layer gets; None: all.
    random_scheme : see rnnlm/compute/draws.py.
    """

    columns, random_scheme = None, SCHEME

    def __init__(self, ratio: float, *, rng: np.random.Generator | None, per_window: bool = False) -> None:
        super().__init__()
        require_ratio(ratio, rng)
        self.ratio, self.rng, self.per_window = ratio, rng, per_window
        self.train = True

    def forward(self, xs: np.ndarray) -> np.ndarray:  # (N, T, D) -> (N, T, D)
        """A new mask for every call in training; the input itself otherwise."""
        if not self.train or self.ratio == 0:
            self.cache = None
            return xs
        N, T, D = self.window(xs)
        bits = column_bits(self.rng, (N, 1 if self.per_window else T, D), self.columns, self.random_scheme)
        self.cache = keep_mask(bits, self.ratio, xs.dtype)
        return xs * self.cache

    def backward(self, dxs: np.ndarray) -> np.ndarray:  # (N, T, D) -> (N, T, D)
        """The same mask."""
        return dxs if self.cache is None else dxs * self.cache


class TimeWordDropout(Layer):
    """An embedding that leaves out some words: their vectors are zeros.

    Each word of the vocabulary is left out of a whole window with probability ratio.
    The vectors of the others are divided by 1 - ratio (embedding dropout: Gal &
    Ghahramani, 2016).  The layer has the parameters and the gradients of the embedding.

    Parameters
    ----------
    embedding : a TimeEmbedding, or another layer from ids to vectors.
    ratio : the probability, from 0 to below 1.
    rng : numpy.random.Generator that draws the masks; a ratio of 0 needs none.
    vocab_size : V, the number of words; None: the rows of the embedding's W.

    Attributes
    ----------
    train : whether words are left out.
    random_scheme : see rnnlm/compute/draws.py.
    """

    param_names, random_scheme = ("W",), SCHEME

    def __init__(self, embedding: Layer, ratio: float, *, rng: np.random.Generator | None,
                 vocab_size: int | None = None) -> None:
        self.embedding = embedding
        self.vocab_size = len(self.params[0]) if vocab_size is None else vocab_size
        require_ratio(ratio, rng)
        self.ratio, self.rng = ratio, rng
        self.train = True

    @property
    def params(self) -> list[np.ndarray]:
        """Those of the embedding."""
        return self.embedding.params

    @property
    def grads(self) -> list[np.ndarray]:
        """Those of the embedding."""
        return self.embedding.grads

    def forward(self, xs: np.ndarray) -> np.ndarray:  # ids (N, T) -> (N, T, D)
        """A new mask over the vocabulary for every call in training."""
        vectors = self.embedding.forward(xs)
        if not self.train or self.ratio == 0:
            self.cache = None
            return vectors
        keep = keep_mask(shared_bits(self.rng, (self.vocab_size,), self.random_scheme), self.ratio, vectors.dtype)
        self.cache = keep[xs][..., np.newaxis]
        return vectors * self.cache

    def backward(self, dxs: np.ndarray) -> None:  # (N, T, D); ids have no gradient
        """The same mask."""
        self.embedding.backward(dxs if self.cache is None else dxs * self.cache)
