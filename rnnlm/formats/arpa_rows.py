"""The lines of an ARPA file, thousands at a time, without a loop over lines.

A line is a row of cells of fixed sizes: a number's first characters, its digits, a word
and so on.  What a cell does not need is NUL, and all NULs are taken out at once.  The
few texts that fit into no cell leave a mark where they belong.
"""

from __future__ import annotations

import math
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rnnlm.ngrams.tables import Order

ROWS = 1 << 13  # lines at a time: what they take stays in a core's cache
LN10 = math.log(10)
LONGEST = 24    # bytes of a word's cell; what is longer is put in afterwards
MARK = b"\x01"  # where it belongs: no word has this byte, as it would be escaped
BOUNDS = 10.0 ** np.arange(-5, 2)  # of the sizes that are usual: below 10, and not tiny
SCALES = np.array([0, *10.0 ** np.arange(13, 7, -1), 0])  # by these they have nine digits before the point
LEADS = [b"0", *(b"-%d." % digit for digit in range(1, 10)), *(b"-0." + b"0" * zeros for zeros in range(5)), MARK]
ZERO, OF_ONE, BELOW_ONE, UNUSUAL = 0, 1, 10, len(LEADS) - 1  # where each kind of lead begins
# The first digit of nine, which may be in the lead already; four; the last four, whose
# last may not be needed.
FIRST_DIGIT = np.frombuffer(b"".join(b"\0\0\0%d" % i for i in range(10)) + b"\0\0\0\0", np.uint32)
FOUR_DIGITS = np.frombuffer(b"".join(b"%04d" % i for i in range(10_000)) + b"\0\0\0\0", np.uint32)
LAST_DIGITS = np.concatenate([FOUR_DIGITS, np.frombuffer(
    b"".join(b"%03d\0" % (i // 10) for i in range(10_000)), np.uint32)])
NO_DIGIT, NO_DIGITS = 10, 10_000  # of these tables


class WordCells:
    """The words of a vocabulary as cells of lines.

    Parameters
    ----------
    words : list of str, as they are written.
    eos_id : the id whose word differs at the start and at the end of an n-gram.
    start, end : these two words.
    """

    def __init__(self, words: Sequence[str], eos_id: int, start: str, end: str) -> None:
        texts = [word.encode() for word in words]
        sizes = np.array([*map(len, texts)])
        self.tails = {int(i): texts[i][LONGEST - 2 :] for i in np.flatnonzero(sizes > LONGEST - 1)}
        self.is_long = sizes > LONGEST - 1
        for i in self.tails:
            texts[i] = texts[i][: LONGEST - 2] + MARK
        kind = f"S{-(-min(LONGEST, 2 + max(map(len, [*texts, start, end]))) // 4) * 4}"
        texts[eos_id] = start.encode()
        self.first = np.array([b"\t" + text for text in texts], kind)  # after the number
        texts[eos_id] = end.encode()
        self.others = np.array([b" " + text for text in texts], kind)


def ngram_lines(orders: Sequence[Order], words: WordCells, is_last: bool, part: slice = slice(None)) -> Iterator[bytes]:
    """Yield the lines of the highest of these orders, thousands at a time.

    Each line begins with its line end, that of the line before.

    Parameters
    ----------
    orders : list of Order from the unigrams on.
    words : WordCells.
    is_last : whether no back-offs are written.
    part : which n-grams.
    """
    order, size = orders[-1], orders[0].keys.size
    begin, stop, _ = part.indices(order.keys.size)
    for start in range(begin, stop, ROWS):
        part = slice(start, min(start + ROWS, stop))
        columns = [*_number_columns(order.log_probs[part], b"\n"), *_word_columns(orders, part, size, words)]
        if not is_last:
            columns += _number_columns(order.back_offs[part], b"\t")
        yield _joined(columns)


def _word_columns(orders, part, size, words):
    """The words of n-grams: for each place the cells, and (row, text) of tails."""
    found = []
    index = np.asarray(orders[-1].keys[part])
    for order in orders[-2::-1]:
        context = index // size
        found.append(index - context * size)
        index = order.keys[context]
    for place, ids in enumerate([index, *found[::-1]]):
        cells = (words.others if place else words.first)[ids]
        tails = [(row, words.tails[int(ids[row])]) for row in np.flatnonzero(words.is_long[ids])] if words.tails else []
        yield cells, tails


def _number_columns(nats, before):
    """Natural logarithms as base-10 logarithms after a byte: their leads and digits."""
    leads, digits = _digits(nats)
    table = np.array([before + lead for lead in LEADS], "S8")
    unusual = [(row, _unusual(nats[row])) for row in np.flatnonzero(leads == UNUSUAL)]
    return [(table[leads], unusual), (digits, [])]


def _joined(columns):
    """The text of a block of lines, from (cells, tails) of each column."""
    kinds = [(str(i), cells.dtype, cells.shape[1:]) for i, (cells, _) in enumerate(columns)]
    buffer = bytearray(len(columns[0][0]) * np.dtype(kinds).itemsize)
    rows = np.frombuffer(buffer, kinds)
    for i, (cells, _) in enumerate(columns):
        rows[str(i)] = cells
    text = buffer.translate(None, b"\0")
    tails = sorted((row, i, tail) for i, (_, tails) in enumerate(columns) for row, tail in tails)
    if not tails:
        return text
    between = text.split(MARK)
    return b"".join(chain.from_iterable(zip_longest(between, (tail for *_, tail in tails), fillvalue=b"")))


def _digits(nats):
    """How numbers are written: an index of LEADS (n,), and nine digits or fewer (n, 3).

    The digits are bytes in three numbers.  Nine give the 32-bit number again, and where
    eight do, too, the last is left out.
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
    values = values.astype(np.uint32)
    upper = values // np.uint32(10**4)
    first = upper // np.uint32(10**4)
    second, third = upper - first * np.uint32(10**4), values - upper * np.uint32(10**4)
    has_units = kinds == len(BOUNDS) - 1
    leads = np.where(has_units, first, BELOW_ONE + len(BOUNDS) - 2 - kinds).astype(np.int64)
    first[has_units] = NO_DIGIT
    third[short] += NO_DIGITS + 1
    leads[unusual] = np.where(sizes[unusual] == 0, ZERO, UNUSUAL)
    first[unusual], second[unusual], third[unusual] = NO_DIGIT, NO_DIGITS, NO_DIGITS
    digits = np.empty((nats.size, 3), np.uint32)
    for column, (table, index) in enumerate(((FIRST_DIGIT, first), (FOUR_DIGITS, second), (LAST_DIGITS, third))):
        digits[:, column] = table[index]
    return leads, digits


def numbers(nats: np.ndarray) -> list[bytes]:
    """Natural logarithms (n,) float32 as base-10 logarithms in decimal digits.

    ``np.float32(float(text) * ln 10)`` is the number again.  None has an exponent.
    """
    return _joined(_number_columns(np.asarray(nats), b"\n")).split(b"\n")[1:]


def _unusual(nats):
    """The fewest digits of a number that is positive, of 10 or more, or tiny."""
    value = float(nats) / LN10
    most = max(1, 8 - math.floor(math.log10(abs(value))))
    texts = (f"{value:.{decimals}f}" for decimals in range(most + 1))
    text = next((text for text in texts if np.float32(float(text) * LN10) == nats), f"{value:.{most}f}")
    return text.encode()
