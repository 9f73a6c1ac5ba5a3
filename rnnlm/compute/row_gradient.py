"""A gradient whose rows are zero but for a few, as that of an embedding in a window."""

import numpy as np


class RowGradient:
    """The gradient of a matrix of which a window uses only some rows: an embedding's.

    ``np.asarray`` gives the matrix in full.

    Parameters
    ----------
    like : (V, D), an array of the matrix's shape and type.

    Attributes
    ----------
    ids : (k,), distinct row numbers, ascending.
    values : (k, D), the gradients of these rows; all other rows are zero.
    shape, dtype : those of the matrix.
    """

    def __init__(self, like):
        self.shape, self.dtype = like.shape, like.dtype
        self.ids = np.empty(0, dtype=np.intp)
        self.values = np.empty((0, like.shape[1]), like.dtype)

    def set(self, ids, rows):
        """Become the sum of rows (n, D), where those of the same id (n,) add up."""
        self.ids, self.values = sum_by_id(ids, rows)

    def fill(self, rows, out):
        """Write the rows of a slice into out, zeros and all, and return it."""
        first, last = np.searchsorted(self.ids, (rows.start, rows.stop))
        out[...] = 0
        out[self.ids[first:last] - rows.start] = self.values[first:last]
        return out

    def __array__(self, dtype=None, copy=None):
        return self.fill(slice(0, self.shape[0]), np.empty(self.shape, dtype or self.dtype))


def add(gradient, out):
    """Add a gradient, a RowGradient or an array, to a matrix, in place."""
    if isinstance(gradient, RowGradient):
        out[gradient.ids] += gradient.values
    else:
        out += gradient


def sum_by_id(ids, rows):
    """Sum the rows (n, D) that have the same id (n,).

    Returns the distinct ids (k,), ascending, and the sums of their rows (k, D).

    Sorting brings equal ids together, so that one reduceat sums each id's rows: 0.5 ms
    for 700 ids of width 200, where np.add.at takes 1.5 ms or more.
    """
    if not ids.size:
        return ids, rows
    order = ids.argsort(kind="stable")
    ids = ids[order]
    (starts,) = np.concatenate(([True], ids[1:] != ids[:-1])).nonzero()
    return ids[starts], np.add.reduceat(rows[order], starts, axis=0)
