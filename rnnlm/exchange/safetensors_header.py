"""The header of a safetensors file, read without trust.

The file is eight bytes, the length of the header (little-endian), the header, a JSON
object, and the numbers of all arrays, one array after another.  Nothing of the numbers
is read here, so a file's claims cost no memory before they are known to fit its size.
"""

from __future__ import annotations

import math
import os
import stat
from dataclasses import dataclass

from rnnlm.errors import shown
from rnnlm.exchange.content import content_of
from rnnlm.files.strict_json import loads

METADATA = "__metadata__"
LONGEST_HEADER = 1 << 20   # bytes; an array takes about a hundred, so some ten thousand arrays
MOST_DIMENSIONS = 8
LARGEST = 1 << 34          # bytes of all arrays as float32; the largest recurrent models have some 2^32
FLOATS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}  # bytes of a number, of the types that can be read


@dataclass(frozen=True)
class Entry:
    """What a header says of an array.

    Parameters
    ----------
    dtype : str, a key of FLOATS.
    shape : tuple of int.
    start : int, where its numbers begin in the file.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int


def read_header(path: str | os.PathLike[str]) -> tuple[dict[str, Entry], dict[str, str]]:
    """The Entries of a file's arrays by name, and its metadata.

    Raises
    ------
    DamagedError : it is no safetensors file of floating-point numbers, whole and
        without anything else.
    RnnlmError : it cannot be read.
    """
    with content_of(path, "a safetensors file of a model"):
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ValueError("it is a folder" if os.path.isdir(path) else "it is not a regular file")
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            return _parsed(_text(file, size), size)


def _text(file, size):
    """The bytes of the header, their length checked."""
    first = file.read(8)
    _require(len(first) == 8, f"it has {size} bytes, too few for a header")
    length = int.from_bytes(first, "little")
    _require(length <= LONGEST_HEADER, f"its header claims {length:,} bytes, at most {LONGEST_HEADER:,} can be right")
    text = file.read(length)
    _require(len(text) == length, f"its header claims {length:,} bytes, the file ends before")
    return text


def _parsed(text, size):
    """The Entries and the metadata; ValueError unless they fill a file of that size."""
    try:
        header = loads(text.decode("utf-8"), "its header", unique_keys=True)
    except UnicodeDecodeError:
        raise ValueError("its header is not UTF-8") from None
    _require(isinstance(header, dict), "its header must be a JSON object")
    metadata = header.pop(METADATA, {})
    _require(isinstance(metadata, dict) and all(isinstance(value, str) for value in metadata.values()),
             f"{METADATA} must hold strings")
    _require(header, "it holds no array")
    start = len(text) + 8
    spans = {name: _entry(name, value, start) for name, value in header.items()}
    _require_filled(spans, start, size)
    entries = {name: entry for name, (entry, _) in spans.items()}
    numbers = sum(math.prod(entry.shape) for entry in entries.values())
    _require(numbers * 4 <= LARGEST, f"its arrays have {numbers:,} numbers, at most {LARGEST // 4:,} can be read")
    return entries, metadata


def _entry(name, value, first):
    """The Entry of a header's value, and where its numbers end."""
    _require(isinstance(value, dict) and value.keys() == {"dtype", "shape", "data_offsets"},
             f"{name} must have dtype, shape and data_offsets, found {shown(value, 80)}")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    _require(isinstance(dtype, str) and dtype in FLOATS,
             f"{name} has numbers of type {shown(dtype, 20)}, {', '.join(FLOATS)} can be read")
    _require(_are_sizes(shape) and len(shape) <= MOST_DIMENSIONS, f"{name} has the shape {shown(shape, 80)}")
    _require(_are_sizes(offsets) and len(offsets) == 2, f"{name} has the offsets {shown(offsets, 80)}")
    start, stop = offsets
    size = math.prod(shape) * FLOATS[dtype]  # Python's integers do not overflow
    _require(stop - start == size, f"{name} is {dtype} {tuple(shape)}, {size:,} bytes, but its offsets are "
             f"{start:,} to {stop:,}")
    return Entry(dtype, tuple(shape), first + start), first + stop


def _are_sizes(value):
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)


def _require_filled(spans, start, size):
    """ValueError unless the arrays follow one another from ``start`` to the end."""
    for name, (entry, stop) in sorted(spans.items(), key=lambda item: (item[1][0].start, item[1][1])):
        _require(entry.start >= start, f"{name} overlaps the array before it")
        _require(entry.start == start, f"{entry.start - start:,} bytes before {name} belong to no array")
        start = stop
    _require(start <= size, f"its arrays end at byte {start:,}, the file has {size:,}: it is cut short")
    _require(start == size, f"{size - start:,} bytes after its last array belong to none")


def _require(holds, message):
    if not holds:
        raise ValueError(message)
