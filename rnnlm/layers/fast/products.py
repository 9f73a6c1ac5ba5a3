"""Products of matrices: which are worth sharing out to threads, and how one that comes back at every step is made."""

from functools import cache

import numpy as np

from rnnlm.compute.threads import SERIAL

LARGE_PRODUCT = 20_000_000  # multiplications from which on sharing a product out to threads pays
SMALL_PRODUCT = 1_000_000   # multiplications up to which an OpenBLAS with small kernels takes a faster way
NARROW = 16                 # columns: a block with fewer is no gain, however large the batch
SMALL_KERNELS = {"SkylakeX", "Cooperlake", "SapphireRapids"}  # processors for which OpenBLAS has them: AVX-512


def workers_for(multiplications, workers):
    """The workers, or the calling thread alone where the product is too small for them."""
    return workers if multiplications >= LARGE_PRODUCT else SERIAL


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


def gate_products(W, N):
    """A function that returns x @ W[g] for every gate g, (k, N, M), in an array that its next call fills anew.

    W (k, K, M); x (N, K) for all gates, or (k, 1, N, K) for each its own.  What comes out of each gate lies side by
    side in memory: what is then done to its numbers takes a third of the time.  Large matrices are copied in blocks
    of columns, as in step_product.
    """
    k, K, M = W.shape
    count = _blocks_of_a_gate(N * K * M, M) if has_small_kernels() else 1
    if count == 1:
        blocks, width = (W if W.strides[2] == W.itemsize else np.ascontiguousarray(W))[:, np.newaxis], M
    else:
        width = -(-M // count)
        blocks = np.zeros((k, count, K, width), W.dtype)  # the last one is filled up with zeros
        for i in range(count):
            columns = W[:, :, i * width : (i + 1) * width]
            blocks[:, i, :, : columns.shape[2]] = columns
    padded = np.empty((k, N, count * width), W.dtype)
    by_block = padded.reshape(k, N, count, width).swapaxes(1, 2)

    def multiply(x):
        np.matmul(x, blocks, out=by_block)
        return padded[:, :, :M]

    return multiply


def _blocks_of_a_gate(multiplications, M):
    """How many blocks of columns make small products; if it can be, such that they fill the M columns."""
    count = -(-multiplications // SMALL_PRODUCT)
    counts = [more for more in range(count, 2 * count) if NARROW * more <= M]
    return next((more for more in counts if M % more == 0), counts[0] if counts else 1)


@cache
def has_small_kernels():
    """Whether the BLAS library behind NumPy is an OpenBLAS that has kernels for small products on this processor."""
    from threadpoolctl import threadpool_info

    return any(library.get("architecture") in SMALL_KERNELS for library in threadpool_info())
