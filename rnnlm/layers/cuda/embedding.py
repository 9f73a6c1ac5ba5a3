"""The embedding on a device: rows by id, and their gradients summed by id."""

from pathlib import Path

from rnnlm.compute.kernel import Kernel
from rnnlm.compute.row_gradient import sum_by_id
from rnnlm.layers.base import Layer, require_ids
from rnnlm.layers.cuda.rows import batch_view, ids_on, time_rows

SOURCE = Path(__file__).with_name("embedding.cu")
THREADS = 128


def _rows_by_id(W, ids, out, D):
    out[...] = W[ids]


def _sums_by_id(rows, ids, dW, M, D, adds):
    if not adds:
        dW[...] = 0
    words, sums = sum_by_id(ids, rows)
    dW[words] += sums


ROWS_BY_ID = Kernel("rows_by_id", SOURCE, _rows_by_id)
SUMS_BY_ID = Kernel("sums_by_id", SOURCE, _sums_by_id)


class CudaEmbedding(Layer):
    """What TimeEmbedding computes.  The ids are arrays of the host.

    Parameters
    ----------
    W : (V, D), the vector of each word.
    device : the Device of the arrays.
    grads : [dW], the memory of the gradient; None: a new array.
    adds : whether ``backward`` adds to the gradient that is there: that of tied
        weights, which the output layer has filled.
    """

    param_names = ("W",)

    def __init__(self, W, device, *, grads=None, adds=False):
        super().__init__(W, grads=grads)
        self.device, self.adds = device, adds

    def forward(self, xs):  # ids (N, T) -> (N, T, D)
        """Look every id of the window up at once."""
        (W,) = self.params
        V, D = W.shape
        N, T = self.window_of_ids(xs)
        require_ids(xs, V)
        self.cache = ids = ids_on(self.device, xs)
        rows = self.buffer("rows", (T * N, D), W.dtype)
        self.device.launch(ROWS_BY_ID, T * N, THREADS, (W, ids, rows, D))
        return batch_view(rows, N, T)

    def backward(self, dxs):  # (N, T, D) -> None: ids have no gradient
        """A word's gradient is the sum over all its occurrences."""
        (dW,) = self.grads
        V, D = dW.shape
        ids = self.cache
        rows = time_rows(self.device, dxs)
        self.device.launch(SUMS_BY_ID, V, THREADS, (rows, ids, dW, ids.size, D, int(self.adds)))
