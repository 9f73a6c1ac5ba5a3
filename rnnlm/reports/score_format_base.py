"""How another tool prints the scores of words, so that programs that read it can go on.

A format prints one text.  It remembers no more of it than a sentence and some sums, so
the length of the text does not matter.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnnlm.text.vocabulary import EOS

if TYPE_CHECKING:
    import numpy as np

    from rnnlm.text.vocabulary import Vocabulary

LN2, LN10 = math.log(2), math.log(10)


class ScoreFormat:
    """What one tool prints for a text: ``head``, ``rows`` for part after part, ``tail``.

    Parameters
    ----------
    vocabulary : the model's Vocabulary.
    path : the name of the text, for tools that print it.

    Attributes
    ----------
    columns : the fields of a row that are printed, in the order of ``row``'s arguments.
    leaves_out : what the table of ``rnnlm score`` tells and this format does not.
    """

    columns: tuple[str, ...] = ("word", "known", "log_prob")
    leaves_out = ""

    def __init__(self, vocabulary: Vocabulary, path: str) -> None:
        self.vocabulary, self.path = vocabulary, path

    def head(self) -> str:
        """The text before the first word."""
        return ""

    def rows(self, rows: np.ndarray) -> str:
        """The text for the next words; <eos> ends a sentence.

        Parameters
        ----------
        rows : a structured array with the fields of ``columns``, or a dict of arrays;
            ``log_prob`` and ``entropy`` in nats, nan for a word without a probability.
        """
        return "".join(map(self.row, *(rows[name].tolist() for name in self.columns)))

    def row(self, *values) -> str:
        """The text for one word, from its values of ``columns``."""
        raise NotImplementedError

    def tail(self) -> str:
        """The text after the last word."""
        return ""


class Place:
    """The numbers of sentence and word, from 0, for tools that pass over empty lines."""

    def __init__(self) -> None:
        self.sentence = self.word = 0

    def pass_word(self, word: str) -> None:
        """Count a word, or the end of a sentence."""
        if word != EOS:
            self.word += 1
        elif self.word:
            self.sentence, self.word = self.sentence + 1, 0
