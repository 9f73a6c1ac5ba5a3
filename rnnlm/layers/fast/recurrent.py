"""What the fast recurrent layers share: the products of a step and of all steps at once, and who makes them."""

from functools import cache

import numpy as np

from rnnlm.layers.fast.rows import batch_view
from rnnlm.workers import SERIAL, slices

SMALL_PRODUCT = 1_000_000   # multiplications up to which an OpenBLAS with small kernels takes a faster way
NARROW = 16                 # columns: a block with fewer is no gain, however large the batch
LARGE_STEP = 5_000_000      # multiplications of a step from which on sharing the streams out to threads pays
LARGE_PRODUCT = 20_000_000  # the same for the products of all steps at once
SMALL_KERNELS = {"SkylakeX", "Cooperlake", "SapphireRapids"}  # processors for which OpenBLAS has them: AVX-512


class FastRecurrent:
    """Stands before the plain layer among the bases; subclasses write the loops over the steps."""

    def __init__(self, Wx, Wh, b, stateful=False, workers=SERIAL, **options):
        super().__init__(Wx, Wh, b, stateful, **options)
        self.workers = workers

    def _input_terms(self, rows, N, T):  # (T * N, D) -> (T, N, kH)
        """x_t Wx + b of all steps in one product, the part of every step that needs no state."""
        Wx, _, b = self.params
        out = self.buffer("As", (T * N, len(b)), b.dtype)
        workers = self._workers_for(len(rows) * Wx.size)

        def multiply(part):
            np.matmul(rows[part], Wx, out=out[part])
            out[part] += b

        workers.each(multiply, slices(len(rows), -(-len(rows) // workers.threads)))
        return out.reshape(T, N, len(b))

    def _each_stream(self, read, N):
        """read(streams) for the batch in parts: they know nothing of each other, so threads can share them."""
        shared = self.workers.threads if N * self.params[1].size >= LARGE_STEP else 1
        self.workers.each(read, slices(N, -(-N // shared)))

    def _gradients(self, rows, das, *recurrent):  # (T * N, D), (T, N, kH) -> (N, T, D)
        """Fill grads from those of all steps' sums, das; return those of the inputs.

        recurrent: pairs of states (T, N, H) and the columns of Wh that they were multiplied by.
        """
        Wx, _, _ = self.params
        dWx, dWh, db = self.grads
        T, N, width = das.shape
        das = das.reshape(T * N, width)
        drows = np.empty_like(rows)
        products = [(rows.T, das, dWx),  # each weight was used in every step: its gradients add up
                    *((hs.reshape(T * N, -1).T, das[:, columns], dWh[:, columns]) for hs, columns in recurrent),
                    (das, Wx.T, drows),
                    (np.ones((1, T * N), das.dtype), das, db[None])]  # a third of the time of np.sum
        workers = self._workers_for(das.size * len(dWh))
        parts = [(a[part], b, out[part]) for a, b, out in products
                 for part in slices(len(out), -(-len(out) // workers.threads))]
        workers.each(lambda product: np.matmul(*product[:2], out=product[2]), parts)
        self._through_weight_drop()
        return batch_view(drows, N, T)

    def _workers_for(self, multiplications):
        return self.workers if multiplications >= LARGE_PRODUCT else SERIAL


def by_gate(a, gates):  # (T, N, kH) -> (k, T, N, H)
    """The gates that stand side by side, as views."""
    T, N, width = a.shape
    return np.moveaxis(a.reshape(T, N, gates, width // gates), 2, 0)


def step_product(W, N):
    """A function that returns h @ W for h (N, K), in an array that its next call fills anew.

    Where OpenBLAS has kernels for small products, W (K, M) is copied in blocks of columns, so that each product
    is a small one and each block lies side by side in memory: 1.1 to 1.5 times as fast at K = M = 650.  Without
    such kernels blocks only cost (a tenth).  A transposed view Wh.T is copied, too: itself it would cost up to twice
    the product.
    """
    K, M = W.shape
    count = -(-N * W.size // SMALL_PRODUCT)
    if count == 1 or NARROW * count > M or not has_small_kernels():
        if W.strides[1] != W.itemsize:
            W = np.ascontiguousarray(W)
        out = np.empty((N, M), W.dtype)
        return lambda h: np.matmul(h, W, out=out)
    width = -(-M // count)
    blocks = np.zeros((count, K, width), W.dtype)  # the last one is filled up with zeros
    for i, block in enumerate(blocks):
        columns = W[:, i * width : (i + 1) * width]
        block[:, : columns.shape[1]] = columns
    padded = np.empty((N, count * width), W.dtype)
    by_block = padded.reshape(N, count, width).swapaxes(0, 1)

    def multiply(h):
        np.matmul(h, blocks, out=by_block)
        return padded[:, :M]

    return multiply


@cache
def has_small_kernels():
    """Whether the BLAS library behind NumPy is an OpenBLAS that has kernels for small products on this processor."""
    from threadpoolctl import threadpool_info

    return any(library.get("architecture") in SMALL_KERNELS for library in threadpool_info())
