"""What the programs of n-gram models print for a text: SRILM's ngram, KenLM's query.

Both keep log10 p in float32, as their last digits show.  Layout and arithmetic are
those of SRILM 1.7 (Stolcke, 2002) and KenLM (Heafield, 2011) as of 2026.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rnnlm.errors import one_line
from rnnlm.reports.tool_format import TEXT, ToolFormat, power, require_words
from rnnlm.text.vocabulary import EOS, UNK

START, END = "<s>", "</s>"
NO_UNK = -100.0  # KenLM's log10 p of an unknown word where the model has no <unk>


@dataclass
class _Totals:
    """SRILM's counts of a sentence or a text; log_prob in base 10."""

    sentences: int = 0
    words: int = 0
    oov: int = 0
    log_prob: float = 0.0

    def add(self, other):
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def lines(self):
        """Two lines; one where there is neither word nor sentence."""
        counts = f"{self.sentences} sentences, {self.words} words, {self.oov} OOVs\n"
        if not self.sentences + self.words:
            return counts
        scored = self.words - self.oov
        return (f"{counts}0 zeroprobs, logprob= {self.log_prob:.7g} "
                f"ppl= {self._perplexity(scored + self.sentences)} ppl1= {self._perplexity(scored)}\n")

    def _perplexity(self, tokens):
        return f"{power(10.0, -self.log_prob / tokens):.7g}" if tokens > 0 else "undefined"


class Srilm(ToolFormat):
    """ngram -unk -ppl -debug 2: the words of each sentence, its totals, the text's.

    A word that has no probability is an OOV and not in logprob, as in a closed
    vocabulary; in an open one it is <unk>, a word like any other.  No word has the
    probability 0, a zeroprob.  An empty line is passed over.
    """

    log_base = "10"
    protocol = "sentence"
    leaves_out = "the scores of empty lines, entropies, ranks and frequencies"

    def __init__(self, head, columns, vocabulary=None):
        super().__init__(head, columns, vocabulary)
        self.text = _Totals()
        self._begin_sentence()

    def _begin_sentence(self):
        self.words, self.lines, self.before = [], [], START
        self.totals = _Totals()

    def row(self, position, word, known, log_prob) -> str:
        if word == EOS and position == 1:
            return ""
        token = END if word == EOS else word if known else UNK
        self.lines.append(self._line(token, position, float(np.float32(log_prob))))
        self.before = token
        if word == EOS:
            return self._sentence()
        self.words.append(word)
        return ""

    def _line(self, token, position, log_prob):
        """The line of a word, which is counted."""
        context = f"{self.before} {'...' if position > 1 else ''}"
        if math.isnan(log_prob):
            self.totals.oov += 1
            score = "[OOV] 0 [ -inf ]"
        else:
            self.totals.log_prob += log_prob
            score = f"[{position + 1}gram] {10.0**log_prob:.7g} [ {log_prob:.7g} ]"
        return f"\tp( {token} | {context}) \t= {score}\n"

    def _sentence(self):
        self.totals.sentences, self.totals.words = 1, len(self.words)
        self.text.add(self.totals)
        text = f"{' '.join(self.words)}\n{''.join(self.lines)}{self.totals.lines()}\n"
        self._begin_sentence()
        return text

    def end(self) -> str:
        return f"file {one_line(self.head.get(TEXT, '-'))}: {self.text.lines()}"


class Kenlm(ToolFormat):
    """query: word=id, length of the n-gram and log10 p of each word; totals.

    Id 0 is an unknown word, as <unk> in the text is; any other has the model's id + 1.
    """

    log_base = "10"
    protocol = "sentence"
    leaves_out = "entropies, ranks and frequencies"

    def __init__(self, head, columns, vocabulary=None):
        require_words(vocabulary, "kenlm")
        super().__init__(head, columns, vocabulary)
        self.tokens = self.oov = 0
        self.log_prob = self.log_prob_oov = 0.0
        self._begin_sentence()

    def _begin_sentence(self):
        self.oov_here, self.log_prob_here = 0, np.float32(0)

    def row(self, position, word, known, log_prob) -> str:
        log_prob = np.float32(NO_UNK if math.isnan(log_prob) else log_prob)
        unknown = not known or word == UNK
        self.tokens += 1
        self.log_prob_here += log_prob
        if unknown:
            self.oov_here += 1
            self.log_prob_oov += float(log_prob)
        number = 0 if unknown else self.vocabulary.ids[word] + 1
        text = f"{END if word == EOS else word}={number} {position + 1} {shortest(log_prob)}\t"
        return text + self._sentence() if word == EOS else text

    def _sentence(self):
        text = f"Total: {shortest(self.log_prob_here)} OOV: {self.oov_here}\n"
        self.log_prob += float(self.log_prob_here)
        self.oov += self.oov_here
        self._begin_sentence()
        return text

    def end(self) -> str:
        without = self._perplexity(self.log_prob - self.log_prob_oov, self.tokens - self.oov)
        return (f"Perplexity including OOVs:\t{self._perplexity(self.log_prob, self.tokens)}\n"
                f"Perplexity excluding OOVs:\t{without}\nOOVs:\t{self.oov}\nTokens:\t{self.tokens}\n")

    def _perplexity(self, log_prob, tokens):
        return shortest(np.float64(power(10.0, -log_prob / tokens) if tokens else math.nan))


def shortest(value: np.floating) -> str:
    """A number as KenLM writes it: the fewest digits that tell it from its neighbours.

    There is an exponent below 1e-6 and from 1e21 on, without a plus sign.
    """
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else "inf"
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        return np.format_float_positional(value, trim="-")
    return np.format_float_scientific(value, trim="-", exp_digits=1).replace("e+", "e")
