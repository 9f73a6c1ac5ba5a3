"""Files of numbers in the cache: arrays as in memory, one after another, no header."""

import os
from contextlib import suppress

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.files.whole import new_file, reason

ENDING = ".ids1"  # of the files of numbers; to be counted up when tokens change


def has_size(path, size):
    """Whether there is a file with so many bytes."""
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def write_arrays(path, arrays):
    """Write arrays into a file of the cache, whole or not at all."""
    try:
        with new_file(path.parent, "ids") as (file, settle):
            for array in arrays:
                file.write(array)
            settle(path)
    except OSError as error:
        raise RnnlmError(f"{path} could not be written: {reason(error)}; "
                         "set RNNLM_CACHE to a folder with free space") from error


def mapped(path, dtype):
    """The numbers in a file as a read-only array; they are read when they are used."""
    used(path)
    try:
        return np.asarray(np.memmap(path, dtype, mode="r")) if path.stat().st_size else np.empty(0, dtype)
    except OSError as error:
        raise RnnlmError(f"{path} could not be read: {reason(error)}; run the command again") from error


def used(*paths):
    """Touch files of the cache that are in use, so that they are not swept."""
    for path in paths:
        with suppress(OSError):  # a cache that may only be read
            os.utime(path)
