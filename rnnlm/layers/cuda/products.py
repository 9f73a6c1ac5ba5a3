"""Products on a device, and what goes with them: biases and their gradients."""

from pathlib import Path

from rnnlm.compute.kernel import Kernel

SOURCE = Path(__file__).with_name("products.cu")
COLUMNS, GROUPS = 32, 32  # of a block of column_sums, as in the source
THREADS = 256


def multiply(device, a, b, out, *, add=False):
    """out = a @ b, or out += a @ b.

    Parameters
    ----------
    device : the Device of the matrices.
    a, b, out : matrices by rows or by columns, also parts of wider ones.  No copy is
        made unless both the rows and the columns of a matrix have gaps.
    add : whether the product is added to what is in out.
    """
    device.multiply(a, b, out, add)


def _column_sums(rows, sums, count, columns):
    sums[...] = rows.sum(axis=0)


def _add_bias(rows, b, size, columns):
    rows += b


COLUMN_SUMS = Kernel("column_sums", SOURCE, _column_sums)
ADD_BIAS = Kernel("add_bias", SOURCE, _add_bias)


def column_sums(device, rows, out):
    """Fill out (D,) with the sums of the columns of rows (M, D), in a fixed order."""
    M, D = rows.shape
    device.launch(COLUMN_SUMS, -(-D // COLUMNS), COLUMNS * GROUPS, (rows, out, M, D))


def affine(device, rows, W, b, out):
    """Fill out (M, D) with rows (M, H) @ W (H, D) + b (D,)."""
    device.multiply(rows, W, out)
    device.launch(ADD_BIAS, -(-out.size // THREADS), THREADS, (out, b, out.size, b.size))
