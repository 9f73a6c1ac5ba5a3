"""The affine layer on a device."""

from rnnlm.layers.base import Layer
from rnnlm.layers.cuda.products import affine, column_sums
from rnnlm.layers.cuda.rows import batch_view, time_rows


class CudaAffine(Layer):
    """What TimeAffine computes: xs W + b.

    Parameters
    ----------
    W : (H, D), the weights.
    b : (D,), the biases.
    device : the Device of the arrays.
    grads : [dW, db], the memory of the gradients; None: new arrays.
    """

    param_names = ("W", "b")

    def __init__(self, W, b, device, *, grads=None):
        super().__init__(W, b, grads=grads)
        self.device = device

    def forward(self, xs):  # (N, T, H) -> (N, T, D)
        """All steps in one product."""
        W, b = self.params
        N, T, _ = self.window(xs, len(W), "H")
        self.cache = rows = time_rows(self.device, xs)
        out = self.buffer("out", (T * N, b.size), W.dtype)
        affine(self.device, rows, W, b, out)
        return batch_view(out, N, T)

    def backward(self, dout):  # (N, T, D) -> (N, T, H)
        """Gradients summed over batch and time, as W and b serve every step."""
        rows, device = self.cache, self.device
        W, _ = self.params
        dW, db = self.grads
        N, T, _ = dout.shape
        drows = time_rows(device, dout)
        dxs = device.xp.empty(rows.shape, rows.dtype)
        device.multiply(drows, W.T, dxs)
        device.multiply(rows.T, drows, dW)
        column_sums(device, drows, db)
        return batch_view(dxs, N, T)
