"""Fields of a protobuf message, from a stranger: read one after another, never nested.

https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # types of fields


def fields(data: bytes) -> Iterator[tuple[int, int | bytes | float]]:
    """Yield number and value of each field: a whole number, bytes, or a float.

    ValueError for what is no message.
    """
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, position = _varint(data, position)
        elif kind == BYTES:
            size, position = _varint(data, position)
            value, position = _part(data, position, size)
        elif kind in (FIXED32, FIXED64):
            value, position = _part(data, position, 4 if kind == FIXED32 else 8)
            value = struct.unpack("<f" if kind == FIXED32 else "<d", value)[0]
        else:
            raise ValueError(f"it has a field of the unknown type {kind}")
        yield number, value


def _varint(data, position):
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise ValueError("it is cut short")
        value |= (data[position] & 0x7F) << shift
        position += 1
        if data[position - 1] < 0x80:
            return value, position
    raise ValueError("it has a number of more than 64 bits")


def _part(data, position, size):
    if size > len(data) - position:
        raise ValueError("it is cut short")
    return data[position : position + size], position + size
