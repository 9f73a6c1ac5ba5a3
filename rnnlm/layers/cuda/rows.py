"""Time-major rows on a device (see rnnlm/layers/fast/rows.py), and ids for it."""

import numpy as np

from rnnlm.layers.fast.rows import batch_view

__all__ = ["batch_view", "ids_on", "time_rows"]


def time_rows(device, xs):
    """(N, T, D) -> (T * N, D) without gaps: a view where the memory is time-major."""
    N, T, D = xs.shape
    return device.xp.ascontiguousarray(xs.swapaxes(0, 1)).reshape(T * N, D)


def ids_on(device, ids):
    """Ids of the host (N, T) as (T * N,) int32 on the device, time-major."""
    return device.put(np.ascontiguousarray(ids.T, np.int32).ravel())
