"""Arrays in safetensors files, by the library `safetensors`.

This file alone imports it, when it is used.  Files from elsewhere are checked before
the library sees them: see ``safetensors_header``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.exchange.content import content_of
from rnnlm.exchange.safetensors_header import read_header
from rnnlm.files.finite import all_finite, require_finite
from rnnlm.files.whole import whole_file

if TYPE_CHECKING:
    from collections.abc import Mapping


def _library():
    """The module; RnnlmError unless it is installed."""
    try:
        import safetensors.numpy
    except ImportError:
        raise RnnlmError("safetensors files need the package safetensors: pip install safetensors, or this package "
                         "with its extra: pip install 'numpy-rnnlm[torch]'") from None
    return safetensors


def write_safetensors(path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray],
                      metadata: Mapping[str, str]) -> None:
    """Write arrays as float32, whole or not at all.

    The library writes the memory of an array as it lies, without a look at its strides:
    a transposed array would be another one when it is read.  So each is made
    C-contiguous first.

    Raises
    ------
    DivergenceError : a number is not finite.
    RnnlmError : the file cannot be written.
    """
    library = _library()
    with np.errstate(over="ignore"):  # said in one line
        ready = {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}
    require_finite(ready)
    with whole_file(path) as file:
        file.write(library.numpy.save(ready, metadata={"format": "pt", **metadata}))


def read_safetensors(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays of a file, as float32, and its metadata.

    Raises
    ------
    DamagedError : it is no safetensors file, or a number is not finite.
    RnnlmError : it cannot be read.
    """
    entries, metadata = read_header(path)
    library = _library()
    with content_of(path, "a safetensors file of a model"):
        try:
            with library.safe_open(path, framework="np") as file:
                if set(file.keys()) != set(entries):
                    raise ValueError("it changed while it was read")
                return {name: _array(file, path, name, entry) for name, entry in entries.items()}, metadata
        except library.SafetensorError as error:
            raise ValueError(str(error)) from None


def _array(file, path, name, entry):
    """One array in memory of its own; ValueError unless it is as its header says."""
    found = _bfloat16(path, entry) if entry.dtype == "BF16" else file.get_tensor(name)
    if found.shape != entry.shape or found.dtype.kind != "f":
        raise ValueError("it changed while it was read")
    with np.errstate(over="ignore"):
        array = found.astype(np.float32)
    if not all_finite(array):
        raise ValueError(f"{name} holds numbers that are not finite as float32")
    return array


def _bfloat16(path, entry):
    """NumPy has no such type: its bits are the upper half of a float32's."""
    size = int(np.prod(entry.shape, dtype=np.int64))
    halves = np.fromfile(path, "<u2", size, offset=entry.start)
    if halves.size != size:
        raise ValueError("it changed while it was read")
    return (halves.astype(np.uint32) << 16).view(np.float32).reshape(entry.shape)
