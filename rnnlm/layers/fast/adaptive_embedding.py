"""Adaptive input with gradients of rows: only those of the words in the window."""

from itertools import pairwise

import numpy as np

from rnnlm.compute.row_gradient import RowGradient
from rnnlm.layers.adaptive_embedding import embedding_bounds
from rnnlm.layers.base import Layer, require_ids
from rnnlm.layers.fast.rows import batch_view, time_rows


class FastAdaptiveEmbedding(Layer):
    """What TimeAdaptiveEmbedding computes; the gradients of W and W_i are RowGradients.

    Parameters
    ----------
    W : (c_0, D), the vectors of the most frequent words.
    tails : P_1 (d_1, D), W_1 (n_1, d_1), P_2, W_2 and so on: two arrays a cluster.
    grads : [RowGradient of W, dP_1, RowGradient of W_1, ...]; None: new ones.
    """

    def __init__(self, W, *tails, grads=None):
        if grads is None:
            grads = [np.zeros_like(array) if i % 2 else RowGradient(array) for i, array in enumerate((W, *tails))]
        super().__init__(W, *tails, grads=grads)
        self.bounds = embedding_bounds(self.params)

    def forward(self, xs):  # ids (N, T) -> (N, T, D)
        """Look every id up in its cluster."""
        N, T = self.window_of_ids(xs)
        require_ids(xs, self.bounds[-1])
        ids, (W, *tails) = xs.T.ravel(), self.params
        rows = self.buffer("rows", (T * N, W.shape[1]), W.dtype)
        np.take(W, ids, axis=0, out=rows, mode="clip")  # those of the clusters are written over
        self.cache = []  # for each cluster the indices of its ids, and their rows of W_i
        for i, (start, stop) in enumerate(pairwise(self.bounds[1:])):
            here, (P, vectors) = np.flatnonzero((ids >= start) & (ids < stop)), tails[2 * i : 2 * i + 2]
            self.cache.append((here, ids[here] - start))
            rows[here] = vectors[ids[here] - start] @ P
        here = np.flatnonzero(ids < self.bounds[1])
        self.cache.insert(0, (here, ids[here]))
        return batch_view(rows, N, T)

    def backward(self, dxs):  # (N, T, D) -> None: ids have no gradient
        """A word's gradient is the sum over all its occurrences."""
        rows, ((here, ids), *clusters) = time_rows(dxs), self.cache
        self.grads[0].set(ids, rows[here])
        for i, (here, ids) in enumerate(clusters):
            (P, vectors), (dP, dvectors) = (arrays[2 * i + 1 : 2 * i + 3] for arrays in (self.params, self.grads))
            np.matmul(vectors[ids].T, rows[here], out=dP)
            dvectors.set(ids, rows[here] @ P.T)
