"""Writing an n-gram model as an ARPA file, in the form that the strictest reader takes.

Numbers are logarithms to base 10, with as many digits as give back the same 32-bit
number when the file is read here.  They have no exponents, as some readers drop them.
Words come in order of their ids, <eos> as <s> and </s>, so that the ids are the same
again.
"""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import ArgumentError, one_line
from rnnlm.files.whole import File, whole_file
from rnnlm.formats.arpa_heading import END, START, tokenizer_lines, written_words
from rnnlm.ngrams.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rnnlm.text.vocabulary import Vocabulary

NEVER = -99  # log10 p of <s>, which is never predicted
ROWS = 1 << 16  # n-grams that are written at a time
LN10 = math.log(10)
MOST_DECIMALS = 13


def write_arpa(path: str | os.PathLike[str] | File, tables: Tables, vocabulary: Vocabulary,
               heading: Sequence[str] = ()) -> None:
    """Write an n-gram model, whole or not at all.

    The file opens with ``#`` lines: the heading, and what the tokenizer is if it is not
    that of plain words (rnnlm/formats/arpa_heading.py).  Orders without n-grams at the
    end are left out.

    Parameters
    ----------
    path : of the file.
    tables : Tables.
    vocabulary : the Vocabulary of their ids.
    heading : lines of text.

    Raises
    ------
    ArgumentError : the vocabulary is another one, or has a word that cannot be written.
    RnnlmError : the file cannot be written.
    """
    if tables.vocab_size != len(vocabulary):
        raise ArgumentError(f"vocabulary must be that of the tables, which have {tables.vocab_size:,} words, got one "
                            f"of {len(vocabulary):,}")
    words, escapes = written_words(vocabulary)
    lines = [*(f"# {one_line(line)}" for line in heading), *tokenizer_lines(vocabulary.tokenizer, escapes)]
    orders = tables.orders[: max(k for k, order in enumerate(tables.orders, 1) if order.keys.size)]
    with whole_file(path) as file:
        counts = [order.keys.size + (k == 1) for k, order in enumerate(orders, 1)]  # <eos> is two unigrams
        counted = [f"ngram {k}={count}" for k, count in enumerate(counts, 1)]
        file.write("".join(f"{line}\n" for line in [*lines, "\\data\\", *counted]).encode())
        file.write(b"\n\\1-grams:\n")
        file.writelines(_unigrams(orders, vocabulary.eos_id, words))
        encoded = np.array([b" " + word.encode() for word in words], object)
        for k in range(2, len(orders) + 1):
            file.write(f"\n\\{k}-grams:\n".encode())
            file.writelines(_ngrams(orders[:k], k == len(orders), vocabulary.eos_id, encoded))
        file.write(b"\n\\end\\\n")


def _unigrams(orders, eos_id, words) -> Iterator[bytes]:
    """Yield the lines; <eos> gives two."""
    order = orders[0]
    log_probs, weights = numbers(order.log_probs), _weights(order, len(orders) == 1)
    for i, word in enumerate(words):
        if i == eos_id:
            yield b"%d\t%s%s%s\n" % (NEVER, START.encode(), b"\t" if weights[i] else b"", weights[i])
            yield b"%s\t%s%s\n" % (log_probs[i], END.encode(), b"\t0" if weights[i] else b"")
        else:
            yield b"%s\t%s%s%s\n" % (log_probs[i], word.encode(), b"\t" if weights[i] else b"", weights[i])


def _weights(order, is_last):
    """The back-offs of an order as they are written; empty ones for the highest."""
    if is_last:
        return [b""] * order.keys.size
    return numbers(order.back_offs)


def _ngrams(orders, is_last, eos_id, words) -> Iterator[bytes]:
    """Yield the lines of the highest of these orders, many at a time."""
    k, V, order = len(orders), len(words), orders[-1]
    first, last = words.copy(), words.copy()
    first[eos_id], last[eos_id] = b" " + START.encode(), b" " + END.encode()
    first = np.array([word[1:] for word in first], object)
    for start in range(0, order.keys.size, ROWS):
        part = slice(start, start + ROWS)
        index, ids = np.divmod(order.keys[part], V)
        cells = np.empty((len(index), k + 2), object)
        cells[:, k] = last[ids]
        for column in range(k - 1, 0, -1):
            index, ids = np.divmod(orders[column - 1].keys[index], V)
            cells[:, column] = (words if column > 1 else first)[ids]
        cells[:, 0] = _ending(numbers(order.log_probs[part]), b"\t")
        cells[:, k + 1] = b"\n" if is_last else [b"\t" + text + b"\n" for text in numbers(order.back_offs[part])]
        yield b"".join(cells.ravel().tolist())


def _ending(texts, end):
    return [text + end for text in texts]


def numbers(nats: np.ndarray) -> list[bytes]:
    """Natural logarithms (n,) float32 as base-10 logarithms in decimal digits.

    ``np.float32(float(text) * ln 10)`` is the number again.  None has an exponent.
    """
    tens = nats.astype(np.float64) / LN10
    sizes = np.abs(tens)
    cells = np.zeros((len(nats), 3 + MOST_DECIMALS), np.uint8)  # NULs at the end are no part of bytes
    cells[:, 0] = np.where(tens < 0, ord("-"), ord("0"))
    usual = tens == 0
    for decimals in range(8, MOST_DECIMALS + 1):  # such that there are nine digits
        rows = np.flatnonzero((tens < 0) & (sizes >= 10.0 ** (8 - decimals)) & (sizes < 9.9 * 10.0 ** (8 - decimals)))
        cells[rows, 1:] = _digits(nats[rows], sizes[rows], decimals)
        usual[rows] = True
    texts = cells.view(f"S{cells.shape[1]}")[:, 0].tolist()
    for row in np.flatnonzero(~usual).tolist():
        texts[row] = _unusual(float(tens[row]))
    return texts


def _digits(nats, sizes, decimals):
    """The characters of numbers below 10, one fewer where that gives the same number."""
    cells, short = np.zeros((len(sizes), 2 + MOST_DECIMALS), np.uint8), sizes.round(decimals - 1)
    enough = (short * -LN10).astype(np.float32) == nats
    value = np.rint(np.where(enough, short, sizes) * 10.0**decimals).astype(np.uint32)
    for column in range(decimals + 1, 1, -1):
        value, digit = np.divmod(value, np.uint32(10))
        cells[:, column] = digit + ord("0")
    cells[:, 0], cells[:, 1] = value + ord("0"), ord(".")
    cells[enough, decimals + 1] = 0
    return cells


def _unusual(value):
    """Positive numbers, those far from 1, and the few between 9.9 and 10."""
    decimals = max(1, 9 - math.floor(math.log10(abs(value))))
    return f"{value:.{decimals}f}".rstrip("0").rstrip(".").encode()
