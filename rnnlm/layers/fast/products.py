"""Products of matrices: which to divide among threads, and how to make those of a step.

The matrix of a step is the same for a whole window, so a copy of it is worthwhile.
"""

from functools import cache

import numpy as np

from rnnlm.compute.threads import SERIAL

LARGE_PRODUCT = 20_000_000  # multiplications from which on threads make a product faster
SMALL_PRODUCT = 1_000_000   # multiplications up to which an OpenBLAS with small kernels takes a faster way
NARROW = 16                 # columns: a block with fewer is no gain, however large the batch
SMALL_KERNELS = {"SkylakeX", "Cooperlake", "SapphireRapids"}  # processors for which OpenBLAS has them: AVX-512


def workers_for(multiplications, workers):
    """The workers, or the calling thread alone for a product too small for them."""
    return workers if multiplications >= LARGE_PRODUCT else SERIAL


def step_product(W, N, steps=0):
    """A function that returns h @ W for h (N, K).

    Its next call fills the array that it returned anew.

    Where OpenBLAS has kernels for small products, W is copied in blocks of columns.
    Then each product is a small one, and each block is contiguous in memory: 1.1 to 1.5
    times as fast at K = M = 650.  Without such kernels blocks only cost time (a tenth).
    A transposed view Wh.T is copied, too: used as it is, it costs up to twice the
    product.

    Parameters
    ----------
    W : (K, M), the matrix.
    N : how many rows h has.
    steps : how often the function will be called; 0: not known.  For one word of one
        text, as in writing, a copy would take three times as long as the product.
    """
    K, M = W.shape
    count = 1 if N == steps == 1 else -(-N * W.size // SMALL_PRODUCT)
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


def gate_products(W, N, steps=0):
    """A function that returns x @ W[g] for every gate g: (k, N, M).

    Its next call fills the array that it returned anew.

    The function takes an x (N, K) for all gates, or x (k, 1, N, K), one for each.  The
    numbers of a gate are contiguous in memory: what is then done to them takes a third
    of the time.  Large matrices are copied in blocks of columns, as in step_product.

    Parameters
    ----------
    W : (k, K, M), a matrix for each gate.
    N : how many rows x has.
    steps : see step_product.
    """
    k, K, M = W.shape
    count = 1 if N == steps == 1 or not has_small_kernels() else _blocks_of_a_gate(N * K * M, M)
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


def products_by_word(rows, W, workers):
    """rows W, with the numbers of a word next to each other: (V, n).

    The calling thread computes alone, in memory of its own that its next call fills
    anew.  Where OpenBLAS has kernels for small products, the words are divided into
    blocks: with 32 rows that takes two thirds of the time.

    Parameters
    ----------
    rows : (n, H).
    W : (H, V).
    workers : Workers whose memory is taken.
    """
    (n, H), V = rows.shape, W.shape[1]
    inputs = np.ascontiguousarray(rows.T)
    products = workers.scratch("products", (V, n), W.dtype)
    width = SMALL_PRODUCT // (n * H)
    whole = V // width * width if width >= NARROW and has_small_kernels() else 0
    if whole:
        np.matmul(W.T[:whole].reshape(-1, width, H), inputs, out=products[:whole].reshape(-1, width, n))
    np.matmul(W.T[whole:], inputs, out=products[whole:])
    return products


def _blocks_of_a_gate(multiplications, M):
    """How many blocks of columns make small products, if possible of equal width."""
    count = -(-multiplications // SMALL_PRODUCT)
    counts = [more for more in range(count, 2 * count) if NARROW * more <= M]
    return next((more for more in counts if M % more == 0), counts[0] if counts else 1)


@cache
def has_small_kernels():
    """Whether NumPy's BLAS is an OpenBLAS with small kernels for this processor."""
    from threadpoolctl import threadpool_info

    return any(library.get("architecture") in SMALL_KERNELS for library in threadpool_info())
