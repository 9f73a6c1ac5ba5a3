"""The parts of a block of lines as numbers and ids, without a Python object for each.

Eight bytes of a text are one 64-bit number.  So words of up to sixteen bytes are pairs
of numbers, which are found in a table; and eight digits are added up by a few products.
What is longer, or written otherwise, goes the plain way.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

UNKNOWN = -1
MOST_DECIMALS = 14  # with one digit before them they are exact in a double
ROUNDS = 32         # slots that are tried; a word without one is only in the dict
_PAD = 16           # bytes before and after a block, so that any eight can be read
_FIRST = np.array([(1 << 8 * n) - 1 for n in range(9)], np.uint64)  # masks of the first n bytes of eight
_EACH = np.uint64(0x0101010101010101)
_TENS = 10 ** np.arange(MOST_DECIMALS + 1, dtype=np.uint64)


class Parts:
    """What is between blanks in a block of lines.

    Attributes
    ----------
    starts, sizes : (p,), of each part in the block, in bytes.
    counts : (lines,), how many parts each line has.
    """

    def __init__(self, block: bytes) -> None:
        self.block, self._padded = block, b"\0" * _PAD + block + b"\0" * _PAD
        codes = np.frombuffer(block, np.uint8)
        is_blank = np.ones(len(codes) + 2, bool)
        is_blank[1:-1] = ((codes - np.uint8(9)) < 5) | (codes == 32)  # as bytes.split has them
        edges = np.flatnonzero(is_blank[1:] != is_blank[:-1])
        self.starts, self.sizes = edges[::2], edges[1::2] - edges[::2]
        ends = np.flatnonzero(codes == ord("\n"))
        if not block.endswith(b"\n"):
            ends = np.append(ends, len(codes))
        self.counts = np.diff(np.searchsorted(self.starts, ends), prepend=0)

    def part(self, i: int) -> bytes:
        """One of them."""
        return self.block[self.starts[i] : self.starts[i] + self.sizes[i]]

    def parts(self, which: np.ndarray) -> list[bytes]:
        """Some of them."""
        starts = self.starts[which]
        ends = starts + self.sizes[which]
        return [self.block[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]

    def _eight(self, starts):
        """The eight bytes from each of these offsets on, (n,) uint64."""
        size = len(self._padded) - 7
        return np.ndarray(size, "<u8", self._padded, strides=(1,))[starts + _PAD].astype(np.uint64, copy=False)

    def keys(self, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The first eight bytes of some parts, and the next eight; NULs at the end."""
        starts, sizes = self.starts[which], self.sizes[which]
        first, second = self._eight(starts) & _FIRST[np.minimum(sizes, 8)], np.zeros(len(starts), np.uint64)
        longer = np.flatnonzero(sizes > 8)
        second[longer] = self._eight(starts[longer] + 8) & _FIRST[np.minimum(sizes[longer] - 8, 8)]
        return first, second

    def floats(self, which: np.ndarray) -> np.ndarray:
        """Some parts as ``float`` gives them; nan for one that is no number."""
        starts, sizes = self.starts[which], self.sizes[which]
        begins, ends, decimals = self._eight(starts), starts + sizes, np.clip(sizes - 3, 0, MOST_DECIMALS)
        before = ((begins >> np.uint64(8)) & np.uint64(0xFF)) - np.uint64(ord("0"))
        last, is_right = _digits(self._eight(ends - 8), np.minimum(decimals, 8))
        first, is_also = _digits(self._eight(ends - 16), np.maximum(decimals - 8, 0))
        values = (before * _TENS[decimals] + first * _TENS[8] + last).astype(float) / -_TENS[decimals].astype(float)
        simple = is_right & is_also & (before < 10) & (sizes > 3) & (sizes <= MOST_DECIMALS + 3)
        simple &= (begins & np.uint64(0xFF00FF)) == ord("-") + (ord(".") << 16)  # -d.ddd
        is_zero = (sizes == 1) & ((begins & np.uint64(0xFF)) == ord("0"))
        values[is_zero] = 0
        others = np.flatnonzero(~simple & ~is_zero)
        values[others] = [_float(part) for part in self.parts(which[others])]
        return values


def _digits(eight, counts):
    """The numbers that the last digits of eight bytes are, and whether they are digits.

    (Lemire, Quickly parsing eight digits, 2018.)
    """
    others, digits = _FIRST[8 - counts], _EACH * np.uint64(ord("0"))
    x = (eight & ~others) | (others & digits)
    high = _EACH * np.uint64(0xF0)
    are_digits = ((x & high) == digits) & (((x + _EACH * np.uint64(6)) & high) == digits)
    x -= digits
    x = x * np.uint64(10) + (x >> np.uint64(8))
    pairs = np.uint64(0x000000FF000000FF)
    x = (x & pairs) * np.uint64(100 + (1000000 << 32)) + ((x >> np.uint64(16)) & pairs) * np.uint64(1 + (10000 << 32))
    return x >> np.uint64(32), are_digits


def _float(part):
    try:
        return math.nan if b"_" in part else float(part)  # float takes 1_000, too
    except ValueError:
        return math.nan


class WordNumbers:
    """The numbers of words, found for many parts at once.

    Parameters
    ----------
    index : the number of each word; words hold no NUL.
    """

    def __init__(self, index: Mapping[bytes, int]) -> None:
        self.index = index
        short = [word for word in index if len(word) <= 16]
        keys = Parts(b" ".join([*short, b"\n"])).keys(np.arange(len(short)))
        self.first, self.second = (np.append(key, np.uint64(0)) for key in keys)  # 0: the UNKNOWN at the end
        self.numbers = np.fromiter(map(index.__getitem__, short), np.int32, len(short))
        self.bits = max(8, (4 * len(short)).bit_length())
        self.slots = self._filled()

    def _filled(self):
        """At each hash, or soon after it, the position of the word with it."""
        slots = np.full((1 << self.bits) + ROUNDS, UNKNOWN, np.int32)
        left = np.arange(len(self.numbers), dtype=np.int32)
        at = self._hashes(self.first[:-1], self.second[:-1])
        for _ in range(ROUNDS):
            free = slots[at] == UNKNOWN
            slots[at[free]] = left[free]  # of several words the last one gets the slot
            lost = slots[at] != left
            left, at = left[lost], at[lost] + 1
        return slots

    def _hashes(self, first, second):
        x = first * np.uint64(0x9E3779B97F4A7C15) + second * np.uint64(0xC2B2AE3D27D4EB4F)
        x = (x ^ (x >> np.uint64(29))) * np.uint64(0xD6E8FEB86659FD93)
        return (x >> np.uint64(64 - self.bits)).astype(np.int64)

    def of(self, parts: Parts, which: np.ndarray) -> np.ndarray:
        """The numbers of some parts, (n,) int32; UNKNOWN for those that are no word."""
        first, second = parts.keys(which)
        found, at = np.full(len(which), UNKNOWN, np.int32), self._hashes(first, second)
        left = np.flatnonzero(parts.sizes[which] <= 16)
        at = at[left]
        for _ in range(ROUNDS):
            words = self.slots[at]
            is_same = (self.first[words] == first[left]) & (self.second[words] == second[left])
            found[left[is_same]] = self.numbers[words[is_same]]
            on = ~is_same & (words != UNKNOWN)
            if not on.any():
                break
            left, at = left[on], at[on] + 1
        others = np.flatnonzero(found == UNKNOWN)
        found[others] = [self.index.get(part, UNKNOWN) for part in parts.parts(which[others])]
        return found
