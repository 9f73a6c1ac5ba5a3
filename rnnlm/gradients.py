"""Gradients: those that touch only a few rows, the size of all together, and the clip that limits it."""

import math

import numpy as np

from rnnlm.functions import sum_by_id
from rnnlm.workers import SERIAL, slices

SHARE = 1 << 19  # numbers that a thread takes at a time


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


def global_norm(grads, workers=SERIAL):
    """L2 norm of all arrays as if they were one vector: sqrt(sum of squares). A float; nan or inf pass through."""
    parts = []
    for grad in grads:
        values = grad.values if isinstance(grad, RowGradient) else grad
        flat = values.reshape(-1, order="A", copy=False)
        parts += [flat] if flat.size <= SHARE else [flat[part] for part in slices(flat.size, SHARE)]
    squares = [0.0] * len(parts)

    def add(i):
        # np.dot makes no temporary and is four times as fast as (g ** 2).sum()
        squares[i] = float(np.dot(parts[i], parts[i]))

    # One array larger than a share at least: otherwise waking a thread costs more than it brings.
    (workers if len(parts) > len(grads) else SERIAL).each(add, range(len(parts)))
    return math.sqrt(sum(squares))


def clip_scale(norm, max_norm):
    """What to multiply gradients of this global norm by, so that it is at most max_norm (Pascanu et al., 2013).

    1 within the limit, and where the norm is not finite; max_norm = inf never clips.
    """
    return max_norm / norm if max_norm < norm < math.inf else 1.0
