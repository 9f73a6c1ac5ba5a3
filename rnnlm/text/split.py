"""How one text becomes three: in order or at random, by line or by document.

A document is a block of lines between blank lines, as in rnnlm/text/documents.py; where
a text has several files, one ends with its file, too.  Shares are of the bytes, so that
the three texts do not depend on the tokenizer.
"""

from __future__ import annotations

import io
from array import array
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError, RnnlmError
from rnnlm.text.documents import LINES, UNITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ORDERED, RANDOM = ORDERS = ("ordered", "random")
USUAL_SHARES = "90/5/5"
LARGEST_SEED = 2**128 - 1
BUCKETS_BITS = 16  # of a random number: those that begin alike are of one text
DRAWN = 4096       # random numbers at a time


def shares_of(text: str) -> tuple[float, float, float]:
    """The shares of three texts that "90/5/5" gives; ValueError if it gives none.

    They are relative: "18/1/1" is the same.
    """
    parts = [float(part) for part in str(text).split("/")]
    if len(parts) != 3 or not all(part > 0 for part in parts) or not sum(parts) < float("inf"):
        raise ValueError("three numbers above 0")
    return tuple(part / sum(parts) for part in parts)


@dataclass(frozen=True)
class Split:
    """How to split a text.

    Attributes
    ----------
    order : ORDERED: the texts follow each other; RANDOM: lines or documents are drawn.
    unit : LINES or DOCUMENTS, each of which is wholly in one text.
    shares : of the three texts, as "90/5/5".
    seed : of RANDOM, which alone decides what is drawn.
    """

    order: str = ORDERED
    unit: str = LINES
    shares: str = USUAL_SHARES
    seed: int = 1

    def __post_init__(self) -> None:
        arguments.one_of("split", self.order, ORDERS)
        arguments.one_of("split_by", self.unit, UNITS)
        arguments.whole("split_seed", self.seed, 0, LARGEST_SEED)
        try:
            shares_of(self.shares)
        except (ValueError, TypeError):
            raise ArgumentError(f"split_shares must be three numbers above 0, as in {USUAL_SHARES}, got "
                                f"{self.shares!r}") from None

    @property
    def by_tokens(self) -> bool:
        """Whether the text is only cut in two places, by the number of tokens."""
        return (self.order, self.unit) == (ORDERED, LINES)

    def cuts(self, size: int) -> list[int]:
        """Where the second and the third text begin in a text of this size."""
        parts = [float(part) for part in self.shares.split("/")]
        return [int(share / sum(parts) * size) for share in accumulate(parts[:2])]


def pieces(files: Iterable[Iterable[bytes]], unit: str) -> Iterator[tuple[bytes, bool]]:
    """Yield the pieces of a text, each with whether it begins a line or a document.

    files: the blocks of each file, which end at line ends or, where a line is longer,
    at blanks.  A piece is a line or, of such a line, a part.
    """
    in_line = blank = seen = False  # seen: a line with a word, as blank lines at the start belong to the first document
    first = True
    for blocks in files:
        ended = True  # the document before
        for block in blocks:
            for piece in io.BytesIO(block):
                empty = not piece.strip()
                if unit == LINES:
                    begins = not in_line
                else:
                    begins = first or (ended and seen and not empty and (not in_line or blank))
                first, blank = False, empty and (blank or not in_line)
                if not empty:
                    seen, ended = True, False
                in_line = not piece.endswith(b"\n")
                ended = ended or (blank and not in_line)
                yield piece, begins


def _keys(seed):
    """Yield random whole numbers, always the same ones for a seed."""
    source = np.random.PCG64(seed)
    while True:
        yield from (source.random_raw(DRAWN) >> np.uint64(64 - BUCKETS_BITS)).tolist()


def texts_of(read, split):
    """Yield the pieces of a text: (bytes, number of its text, whether a unit begins).

    A unit is a line or a document.  The text is read twice, once for its size.

    Parameters
    ----------
    read : function that returns the blocks of each file, an iterable of iterables.
    split : Split.

    Raises
    ------
    RnnlmError : it has fewer than three lines or documents.
    """
    place = (_random if split.order == RANDOM else _ordered)(pieces(read(), split.unit), split)
    number, offset, keys = 0, 0, _keys(split.seed)
    for piece, begins in pieces(read(), split.unit):
        if begins:
            number = place(next(keys) if split.order == RANDOM else offset)
        offset += len(piece)
        yield piece, number, begins


def _ordered(parts, split):
    """The function from where a line or document begins to the number of its text."""
    size = units = 0
    for piece, begins in parts:
        size += len(piece)
        units += begins
    _require_three(units, split)
    first, second = split.cuts(size)
    return lambda offset: (offset >= first) + (offset >= second)


def _random(parts, split):
    """The function from a random number to the number of the text.

    The third text gets what has the smallest numbers, up to its share, but at least
    one, the second what comes next.  Memory does not grow with the text.
    """
    sizes, units, keys, key = array("q", bytes(8 << BUCKETS_BITS)), 0, _keys(split.seed), 0
    for piece, begins in parts:
        if begins:
            key, units = next(keys), units + 1
        sizes[key] += len(piece)
    sizes = np.array(sizes)
    (filled,) = np.nonzero(sizes)
    _require_three(min(units, len(filled)), split)
    ends = np.cumsum(sizes[filled])
    _, valid, test = shares_of(split.shares)
    tests = int(np.clip(np.count_nonzero(ends <= test * ends[-1]), 1, len(ends) - 2))
    both = int(np.clip(np.count_nonzero(ends <= (test + valid) * ends[-1]), tests + 1, len(ends) - 1))
    numbers = np.zeros(len(sizes), np.int8)
    numbers[filled[:both]] = 1
    numbers[filled[:tests]] = 2
    return numbers.tolist().__getitem__


def _require_three(units, split):
    if units < 3:
        remedy = "" if split.unit == LINES else ": put blank lines between documents, or split by lines"
        raise RnnlmError(f"the text must hold at least three {split.unit} to be split into three texts, it has "
                         f"{units}{remedy}")

