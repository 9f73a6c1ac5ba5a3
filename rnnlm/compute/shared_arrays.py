"""Arrays in memory that several processes of one host share, on Linux.

The memory is a file without a name, which goes with the last process, however that
ends.  MPI's own shared memory is in /dev/shm, for which containers often have little
room: a process that writes where there is none is killed.
"""

from __future__ import annotations

import math
import mmap
import os
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import DTypeLike


def shared_arrays(processes: Any, owners: Collection[int], shape: tuple[int, ...],
                  dtype: DTypeLike) -> list[np.ndarray]:
    """An array of zeros of each of these processes, in all of ``processes``.

    Called by all of them.  The system gives memory when it is written.

    Raises
    ------
    OSError : a process may not see another's memory.
    """
    size = max(1, math.prod(shape) * np.dtype(dtype).itemsize)
    file = None
    if processes.rank in owners:
        file = os.memfd_create("rnnlm")
        os.ftruncate(file, size)
    try:
        files = processes.each((os.getpid(), file))
        return [_mapped(f"/proc/{pid}/fd/{number}", size, shape, dtype) for pid, number in
                (files[owner] for owner in owners)]
    finally:
        processes.each(None)  # all have mapped it
        if file is not None:
            os.close(file)


def _mapped(path: str, size: int, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray[Any, Any]:
    file = os.open(path, os.O_RDWR)
    try:
        return np.frombuffer(mmap.mmap(file, size), dtype, math.prod(shape)).reshape(shape)
    finally:
        os.close(file)
