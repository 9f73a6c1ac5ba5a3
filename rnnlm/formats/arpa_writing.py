"""Writing an n-gram model as an ARPA file, in the form that the strictest reader takes.

Numbers are logarithms to base 10, with as many digits as give back the same 32-bit
number when the file is read here.  They have no exponents, as some readers drop them.
Words come in order of their ids, <eos> as <s> and </s>, so that the ids are the same
again.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import ArgumentError, one_line
from rnnlm.files.whole import File, whole_file
from rnnlm.formats.arpa_heading import END, START, tokenizer_lines, written_words
from rnnlm.formats.arpa_rows import WordCells, ngram_lines, numbers
from rnnlm.ngrams.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rnnlm.text.vocabulary import Vocabulary

NEVER = -99  # log10 p of <s>, which is never predicted


def write_arpa(path: str | os.PathLike[str] | File, tables: Tables, vocabulary: Vocabulary,
               heading: Sequence[str] = (), on_ngrams: Callable[[int], object] = lambda count: None) -> None:
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
    on_ngrams : function, called as on_ngrams(n) when n n-grams were written.

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
        cells = WordCells(words, vocabulary.eos_id, START, END)
        file.write(b"\n\\1-grams:")
        _write(file, _unigrams(orders, vocabulary.eos_id, cells), on_ngrams)
        for k in range(2, len(orders) + 1):
            file.write(f"\n\n\\{k}-grams:".encode())
            _write(file, ngram_lines(orders[:k], cells, k == len(orders)), on_ngrams)
        file.write(b"\n\n\\end\\\n")


def _write(file, blocks, on_ngrams):
    """Write blocks of lines, each of which begins with a line end."""
    for block in blocks:
        file.write(block)
        on_ngrams(block.count(b"\n"))


def _unigrams(orders, eos_id, cells) -> Iterator[bytes | np.ndarray]:
    """Yield the lines; <eos> gives two."""
    order, is_last = orders[0], len(orders) == 1
    yield from ngram_lines(orders[:1], cells, is_last, slice(0, eos_id))
    this = slice(eos_id, eos_id + 1)
    weights, none = ([b""], b"") if is_last else (numbers(order.back_offs[this]), b"\t0")
    yield b"\n%d\t%s%s%s" % (NEVER, START.encode(), b"" if is_last else b"\t", *weights)
    yield b"\n%s\t%s%s" % (*numbers(order.log_probs[this]), END.encode(), none)
    yield from ngram_lines(orders[:1], cells, is_last, slice(eos_id + 1, None))
