"""What one model says of a text: rows of words, with the sums that a page shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rnnlm.errors import RnnlmError, counted

EOS = "<eos>"


@dataclass
class Reading:
    """The scores of every word of a text by one model.

    Attributes
    ----------
    name : what the model is called.
    sha256 : of its file, in hexadecimal.
    rows : (n,), a structured array, one row for each word and each sentence end, whose
        word is <eos>.  Fields: sentence (from 1), word, known, surprisal and entropy
        (bits), rank (from 1), and top1, p1, top2, p2, ... for the words that were
        expected.  nan, a rank below 1 and None stand for what is not there.
    vocab_size : how many words the model chooses from.
    about : what kind of model it is, for the head of the page.
    """

    name: str
    sha256: str
    rows: np.ndarray
    vocab_size: int
    about: str = ""

    @cached_property
    def bits(self) -> np.ndarray:
        """(n,) the surprisals."""
        return self.rows["surprisal"].astype(float)

    @cached_property
    def scored(self) -> np.ndarray:
        """(n,) which rows have a surprisal."""
        return ~np.isnan(self.bits)

    @property
    def mean_bits(self) -> float:
        """The mean of the surprisals; nan without any."""
        return float(self.bits[self.scored].mean()) if self.scored.any() else np.nan

    @property
    def unknown(self) -> np.ndarray:
        """(n,) which words the model does not know."""
        return ~self.rows["known"].astype(bool)

    @cached_property
    def expected(self) -> int:
        """How many expected words each row names."""
        return sum(bool(re.fullmatch(r"top\d+", name)) for name in self.rows.dtype.names)


def ends_of_sentences(rows: np.ndarray) -> np.ndarray:
    """(S,) the number of the row after the last one of each sentence."""
    sentences = rows["sentence"]
    return np.append(np.flatnonzero(sentences[1:] != sentences[:-1]) + 1, len(rows))


def are_line_ends(rows: np.ndarray) -> np.ndarray:
    """(n,) which rows are the end of a sentence, not a word that is spelt <eos>."""
    last = np.zeros(len(rows), bool)
    last[ends_of_sentences(rows) - 1] = True
    return last & (rows["word"] == EOS)


def require_same_text(first: Reading, other: Reading) -> None:
    """RnnlmError unless both have scored the same words."""
    for reading in (first, other):
        if len(reading.rows) != len(first.rows):
            raise RnnlmError(f"both models must score the same words, {first.name} has {counted(len(first.rows), 'row')} "
                             f"and {other.name} {len(other.rows):,}: score one text")
    different = (first.rows["word"] != other.rows["word"]) | (first.rows["sentence"] != other.rows["sentence"])
    if different.any():
        raise RnnlmError(f"both models must score the same words, row {int(different.argmax()) + 1:,} of {first.name} "
                         f"and of {other.name} differ: score one text")
