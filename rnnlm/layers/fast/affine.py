"""The affine layer for speed: its products are divided among threads.

It is for a small output, as between the hidden states and the size of word vectors.
"""

import numpy as np

from rnnlm.compute.threads import SERIAL, slices
from rnnlm.layers.base import Layer
from rnnlm.layers.fast.products import workers_for
from rnnlm.layers.fast.rows import batch_view, time_rows


class FastAffine(Layer):
    """What TimeAffine computes: xs W + b.

    Parameters
    ----------
    W : (H, D), the weights.
    b : (D,), the biases.
    workers : Workers that share the products.
    grads : [dW, db], the memory of the gradients; None: new arrays.
    """

    param_names = ("W", "b")

    def __init__(self, W, b, workers=SERIAL, *, grads=None):
        super().__init__(W, b, grads=grads)
        self.workers = workers

    def forward(self, xs):  # (N, T, H) -> (N, T, D)
        """All steps at once, divided by rows."""
        W, b = self.params
        N, T, _ = self.window(xs, len(W), "H")
        rows = time_rows(xs)
        out = self.buffer("out", (T * N, b.size), W.dtype)

        def multiply(part):
            np.matmul(rows[part], W, out=out[part])
            out[part] += b

        workers = workers_for(len(rows) * W.size, self.workers)
        workers.each(multiply, slices(len(rows), -(-len(rows) // workers.threads)))
        self.cache = rows
        return batch_view(out, N, T)

    def backward(self, dout):  # (N, T, D) -> (N, T, H)
        """Gradients summed over batch and time, as W and b serve every step."""
        rows = self.cache
        W, _ = self.params
        dW, db = self.grads
        N, T, _ = dout.shape
        drows = time_rows(dout)
        dxs = np.empty_like(rows)
        products = [(rows.T, drows, dW), (drows, W.T, dxs), (np.ones(len(drows), drows.dtype), drows, db)]
        workers = workers_for(len(rows) * W.size, self.workers)
        workers.each(lambda product: np.matmul(*product[:2], out=product[2]), products)
        return batch_view(dxs, N, T)
