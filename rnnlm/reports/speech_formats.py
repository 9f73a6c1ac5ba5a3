"""What programs with recurrent models for speech recognition print for a text.

The classic RNNLM toolkit is that of Mikolov (2010); Kaldi's is the script
compute_sentence_scores.py (Li et al., 2021).
"""

from __future__ import annotations

import math

from rnnlm.errors import one_line
from rnnlm.reports.tool_format import MODEL, TEXT, ToolFormat, power, require_words
from rnnlm.scoring.nbest_rows import kaldi_cost
from rnnlm.text.vocabulary import EOS


class Classic(ToolFormat):
    """The classic toolkit's -test -debug 2: index, probability and word; totals.

    Index 0 is the sentence end.  A word outside the vocabulary is OOV and in no total,
    whether there is <unk> or not.
    """

    log_base = "10"
    columns_needed = ("word", "known", "log_prob")
    leaves_out = "spelling and probability of unknown words, entropies, ranks and frequencies"

    def __init__(self, head, columns, vocabulary=None):
        require_words(vocabulary, "classic")
        super().__init__(head, columns, vocabulary)
        self.log_prob, self.words = 0.0, 0

    def begin(self) -> str:
        names = (one_line(self.head.get(name, "-")) for name in (TEXT, MODEL))
        return ("debug mode: 2\ntest file: {}\nrnnlm file: {}\n".format(*names) +
                "Index   P(NET)          Word\n" + "-" * 34 + "\n")

    def row(self, word, known, log_prob) -> str:
        if not known:
            return "-1\t0\t\tOOV\n"
        self.log_prob += log_prob
        self.words += 1
        number, eos_id = self.vocabulary.ids[word], self.vocabulary.eos_id
        index = 0 if word == EOS else number + (number < eos_id)
        return f"{index}\t{10.0**log_prob:.10f}\t{'</s>' if word == EOS else word}\n"

    def end(self) -> str:
        perplexity = power(10.0, -self.log_prob / self.words) if self.words else math.nan
        return f"\ntest log probability: {self.log_prob:.6f}\n\nPPL net: {perplexity:.6f}\n"


class Kaldi(ToolFormat):
    """compute_sentence_scores.py: a line of -ln p for the words of each and its end.

    Its key is the line's number and the 1 of a first hypothesis.
    """

    log_base = "e"
    columns_needed = ("sentence", "position", "word", "surprisal")
    leaves_out = "words, entropies, ranks and frequencies"

    def row(self, sentence, position, word, surprisal) -> str:
        key = f"{sentence}-1 " if position == 1 else ""
        return key + kaldi_cost(surprisal) + ("\n" if word == EOS else "")
