"""The n-grams of one order in an ARPA file as arrays, block by block.

A line is the logarithm to base 10 of a probability, the n words, and the logarithm of a
back-off weight or nothing.  What a block of lines holds is split by one call, and each
column of it becomes numbers by another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import shown
from rnnlm.formats.arpa_lines import fields_of_lines

if TYPE_CHECKING:
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


def read_fields(lines: Lines, n: int, count: int, index: dict[bytes, int] | None) -> Fields:
    """Read a section.

    Parameters
    ----------
    lines : where the section begins.
    n : words of an n-gram.
    count : how many n-grams the file declares; memory follows what is there.
    index : the number of each word; None: words stay bytes.

    Raises
    ------
    DamagedError : a line is wrong, or the count.
    """
    parts, found, numbers = [], 0, []
    for first, block in lines.blocks():
        part, where = _Block(lines, first, block, n).fields(index)
        if len(where):
            numbers.append((found, where))
            parts.append(part)
        found += len(where)
        if found > count:
            lines.refuse(f"is one n-gram more than the {count:,} of order {n} that the file declares",
                         int(where[count - found]))
    if found < count:
        lines.refuse(f"ends the {n}-grams: the file declares {count:,}, and there are {found:,}", lines.number + 1)
    columns = [_joined([part[k] for part in parts], index, k < n) for k in range(n + 2)]
    return Fields(columns[:n], *columns[n:], numbers)


def _joined(parts, index, is_words):
    if is_words and index is None:
        return [word for part in parts for word in part]
    return np.concatenate(parts) if parts else np.empty(0, np.int32 if is_words else np.float32)


class _Block:
    """Whole lines of a section."""

    def __init__(self, lines, first, block, n):
        self.lines, self.first, self.block, self.n = lines, first, block, n

    def fields(self, index):
        """A list of n columns of words, log_probs, back_offs; and the lines' numbers.

        The latter are a range, or an array where some lines are blank.
        """
        counts = fields_of_lines(self.block)
        self.where = range(self.first, self.first + len(counts))
        if not counts.all():
            filled = np.flatnonzero(counts)
            counts, self.where = counts[filled], filled + self.first
        with_weight = counts == self.n + 2
        wrong = np.flatnonzero(~with_weight & (counts != self.n + 1))
        if wrong.size:
            self.refuse(wrong[0], f"must be a number, {self.n} words and a back-off weight or none, it has "
                                  f"{counts[wrong[0]]:,} parts")
        return self._columns(self.block.split(), counts, with_weight, index), self.where

    def _columns(self, parts, counts, with_weight, index):
        n = self.n
        if with_weight.all() or not with_weight.any():
            width = n + 2 if len(counts) and with_weight[0] else n + 1
            columns = [parts[k::width] for k in range(width)]
        else:
            parts, starts = np.array(parts, object), np.cumsum(counts) - counts
            columns = [parts[starts + k].tolist() for k in range(n + 1)]
            columns.append(parts[starts[with_weight] + n + 1].tolist())
        log_probs = self._log_probs(columns[0])
        back_offs = np.zeros(len(counts), np.float32)
        if len(columns) > n + 1:
            rows = np.flatnonzero(with_weight)
            back_offs[rows] = self._nats(self._floats(columns[n + 1], rows), rows)
        words = columns[1 : n + 1]
        return [*(words if index is None else [self._ids(column, index) for column in words]), log_probs, back_offs]

    def _log_probs(self, texts):
        rows = np.arange(len(texts))
        values = self._floats(texts, rows)
        values[values == -np.inf] = NEVER
        positive = np.flatnonzero(values > 0)
        if positive.size:
            text = shown(_text(texts[positive[0]]), 40)
            self.refuse(positive[0], f"has {text} for the logarithm of a probability, which is never above 0")
        return self._nats(values, rows)

    def _floats(self, texts, rows):
        """Numbers of texts, which are parts of these rows."""
        try:
            values = np.fromiter(map(float, texts), np.float64, len(texts))
        except ValueError:
            wrong = next(i for i, text in enumerate(texts) if not _is_number(text))
        else:
            if b"_" not in b"".join(texts):  # float takes 1_000, too
                return values
            wrong = next(i for i, text in enumerate(texts) if b"_" in text)
        self.refuse(rows[wrong], f"has {shown(_text(texts[wrong]), 40)} for a number")

    def _nats(self, values, rows):
        values[values == -np.inf] = NEVER
        wrong = np.flatnonzero(~(np.abs(values) < LARGEST))
        if wrong.size:
            self.refuse(rows[wrong[0]], f"has the logarithm {values[wrong[0]]}, which is no number of this kind")
        return (values * LN10).astype(np.float32)

    def _ids(self, words, index):
        try:
            return np.fromiter(map(index.__getitem__, words), np.int32, len(words))
        except KeyError:
            wrong = next(i for i, word in enumerate(words) if word not in index)
            self.refuse(wrong, f"has the word {shown(_text(words[wrong]), 60)}, which is none of the unigrams")

    def refuse(self, row, problem):
        self.lines.refuse(problem, int(self.where[row]))


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def _text(part):
    """A part of a line for a message."""
    return part.decode("utf-8", "backslashreplace")
