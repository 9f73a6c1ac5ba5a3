"""Adaptive input: word vectors that are the shorter, the rarer their words.

The words are divided as in ``rnnlm.layers.adaptive``.  A word of the c_0 most frequent
ones has a vector of size D, one of cluster i a vector of size d_i = D / 4^i that a
matrix takes to size D (Baevski & Auli, 2019):

    x_w = (W_0)_w            for w < c_0
    x_w = (W_i)_w P_i        for w in cluster i

In a tied model all of these arrays are the output's, transposed: W_0 is the head's
weights without the clusters' columns, P_i and W_i are those of cluster i.  So each
layer works on views of the same memory.  The output's gradient is written first; then
those of the embedding are added to it, each array once.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from rnnlm.compute.row_gradient import sum_by_id
from rnnlm.layers.base import Layer, require_ids


class TimeAdaptiveEmbedding(Layer):
    """The vectors of words by id: ids (N, T) -> (N, T, D).

    Parameters
    ----------
    W : (c_0, D), the vectors of the most frequent words.
    tails : P_1 (d_1, D), W_1 (n_1, d_1), P_2, W_2 and so on: two arrays a cluster.
    grads : the memory of the gradients, in the same order; None: new arrays.
    """

    def __init__(self, W: np.ndarray, *tails: np.ndarray, grads: list[np.ndarray] | None = None) -> None:
        super().__init__(W, *tails, grads=grads)
        self.bounds = embedding_bounds(self.params)

    def forward(self, xs: np.ndarray) -> np.ndarray:  # ids (N, T) -> (N, T, D)
        """Look every id up in its cluster."""
        self.window_of_ids(xs)
        require_ids(xs, self.bounds[-1])
        W, *tails = self.params
        vectors = np.empty_like(W, shape=(*xs.shape, W.shape[1]))
        masks = [(xs >= start) & (xs < stop) for start, stop in pairwise(self.bounds)]
        (here, ids), *clusters = self.cache = [(self._at(mask), self._on(xs[mask] - start))
                                               for mask, start in zip(masks, self.bounds, strict=False)]
        vectors[here] = W[ids]
        for (here, ids), P, rows in zip(clusters, tails[::2], tails[1::2], strict=True):
            vectors[here] = rows[ids] @ P
        return vectors

    def backward(self, dxs: np.ndarray) -> None:  # (N, T, D); ids have no gradient
        """A word's gradient is the sum over all its occurrences."""
        (here, ids), *clusters = self.cache
        _, *tails = self.params
        dW, *dtails = self.grads
        self._sum(dW, ids, dxs[here])
        for i, (here, ids) in enumerate(clusters):
            P, rows = tails[2 * i : 2 * i + 2]
            dP, drows = dtails[2 * i : 2 * i + 2]
            dP[...] = rows[ids].T @ dxs[here]
            self._sum(drows, ids, dxs[here] @ P.T)

    def _at(self, mask):
        """A mask (N, T) as the index of vectors; a device's vectors have another."""
        return mask

    def _on(self, ids):
        """Ids as the index of rows."""
        return ids

    def _sum(self, dW, ids, rows):
        """Make dW the sum of the rows of each id, and zero for all others."""
        dW[...] = 0
        words, sums = sum_by_id(ids, rows)
        dW[words] = sums


def embedding_bounds(params):
    """Where the head and the clusters begin, and V: 0, c_0, c_0 + n_1, ..., a tuple."""
    bounds = [0]
    for W in (params[0], *params[2::2]):
        bounds.append(bounds[-1] + len(W))
    return tuple(bounds)
