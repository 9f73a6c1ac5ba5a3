"""The affine layer between the hidden states and a small output, its products shared out to the threads."""

import numpy as np

from rnnlm.compute.threads import SERIAL, slices
from rnnlm.layers.base import Layer
from rnnlm.layers.fast.products import workers_for
from rnnlm.layers.fast.rows import batch_view, time_rows


class FastAffine(Layer):
    """What TimeAffine computes: xs W + b.  W (H, D), b (D,)."""

    param_names = ("W", "b")

    def __init__(self, W, b, workers=SERIAL, *, grads=None):
        super().__init__(W, b, grads=grads)
        self.workers = workers

    def forward(self, xs):  # (N, T, H) -> (N, T, D)
        """All steps at once, shared out by rows."""
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
