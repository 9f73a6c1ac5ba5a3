"""The embedding with a gradient of rows: only those of the words in the window."""

import numpy as np

from rnnlm.compute.row_gradient import RowGradient
from rnnlm.layers.base import Layer, require_ids
from rnnlm.layers.fast.rows import batch_view, time_rows


class FastEmbedding(Layer):
    """What TimeEmbedding computes; the gradient is a RowGradient.

    Parameters
    ----------
    W : (V, D), the vector of each word.
    grads : [dW], a RowGradient of W; None: a new one.
    """

    param_names = ("W",)

    def __init__(self, W, *, grads=None):
        super().__init__(W, grads=[RowGradient(W)] if grads is None else grads)

    def forward(self, xs):  # ids (N, T) -> (N, T, D)
        """Look every id of the window up at once."""
        (W,) = self.params
        N, T = xs.shape if xs.ndim == 2 else self.window_of_ids(xs)
        self.cache = xs
        rows = self.buffer("rows", (T * N, W.shape[1]), W.dtype)
        require_ids(xs, len(W))
        # The mode "clip" writes straight into out.  The default, which checks as well,
        # first writes into a copy.
        np.take(W, xs.T.ravel(), axis=0, out=rows, mode="clip")
        return batch_view(rows, N, T)

    def backward(self, dxs):  # (N, T, D) -> None: ids have no gradient
        """A word's gradient is the sum over all its occurrences."""
        self.grads[0].set(self.cache.T.ravel(), time_rows(dxs))
