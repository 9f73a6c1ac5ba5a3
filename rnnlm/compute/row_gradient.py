"""The gradient of a matrix of which a window touches only a few rows, as an embedding's."""

import numpy as np


class RowGradient:
    """The gradient of a matrix of which a window touches only some rows, as an embedding's.

    ids (k,): distinct row numbers, ascending; values (k, D): their gradients.  All other rows are zero.
    ``np.asarray`` gives the matrix in full.
    """

    def __init__(self, like):
        self.shape, self.dtype = like.shape, like.dtype
        self.ids = np.empty(0, dtype=np.intp)
        self.values = np.empty((0, like.shape[1]), like.dtype)

    def set(self, ids, rows):
        """Become the sum of rows (n, D) over places with the same id (n,)."""
        self.ids, self.values = sum_by_id(ids, rows)

    def fill(self, rows, out):
        """Write the rows of a slice into out, zeros and all, and return it."""
        first, last = np.searchsorted(self.ids, (rows.start, rows.stop))
        out[...] = 0
        out[self.ids[first:last] - rows.start] = self.values[first:last]
        return out

    def __array__(self, dtype=None, copy=None):
        return self.fill(slice(0, self.shape[0]), np.empty(self.shape, dtype or self.dtype))


def sum_by_id(ids, rows):
    """Sum the rows (n, D) that have the same id (n,): the distinct ids (k,), ascending, and their sums (k, D).

    Sorting brings equal ids together, so that one reduceat sums each id's rows: 0.5 ms for 700 ids of
    width 200, where np.add.at takes 1.5 ms or more.
    """
    order = ids.argsort(kind="stable")
    ids = ids[order]
    (starts,) = np.concatenate(([True], ids[1:] != ids[:-1])).nonzero()
    return ids[starts], np.add.reduceat(rows[order], starts, axis=0)
