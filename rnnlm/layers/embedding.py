"""Embedding: a word's id picks a row of a matrix, its vector (Bengio et al., 2003)."""

from __future__ import annotations

import numpy as np

from rnnlm.compute.row_gradient import sum_by_id
from rnnlm.layers.base import Layer, require_ids


class TimeEmbedding(Layer):
    """Rows of W by id: ids (N, T) -> vectors (N, T, D).

    Parameters
    ----------
    W : (V, D), the vector of each word.
    grads : [dW], the memory of the gradient; None: a new array.
    """

    param_names = ("W",)

    def __init__(self, W: np.ndarray, *, grads: list[np.ndarray] | None = None) -> None:
        super().__init__(W, grads=grads)

    def forward(self, xs: np.ndarray) -> np.ndarray:  # ids (N, T) -> (N, T, D)
        """Look every id of the window up at once."""
        (W,) = self.params
        self.window_of_ids(xs)
        require_ids(xs, len(W))
        self.cache = xs
        return W[xs]

    def backward(self, dxs: np.ndarray) -> None:  # (N, T, D); ids have no gradient
        """A word's gradient is the sum over all its occurrences."""
        (dW,) = self.grads
        ids = self.cache.ravel()
        words, rows = sum_by_id(ids, dxs.reshape(ids.size, -1))
        dW[...] = 0
        dW[words] = rows
