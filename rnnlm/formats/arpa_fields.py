"""The n-grams of one order in an ARPA file as arrays, block by block.

A line is the logarithm to base 10 of a probability, the n words, and the logarithm of a
back-off weight or nothing.  Each column of a block becomes numbers by one call.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import counted
from rnnlm.formats.arpa_bytes import UNKNOWN, Parts
from rnnlm.formats.arpa_lines import shown_part

if TYPE_CHECKING:
    from rnnlm.formats.arpa_bytes import WordNumbers
    from rnnlm.formats.arpa_lines import Lines

LN10 = float(np.log(10))
NEVER = -99.0    # log10 of a probability of 0, where a file has -inf
LARGEST = 1e30   # of the size of a logarithm


@dataclass
class Fields:
    """The n-grams of one order, in the order of the file.

    Attributes
    ----------
    words : of each of the n columns, (m,) arrays or lists of bytes.
    log_probs, back_offs : (m,) float32, nats.
    """

    words: list
    log_probs: np.ndarray
    back_offs: np.ndarray
    numbers: list = field(default_factory=list)  # (how many n-grams came before, the lines of the next ones)

    def line(self, i: int) -> int:
        """The number of the line of n-gram i."""
        start, lines = next((start, lines) for start, lines in reversed(self.numbers) if start <= i)
        return int(lines[i - start])


def read_fields(lines: Lines, n: int, count: int, words: WordNumbers | None) -> Fields:
    """Read a section.

    Parameters
    ----------
    lines : where the section begins.
    n : words of an n-gram.
    count : how many n-grams the file declares; memory follows what is there.
    words : the WordNumbers; None: words stay bytes.

    Raises
    ------
    DamagedError : a line is wrong, or the count.
    """
    parts, found, numbers = [[] for _ in range(n + 2)], 0, []
    for first, block in lines.blocks():
        part = _Block(lines, first, block, n)
        where = part.where
        if len(where):
            numbers.append((found, where))
            for column, values in zip(parts, part.columns(words), strict=True):
                column.append(values)
        found += len(where)
        if found > count:
            lines.refuse(f"is one n-gram more than the {count:,} of order {n} that the file declares",
                         int(where[count - found]))
    if found < count:
        lines.refuse(f"ends the {n}-grams: the file declares {count:,}, and there are {found:,}", lines.number + 1)
    columns = [_joined(parts.pop(0), np.int32 if k < n else np.float32) for k in range(n + 2)]  # one is there twice
    return Fields(columns[:n], *columns[n:], numbers)


def _joined(parts, dtype):
    if parts and isinstance(parts[0], list):
        return [word for part in parts for word in part]
    return np.concatenate([np.empty(0, dtype), *parts])


class _Block:
    """Whole lines of a section."""

    def __init__(self, lines, first, block, n):
        self.lines, self.n = lines, n
        if b"\0" in block:
            lines.refuse("holds a NUL: is it a binary file?", first + block.count(b"\n", 0, block.index(0)))
        self.parts = Parts(block)
        counts = self.parts.counts
        self.where = range(first, first + len(counts))  # the numbers of the lines that are not blank
        if not counts.all():
            filled = np.flatnonzero(counts)
            counts, self.where = counts[filled], filled + first
        self.starts, self.has_weight = np.cumsum(counts) - counts, counts == n + 2
        wrong = np.flatnonzero(~self.has_weight & (counts != n + 1))
        if wrong.size:
            self.refuse(wrong[0], f"must be a number, {counted(n, 'word')} and a back-off weight or none, it has "
                                  f"{counts[wrong[0]]:,} parts")

    def columns(self, words):
        """A list of n columns of words, log_probs and back_offs."""
        log_probs = self._floats(np.arange(len(self.starts)), 0)
        positive = np.flatnonzero(log_probs > 0)
        if positive.size:
            self.refuse(positive[0], f"has {self._part(positive[0], 0)} for the logarithm of a probability, which is "
                                     "never above 0")
        rows, back_offs = np.flatnonzero(self.has_weight), np.zeros(len(self.starts), np.float32)
        back_offs[rows] = self._floats(rows, self.n + 1) * LN10
        columns = [self._words(k, words) for k in range(1, self.n + 1)]
        return [*columns, (log_probs * LN10).astype(np.float32), back_offs]

    def _floats(self, rows, k):
        """Logarithms: part k of these rows."""
        values = self.parts.floats(self.starts[rows] + k)
        values[values == -np.inf] = NEVER
        wrong = np.flatnonzero(~(np.abs(values) < LARGEST))
        if wrong.size:
            self.refuse(rows[wrong[0]], f"has {self._part(rows[wrong[0]], k)} for a number")
        return values

    def _words(self, k, words):
        which = self.starts + k
        if words is None:
            return self.parts.parts(which)
        found = words.of(self.parts, which)
        unknown = np.flatnonzero(found == UNKNOWN)
        if unknown.size:
            self.refuse(unknown[0], f"has the word {self._part(unknown[0], k)}, which is none of the unigrams")
        return found

    def _part(self, row, k):
        """A part of a line for a message."""
        return shown_part(self.parts.part(self.starts[row] + k))

    def refuse(self, row, problem):
        self.lines.refuse(problem, int(self.where[row]))
