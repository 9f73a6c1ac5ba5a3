"""The base of formats that print scores of words as another tool does.

Programs that read that tool's output can then read ours.  A format prints one text.  It
remembers no more of it than a sentence and some sums, whatever the length of the text.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.reports.score_tables import Table
from rnnlm.text.vocabulary import EOS

if TYPE_CHECKING:
    from rnnlm.text.vocabulary import Vocabulary

TEXT, MODEL = "text", "model"  # keys of ``head`` that some tools print


class ToolFormat(Table):
    """A row a word, made by ``row`` from the columns that the tool's format needs.

    A blank line between documents, which is no part of the text, has no row.
    """

    one_text = True
    by = "word"
    columns_needed: tuple[str, ...] = ("position", "word", "known", "log_prob")

    def rows(self, block: np.ndarray) -> str:
        scored = ~(np.isnan(block["log_prob"]) & (block["word"] == EOS))
        return "".join(map(self.row, *(block[name][scored].tolist() for name in self.columns_needed)))

    def row(self, *values) -> str:
        """The text for one word, from its values of ``columns_needed``."""
        raise NotImplementedError


def require_words(vocabulary: Vocabulary | None, what: str) -> None:
    """RnnlmError unless the model's ids are those of words."""
    if vocabulary is None or not vocabulary.tokenizer.whole_words:
        raise RnnlmError(f"{what} has the ids of words, and the model does not read whole words: choose another format")


class Sentences:
    """How many sentences with a word have ended; some tools pass over empty lines."""

    def __init__(self) -> None:
        self.ended = 0

    def end(self, position: int, word: str) -> bool:
        """Whether a row ends a sentence; counts it unless its line is empty."""
        self.ended += word == EOS and position > 1
        return word == EOS


def power(base: float, exponent: float) -> float:
    """base ** exponent, inf where that is too large."""
    try:
        return base**exponent
    except OverflowError:
        return math.inf
