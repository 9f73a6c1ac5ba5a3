"""Documents: where they start in a text, and the text with them in a random order.

A document is a block of lines between blank lines.  Blank lines belong to the document
before them, those at the start of a text to the first one: so every token is in exactly
one document.  Where each line is a document of its own, a blank line is one, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import ArgumentError, RnnlmError

if TYPE_CHECKING:
    from collections.abc import Iterable

UNITS = DOCUMENTS, LINES = "documents", "lines"
NOTHING = "none"  # is shuffled
BLOCK = 1 << 22  # ids that are in memory at a time


def starts(blocks: Iterable[np.ndarray], line_end: int, unit: str = DOCUMENTS) -> np.ndarray:  # (d,) int64
    """Where the documents of a text start, in rising order; the first starts at 0.

    Parameters
    ----------
    blocks : the text's ids, or other numbers of its tokens, array after array.
    line_end : the number of the line end.
    unit : DOCUMENTS, or LINES if each line is a document.
    """
    found, offset, ended = [], 0, np.ones(2, np.bool_)  # a text starts as if after a blank line
    for block in blocks:
        ended = np.concatenate([ended[-2:], block == line_end])
        first = ended[1:-1] if unit == LINES else ended[:-2] & ended[1:-1] & ~ended[2:]
        found.append(np.flatnonzero(first).astype(np.int64) + offset)
        offset += len(block)
    offsets = np.concatenate([np.empty(0, np.int64), *found])
    if not offsets.size:  # of a text of blank lines; one without a token has no document
        return np.zeros(min(offset, 1), np.int64)
    offsets[0] = 0  # also where blank lines come first
    return offsets


def starts_to_shuffle(ids: np.ndarray, line_end: int, unit: str) -> np.ndarray:  # (d,) int64
    """The ``starts`` in a text that may be mapped into memory; it is read in pieces.

    RnnlmError unless there are at least two documents.
    """
    offsets = starts((ids[start : start + BLOCK] for start in range(0, len(ids), BLOCK)), line_end, unit)
    if len(offsets) < 2:
        what, remedy = (("line", "give --shuffle none") if unit == LINES else
                        ("document", "put a blank line between documents, or give --shuffle lines"))
        raise RnnlmError(f"--shuffle {unit} needs a training text of at least two {unit}, it is one {what}: {remedy}")
    return offsets


class Shuffled:
    """A text whose documents are in a random order; the text itself stays as it is.

    It keeps 24 bytes a document; ``arrange`` takes 8 more for a moment.

    Parameters
    ----------
    starts : (d,), where the documents start in the text: from 0, in rising order.
    size : n, how many tokens the text has.

    Raises
    ------
    ArgumentError : no text of n tokens has documents that start there.
    """

    def __init__(self, starts: np.ndarray, size: int) -> None:
        self.bounds = np.append(starts, size).astype(np.int64, copy=False)
        if self.bounds[0] != 0 or (self.bounds[1:] <= self.bounds[:-1]).any():
            raise ArgumentError(f"documents must be the offsets where they start: 0, then larger and larger ones, all "
                                f"below {size}")
        self.seed = None

    def arrange(self, seed: int) -> None:
        """Put the documents into the order that belongs to a seed."""
        if seed == self.seed:
            return
        self.ends = self.shifts = None  # let go of the last order first
        order = np.random.default_rng(seed).permutation(len(self.bounds) - 1)
        self.ends = np.diff(self.bounds)[order]
        np.cumsum(self.ends, out=self.ends)
        self.shifts = self.bounds[1:][order]
        self.shifts -= self.ends
        self.seed = seed

    def offsets(self, positions: np.ndarray) -> np.ndarray:
        """Where in the text the tokens at these positions of the shuffled text are."""
        return positions + self.shifts[np.searchsorted(self.ends, positions, side="right")]
