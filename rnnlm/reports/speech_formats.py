"""What programs of speech recognition print: the classic RNNLM toolkit, Kaldi's scripts."""

from __future__ import annotations

import math

from rnnlm.reports.score_format_base import LN10, ScoreFormat
from rnnlm.text.vocabulary import EOS


class Classic(ScoreFormat):
    """The classic toolkit's -test -debug 2 (Mikolov, 2010): index, probability, word.

    Words count from 0, the sentence end.  An unknown word is -1, 0 and OOV, and takes
    no part in the totals, whether the model has <unk> or not.
    """

    leaves_out = "the probability and spelling of unknown words, entropies, ranks and frequencies"

    def __init__(self, vocabulary, path):
        super().__init__(vocabulary, path)
        self.log_prob, self.words = 0.0, 0

    def head(self):
        return "Index   P(NET)          Word\n----------------------------------\n"

    def row(self, word, known, log_prob):
        if not known:
            return "-1\t0\t\tOOV\n"
        self.log_prob += log_prob / LN10
        self.words += 1
        number, eos = self.vocabulary.ids[word], self.vocabulary.eos_id
        index = 0 if number == eos else number + (number < eos)
        return f"{index}\t{math.exp(log_prob):.10f}\t{'</s>' if word == EOS else word}\n"

    def tail(self):
        perplexity = 10.0 ** (-self.log_prob / self.words) if self.words else math.nan
        return f"\ntest log probability: {self.log_prob:.6f}\n\nPPL net: {perplexity:.6f}\n"


class Kaldi(ScoreFormat):
    """Kaldi's compute_sentence_scores.py: -ln p of the words of a line and of its end.

    The key is the number of the line and, as for the first of a list, -1.
    """

    leaves_out = "the words, entropies, ranks and frequencies"

    def __init__(self, vocabulary, path):
        super().__init__(vocabulary, path)
        self.sentence, self.at_start = 1, True

    def row(self, word, known, log_prob):
        text = f"{self.sentence}-1 " if self.at_start else ""
        text += f"{-log_prob + 0.0:.4f} "
        self.at_start = word == EOS
        self.sentence += self.at_start
        return text + "\n" if self.at_start else text
