"""Whether arrays that are saved or read hold finite numbers only."""

import numpy as np

from rnnlm.errors import DivergenceError


def all_finite(x):
    """Whether all numbers of the array are finite; those of integer arrays always are.

    Block by block: the answers for a whole matrix would take a quarter of its memory.
    """
    if x.dtype.kind != "f":
        return True
    flat = x.reshape(-1, order="A")
    return all(np.isfinite(flat[start : start + (1 << 20)]).all() for start in range(0, flat.size, 1 << 20))


def require_finite(arrays):
    """DivergenceError if an array has a number that is not finite: it is not saved."""
    for name, array in arrays.items():
        if not all_finite(array):
            raise DivergenceError(f"{name} holds numbers that are not finite, so nothing is saved")
