"""Arrays in memory, or in files without a name where they may be larger than memory.

The files are gone when nothing uses their arrays any more, also after a crash.
"""

from __future__ import annotations

import errno
import mmap
import os
import tempfile
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.files.whole import reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import DTypeLike

LARGEST_ITEM = 8  # bytes of a number


class Storage:
    """Where long arrays are: in memory, or in the folder for temporary files.

    Parameters
    ----------
    on_disk : whether they are in files, mapped into memory.
    """

    def __init__(self, on_disk: bool = False) -> None:
        self.on_disk = on_disk

    def empty(self, size: int, dtype: DTypeLike) -> np.ndarray:
        """A new array (size,), its values not set.  RnnlmError if the disk is full."""
        if not (self.on_disk and size):
            return np.empty(size, dtype)
        with _temporary() as file:
            size_in_bytes = size * np.dtype(dtype).itemsize
            try:  # a mapped page for which there is no room would end the process
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, size_in_bytes)
                else:
                    file.truncate(size_in_bytes)
                return np.memmap(file, dtype, mode="r+", shape=(size,))
            except OSError as error:
                raise _full(error) from error

    def together(self, *columns: np.ndarray) -> list[np.ndarray]:
        """Columns of one block in one file, which stays open while any of them is used.

        In memory they are the columns themselves.
        """
        if not (self.on_disk and any(column.size for column in columns)):
            return list(columns)
        with _temporary() as file:
            starts = []
            try:
                for column in columns:
                    file.write(b"\0" * (-file.tell() % LARGEST_ITEM))
                    starts.append(file.tell())
                    file.write(np.ascontiguousarray(column))
                whole = _mapped(file, np.uint8)
            except OSError as error:
                raise _full(error) from error
            return [whole[start : start + column.nbytes].view(column.dtype)
                    for start, column in zip(starts, columns, strict=True)]

    def joined(self, blocks: Iterable[tuple[np.ndarray, ...]], dtypes: tuple[DTypeLike, ...]) -> list[np.ndarray]:
        """Blocks of several columns as one long array a column."""
        if not self.on_disk:
            blocks = [*blocks]
            return [np.concatenate([np.empty(0, dtype), *(block[i] for block in blocks)], dtype=dtype)
                    for i, dtype in enumerate(dtypes)]
        files = [_temporary() for _ in dtypes]
        try:
            for block in blocks:
                for file, column, dtype in zip(files, block, dtypes, strict=True):
                    file.write(np.ascontiguousarray(column, dtype))
            return [_mapped(file, dtype) for file, dtype in zip(files, dtypes, strict=True)]
        except OSError as error:
            raise _full(error) from error
        finally:
            for file in files:
                file.close()


def let_go(*arrays: np.ndarray | None) -> None:
    """Take what is mapped of these arrays out of memory until it is used again."""
    for array in arrays:
        base = array
        while base is not None and not isinstance(base, mmap.mmap):
            base = getattr(base, "base", None)
        if base is not None and hasattr(base, "madvise"):
            base.madvise(mmap.MADV_DONTNEED)


def _temporary():
    try:
        return tempfile.TemporaryFile()
    except OSError as error:
        raise _full(error) from error


def _mapped(file, dtype):
    file.flush()
    size = os.fstat(file.fileno()).st_size // np.dtype(dtype).itemsize
    return np.memmap(file, dtype, mode="r+", shape=(size,)) if size else np.empty(0, dtype)


def _full(error):
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return RnnlmError(f"no further temporary file could be opened: {reason(error)}; give more --memory, so that "
                          "fewer are needed, or raise the limit with ulimit -n 256")
    return RnnlmError(f"the folder for temporary files {tempfile.gettempdir()} could not be written: {reason(error)}; "
                      "set TMPDIR to a folder with free space, or give more --memory")
