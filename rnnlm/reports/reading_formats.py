"""The tables of tools for people who study reading: a row a word, surprisal in bits.

Their numbers are those of the tools' own code, read in November 2026: ModelBlocks,
LM Zoo (Gauthier et al., 2020) and neural-complexity (van Schijndel & Linzen, 2018).
"""

from __future__ import annotations

import math

import numpy as np

from rnnlm.reports.score_format_base import LN2, Place, ScoreFormat
from rnnlm.text.vocabulary import EOS, UNK


class ItemMeasures(ScoreFormat):
    """ModelBlocks' itemmeasures, which REPLICA reads, too; blanks between the columns.

    Sentences count from 0 and words from 1.  There is no row for the sentence end.
    """

    columns = ("word", "known", "log_prob", "entropy", "entropy_reduction", "rank", "frequency")
    leaves_out = "the rows of sentence ends, and numbers of empty lines"

    def __init__(self, vocabulary, path):
        super().__init__(vocabulary, path)
        self.place = Place()

    def head(self):
        return "word sentid sentpos oov totsurp entropy entred rank freq\n"

    def row(self, word, known, log_prob, entropy, reduction, rank, frequency):
        sentence, position = self.place.sentence, self.place.word + 1
        self.place.pass_word(word)
        if word == EOS:
            return ""
        bits = " ".join(_or_na(value / LN2, ".6f") for value in (-log_prob, entropy, reduction))
        return (f"{word} {sentence} {position} {1 - known:d} {bits} "
                f"{_or_na(rank, '.0f')} {_or_na(frequency, '.0f')}\n")


def _or_na(value, digits):
    """A number, or NA where there is none."""
    return "NA" if value < 0 and digits == ".0f" or math.isnan(value) else format(value, digits)


class LmZoo(ScoreFormat):
    """LM Zoo's get-surprisals: tabs, 6 decimals, and the sentence end as a token.

    Sentences and tokens count from 1, empty lines included.
    """

    leaves_out = "the spelling of unknown words, entropies, ranks and frequencies"

    def __init__(self, vocabulary, path):
        super().__init__(vocabulary, path)
        self.sentence = self.position = 1

    def head(self):
        return "sentence_id\ttoken_id\ttoken\tsurprisal\n"

    def row(self, word, known, log_prob):
        line = f"{self.sentence}\t{self.position}\t{word if known else UNK}\t{-log_prob / LN2 + 0.0:.6f}\n"
        self.position += 1
        if word == EOS:
            self.sentence, self.position = self.sentence + 1, 1
        return line


class NeuralComplexity(ScoreFormat):
    """neural-complexity's --words --nopp: blanks, counted from 0, no row for <eos>.

    Its numbers are float32 written out.  ``entropy`` is that of the distribution that
    predicts the word, and ``entred`` what the word before took from it, at least 0.
    """

    columns = ("word", "known", "log_prob", "entropy")
    leaves_out = ("the rows of sentence ends, the spelling of unknown words, ranks and frequencies; "
                  "its entred is that of the word before")

    def __init__(self, vocabulary, path):
        super().__init__(vocabulary, path)
        self.place = Place()
        self.entropy_before = 0.0

    def head(self):
        return "word sentid sentpos wlen surp entropy entred\n"

    def row(self, word, known, log_prob, entropy):
        sentence, position = self.place.sentence, self.place.word
        self.place.pass_word(word)
        if word == EOS:
            return ""
        surprisal, entropy = (float(np.float32(value / LN2)) for value in (-log_prob, entropy))
        reduction = max(0, self.entropy_before - entropy) if position else 0
        self.entropy_before = entropy
        token = word if known else UNK
        return f"{token} {sentence} {position} {len(token)} {surprisal + 0.0} {entropy + 0.0} {reduction}\n"
