"""What one model says of a text: rows of words, with the sums that a page shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rnnlm.errors import RnnlmError, counted
from rnnlm.text.vocabulary import EOS


@dataclass
class Reading:
    """The scores of every word of a text by one model.

    Attributes
    ----------
    name : what the model is called.
    sha256 : of its file, in hexadecimal.
    rows : (n,), what ``score(text, top=5)`` of a loaded model gives, a structured
        array with a row for each word and each line end.  Used are sentence, word,
        known, surprisal and entropy (bits), rank, top1, p1, top2, p2, ...
    vocab_size : how many words the model chooses from.
    about : what kind of model it is, for the head of the page.
    unit : what the model expects next: "word", or "character".
    lost : what of any text the model does not read, such as ("capitals",).
    partners : how it adapts, and what it is mixed with, in words; "" for a model alone.
    """

    name: str
    sha256: str
    rows: np.ndarray
    vocab_size: int
    about: str = ""
    unit: str = "word"
    lost: tuple[str, ...] = ()
    partners: str = ""

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
    def perplexity(self) -> float:
        """Of the rows that have a surprisal."""
        with np.errstate(over="ignore"):
            return float(np.exp2(self.mean_bits))

    @property
    def unknown(self) -> np.ndarray:
        """(n,) which words the model does not know."""
        return ~self.rows["known"].astype(bool)

    @cached_property
    def expected(self) -> int:
        """How many expected words each row names."""
        return sum(bool(re.fullmatch(r"top\d+", name)) for name in self.rows.dtype.names)


def difference(first: Reading, other: Reading) -> np.ndarray:
    """(n,) the surprisals of the first minus those of the other; nan for no number."""
    with np.errstate(invalid="ignore"):  # both may be infinite
        return first.bits - other.bits


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
            raise RnnlmError(f"both models must score the same words, {first.name} has "
                             f"{counted(len(first.rows), 'row')} and {other.name} {len(other.rows):,}: score one text")
    different = (first.rows["word"] != other.rows["word"]) | (first.rows["sentence"] != other.rows["sentence"])
    if different.any():
        raise RnnlmError(f"both models must score the same words, row {int(different.argmax()) + 1:,} of {first.name} "
                         f"and of {other.name} differ: score one text")
