"""Time-major rows: the (T * N, D) matrix under an (N, T, D) array."""

import numpy as np


def time_rows(xs):
    """(N, T, D) -> (T * N, D), row t * N + i for step t of stream i.

    It is a view where the memory is time-major already.
    """
    N, T, D = xs.shape
    return np.ascontiguousarray(xs.swapaxes(0, 1)).reshape(T * N, D)


def batch_view(rows, N, T):
    """(T * N, D) -> (N, T, D): the inverse, always a view."""
    return rows.reshape(T, N, -1).swapaxes(0, 1)
