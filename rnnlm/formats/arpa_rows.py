"""The lines of an ARPA file, thousands at a time, without a loop over lines.

A line is a row of pieces, such as ``-0.``, ``301029996`` and a word.  All pieces of a
block of lines are in one array of bytes, the source.  From where each piece begins and
how long it is, one gather makes the text.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rnnlm.ngrams.tables import Order

ROWS = 1 << 13  # lines at a time: what they take stays in a core's cache
LN10 = math.log(10)
BOUNDS = 10.0 ** np.arange(-5, 2)  # of the sizes that are usual: below 10, and not tiny
SCALES = np.array([0, *10.0 ** np.arange(13, 7, -1), 0])  # by these they have nine digits before the point
LEADS = [b"0", *(b"-%d." % digit for digit in range(1, 10)), *(b"-0." + b"0" * zeros for zeros in range(5))]
FOUR_DIGITS = np.frombuffer(b"".join(b"%04d" % i for i in range(10_000)), np.uint32)


class WordPieces:
    """The words of a vocabulary as pieces of lines.

    Parameters
    ----------
    words : list of str, as they are written.
    eos_id : the id whose word differs at the start and at the end of an n-gram.
    start, end : these two words.
    """

    def __init__(self, words: Sequence[str], eos_id: int, start: str, end: str) -> None:
        # Before a word comes a blank, or the tab after the number.
        pieces = [b" " + word.encode() for word in [*words, end]] + [b"\t" + word.encode() for word in [*words, start]]
        self.source = np.frombuffer(b"".join(pieces), np.uint8)
        self._sizes = np.array([len(piece) for piece in pieces])
        self._starts = np.cumsum(self._sizes) - self._sizes
        self._size, self._eos_id = len(words), eos_id

    def first(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Starts and sizes of first words."""
        return self._pieces(np.where(ids == self._eos_id, self._size, ids) + self._size + 1)

    def inner(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Starts and sizes of words that are neither first nor last."""
        return self._pieces(ids)

    def last(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Starts and sizes of last words after others."""
        return self._pieces(np.where(ids == self._eos_id, self._size, ids))

    def _pieces(self, which):
        return self._starts[which], self._sizes[which]


def ngram_lines(orders: Sequence[Order], words: WordPieces, is_last: bool, part: slice = slice(None)
                ) -> Iterator[np.ndarray]:
    """Yield the lines of the highest of these orders, as arrays of bytes.

    Each line begins with its line end, that of the line before.

    Parameters
    ----------
    orders : list of Order from the unigrams on.
    words : WordPieces.
    is_last : whether no back-offs are written.
    part : which n-grams.
    """
    order, size = orders[-1], orders[0].keys.size
    begin, stop, _ = part.indices(order.keys.size)
    for start in range(begin, stop, ROWS):
        part = slice(start, min(start + ROWS, stop))
        block = _Block(words.source)
        block.add_numbers(order.log_probs[part], b"\n")
        block.add_words(_ids(orders, part, size), words)
        if not is_last:
            block.add_numbers(order.back_offs[part], b"\t")
        yield block.text()


def _ids(orders, part, size):
    """The words of n-grams, a list with an array for each place."""
    found = []
    index = np.asarray(orders[-1].keys[part])
    for order in orders[-2::-1]:
        context = index // size
        found.append(index - context * size)
        index = order.keys[context]
    return [index, *found[::-1]]


class _Block:
    """A source of bytes, and the pieces of a block of lines: a column a piece."""

    def __init__(self, source):
        self.parts, self.size = [source], source.size
        self.starts, self.sizes = [], []

    def add_words(self, ids, words):
        """Add the words of n-grams, an array of ids for each place."""
        places = [words.first, *[words.inner] * (len(ids) - 2), words.last][: len(ids)]
        for piece, one in zip(places, ids, strict=True):
            self._add(*piece(one))

    def add_numbers(self, nats, before):
        """Add natural logarithms as base-10 logarithms, after a byte."""
        leads, digits, short, unusual = _digits(nats)
        texts = [before + lead for lead in LEADS]
        texts += [before + _unusual(nats[row]) for row in unusual.tolist()]
        leads[unusual] = np.arange(len(LEADS), len(texts))
        sizes = np.array([len(text) for text in texts])
        at = self._source(np.frombuffer(b"".join(texts), np.uint8))
        self._add((at + np.cumsum(sizes) - sizes)[leads], sizes[leads])
        has_units = (leads > 0) & (leads < 10)  # the first of nine digits is in the lead
        sizes = 9 - has_units.astype(np.int64) - short
        sizes[(leads == 0) | (leads >= len(LEADS))] = 0
        rows = self._source(digits.view(np.uint8).ravel()) + np.arange(3, 12 * leads.size + 3, 12)
        self._add(rows + has_units, sizes)

    def _source(self, array):
        self.parts.append(array)
        self.size += array.size
        return self.size - array.size

    def _add(self, starts, sizes):
        self.starts.append(starts)
        self.sizes.append(sizes)

    def text(self):
        """All lines, an array of bytes."""
        sizes, starts = np.stack(self.sizes, axis=1).ravel(), np.stack(self.starts, axis=1).ravel()
        ends = np.cumsum(sizes)
        total = int(ends[-1]) if ends.size else 0
        kind = np.int32 if max(total, self.size) <= np.iinfo(np.int32).max else np.int64
        index = np.repeat((starts - ends + sizes).astype(kind), sizes)
        index += np.arange(total, dtype=kind)
        return np.concatenate(self.parts)[index]


def _digits(nats):
    """How numbers are written: by their leads, and nine digits.

    Returns (n,), an index of LEADS; (n, 3) uint32, whose bytes 3 to 11 are the digits;
    (n,) bool, where the last digit is not needed; and which rows are unusual, and have
    to be written one by one.  Nine digits give the 32-bit number again, often eight do.
    """
    sizes = nats.astype(np.float64) / -LN10
    kinds = np.searchsorted(BOUNDS, sizes, side="right")
    scales = SCALES[kinds]
    values = np.rint(sizes * scales)
    unusual = (scales == 0) | (values >= 1e9)
    values[unusual] = 0
    with_eight = 10 * np.rint(values / 10)
    short = (with_eight * -LN10 / np.maximum(scales, 1)).astype(np.float32) == nats
    short &= with_eight < 1e9
    np.copyto(values, with_eight, where=short)
    first, rest = np.divmod(values.astype(np.uint32), np.uint32(10**8))
    second, third = np.divmod(rest, np.uint32(10**4))
    digits = FOUR_DIGITS[np.stack([first, second, third], axis=1)]
    leads = np.where(kinds == len(BOUNDS) - 1, first, 15 - kinds).astype(np.int64)
    leads[sizes == 0] = 0
    return leads, digits, short, np.flatnonzero(unusual & (sizes != 0))


def numbers(nats: np.ndarray) -> list[bytes]:
    """Natural logarithms (n,) float32 as base-10 logarithms in decimal digits.

    ``np.float32(float(text) * ln 10)`` is the number again.  None has an exponent.
    """
    block = _Block(np.empty(0, np.uint8))
    block.add_numbers(np.asarray(nats), b"\n")
    return block.text().tobytes().split(b"\n")[1:]


def _unusual(nats):
    """The fewest digits of a number that is positive, of 10 or more, or tiny."""
    value = float(nats) / LN10
    most = max(1, 8 - math.floor(math.log10(abs(value))))
    texts = (f"{value:.{decimals}f}" for decimals in range(most + 1))
    text = next((text for text in texts if np.float32(float(text) * LN10) == nats), f"{value:.{most}f}")
    return text.encode()
