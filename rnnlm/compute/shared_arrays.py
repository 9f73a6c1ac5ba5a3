"""Arrays in memory that several processes of one host share, on Linux.

The memory is a file without a name, which goes with the last process, however that
ends.  MPI's own shared memory is in /dev/shm, for which containers often have little
room: a process that writes where there is none is killed.
"""

from __future__ import annotations

import errno
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
    OSError : a process has no such memory, in all of them; or it may not see another's.
    """
    size = max(1, math.prod(shape) * np.dtype(dtype).itemsize)
    file, error = _file(size) if processes.rank in owners else (None, None)
    try:
        of_each = processes.each((os.getpid(), file, error))  # whatever happened: the others wait for it
        try:
            return [_mapped(_path(*of_each[owner]), size, shape, dtype) for owner in owners]
        finally:
            processes.each(None)  # all have mapped it
    finally:
        if file is not None:
            os.close(file)


def _path(pid: int, file: int | None, error: OSError | None) -> str:
    """Where a process sees the file of another; its error if there is none."""
    if error is not None:
        raise error
    return f"/proc/{pid}/fd/{file}"


def _file(size: int) -> tuple[int | None, OSError | None]:
    """The descriptor of a file without a name, or the error where there is none."""
    if not hasattr(os, "memfd_create"):  # another system than Linux, or a Python that was built for an older one
        return None, OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    file = None
    try:
        file = os.memfd_create("rnnlm")
        os.ftruncate(file, size)
    except OSError as error:
        if file is not None:
            os.close(file)
        return None, error
    return file, None


def _mapped(path: str, size: int, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray[Any, Any]:
    file = os.open(path, os.O_RDWR)
    try:
        return np.frombuffer(mmap.mmap(file, size), dtype, math.prod(shape)).reshape(shape)
    finally:
        os.close(file)
