"""What the programs of n-gram models print for a text: SRILM's ngram, KenLM's query.

Both count in base 10 and in float32, which the last digits show.  Layout and arithmetic
are those of SRILM 1.7 and of KenLM in 2026.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rnnlm.errors import one_line
from rnnlm.reports.score_format_base import LN10, ScoreFormat
from rnnlm.text.vocabulary import EOS, UNK

START, END = "<s>", "</s>"


@dataclass
class _Totals:
    """SRILM's counts of a sentence or a text; ``log_prob`` in base 10."""

    sentences: int = 0
    words: int = 0
    oov: int = 0
    zeros: int = 0
    log_prob: float = 0.0

    def add(self, other):
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def lines(self):
        """Two lines; one for a text without words or sentences."""
        counts = f"{self.sentences} sentences, {self.words} words, {self.oov} OOVs\n"
        if not self.sentences + self.words:
            return counts
        words = self.words - self.oov - self.zeros
        return (f"{counts}{self.zeros} zeroprobs, logprob= {self.log_prob:.7g} "
                f"ppl= {self._perplexity(words + self.sentences)} ppl1= {self._perplexity(words)}\n")

    def _perplexity(self, tokens):
        return f"{_power_of_10(-self.log_prob / tokens):.7g}" if tokens > 0 else "undefined"


def _power_of_10(exponent):
    return 10.0**exponent if exponent < 308 else math.inf


class Srilm(ScoreFormat):
    """ngram -unk -ppl -debug 2: the words of every sentence, its totals, the text's.

    A word that the model has no probability for is an OOV and left out of logprob, as
    in a closed vocabulary; <unk> of an open one counts as any word.  A word of
    probability 0 is a zeroprob.  An empty line is passed over.
    """

    leaves_out = "the scores of empty lines, entropies, ranks and frequencies"

    def __init__(self, vocabulary, path):
        super().__init__(vocabulary, path)
        self.text = _Totals()
        self._begin_sentence()

    def _begin_sentence(self):
        self.words, self.lines, self.before = [], [], START
        self.sentence = _Totals()

    def row(self, word, known, log_prob):
        if word == EOS and not self.words:
            self._begin_sentence()
            return ""
        log_prob = float(np.float32(log_prob / LN10)) + 0.0
        self._count(known, log_prob)
        token = END if word == EOS else word if known else UNK
        tag = "OOV" if math.isnan(log_prob) else f"{len(self.words) + 2}gram"
        score = f"{10.0**log_prob:.7g} [ {log_prob:.7g} ]" if log_prob > -math.inf else "0 [ -inf ]"
        self.lines.append(f"\tp( {token} | {self.before} {'...' if self.words else ''}) \t= [{tag}] {score}\n")
        self.before = token
        return self._end_sentence() if word == EOS else self.words.append(word) or ""

    def _count(self, known, log_prob):
        self.sentence.oov += math.isnan(log_prob)
        self.sentence.zeros += log_prob == -math.inf
        self.sentence.log_prob += log_prob if log_prob > -math.inf else 0.0

    def _end_sentence(self):
        self.sentence.sentences, self.sentence.words = 1, len(self.words)
        self.text.add(self.sentence)
        block = f"{' '.join(self.words)}\n{''.join(self.lines)}{self.sentence.lines()}\n"
        self._begin_sentence()
        return block

    def tail(self):
        return f"file {one_line(self.path)}: {self.text.lines()}"


class Kenlm(ScoreFormat):
    """query: word=id, length of the n-gram and log10 p of every word; totals.

    Id 0 is an unknown word, which <unk> in the text is, too; the others have the
    model's id and 1 more.  Without <unk> in the vocabulary an unknown word has -100.
    """

    leaves_out = "entropies, ranks and frequencies"

    def __init__(self, vocabulary, path):
        super().__init__(vocabulary, path)
        self.tokens = self.oov = self.oov_here = self.length = 0
        self.total = self.total_oov = 0.0
        self.total_here = np.float32(0)

    def row(self, word, known, log_prob):
        log_prob = np.float32(-100.0 if math.isnan(log_prob) else log_prob / LN10) + np.float32(0)
        unknown = not known or word == UNK
        self.length += 1
        self._count(unknown, log_prob)
        number = 0 if unknown else self.vocabulary.ids[word] + 1
        text = f"{END if word == EOS else word}={number} {self.length + 1} {shortest(log_prob)}\t"
        return text + self._end_sentence() if word == EOS else text

    def _count(self, unknown, log_prob):
        self.tokens += 1
        self.total_here += log_prob
        if unknown:
            self.oov_here += 1
            self.total_oov += float(log_prob)

    def _end_sentence(self):
        line = f"Total: {shortest(self.total_here)} OOV: {self.oov_here}\n"
        self.total += float(self.total_here)
        self.oov += self.oov_here
        self.total_here, self.oov_here, self.length = np.float32(0), 0, 0
        return line

    def tail(self):
        without = self._perplexity(self.total - self.total_oov, self.tokens - self.oov)
        return (f"Perplexity including OOVs:\t{self._perplexity(self.total, self.tokens)}\n"
                f"Perplexity excluding OOVs:\t{without}\n"
                f"OOVs:\t{self.oov}\nTokens:\t{self.tokens}\n")

    def _perplexity(self, total, tokens):
        return shortest(np.float64(_power_of_10(-total / tokens) if tokens else math.nan))


def shortest(value: np.floating) -> str:
    """The fewest digits that give the number back, as KenLM writes numbers.

    With an exponent below 1e-6 and from 1e21 on, without a plus sign.
    """
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else "inf" if value > 0 else "-inf"
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        return np.format_float_positional(value, trim="-")
    return np.format_float_scientific(value, trim="-", exp_digits=1).replace("e+", "e")
