"""The tables of tools for people who study reading: a row a word, surprisal in bits.

Names, order and digits are those of the tools' own code, read in November 2026:
ModelBlocks, LM Zoo (Gauthier et al., 2020), neural-complexity (van Schijndel and
Linzen, 2018).
"""

from __future__ import annotations

import math

import numpy as np

from rnnlm.reports.score_tables import NA
from rnnlm.reports.tool_format import Sentences, ToolFormat
from rnnlm.text.vocabulary import UNK


class ItemMeasures(ToolFormat):
    """ModelBlocks' itemmeasures, which REPLICA reads, too; blanks between the columns.

    Sentences count from 0 and words from 1.  Sentence ends have no row.
    """

    log_base = "2"
    columns_needed = ("position", "word", "known", "surprisal", "entropy", "entropy_reduction", "rank", "frequency")
    leaves_out = "sentence ends, and the numbers of empty lines"

    def __init__(self, head, columns, vocabulary=None):
        super().__init__(head, columns, vocabulary)
        self.sentences = Sentences()

    def begin(self) -> str:
        return "word sentid sentpos oov totsurp entropy entred rank freq\n"

    def row(self, position, word, known, surprisal, entropy, reduction, rank, frequency) -> str:
        sentence = self.sentences.ended
        if self.sentences.end(position, word):
            return ""
        bits = " ".join(f"{value:.6f}" if math.isfinite(value) else NA for value in (surprisal, entropy, reduction))
        counts = " ".join(NA if value < 0 else str(value) for value in (rank, frequency))
        return f"{word} {sentence} {position} {0 if known else 1} {bits} {counts}\n"


class LmZoo(ToolFormat):
    """LM Zoo's get-surprisals: tabs and 6 decimals; the sentence end is a token.

    Sentences, empty lines among them, and tokens count from 1.
    """

    log_base = "2"
    protocol = "sentence"
    columns_needed = ("sentence", "position", "word", "known", "surprisal")
    leaves_out = "the spelling of unknown words, entropies, ranks and frequencies"

    def begin(self) -> str:
        return "sentence_id\ttoken_id\ttoken\tsurprisal\n"

    def row(self, sentence, position, word, known, surprisal) -> str:
        return f"{sentence}\t{position}\t{word if known else UNK}\t{surprisal:.6f}\n"


class NeuralComplexity(ToolFormat):
    """neural-complexity's --words --nopp: blanks, and numbers from 0; no sentence ends.

    Its numbers are float32 written in full.  ``entropy`` is that before the word, and
    ``entred`` what the word before it took from the entropy, at least 0.
    """

    log_base = "2"
    protocol = "sentence"
    columns_needed = ("position", "word", "known", "surprisal", "entropy")
    leaves_out = ("sentence ends, the numbers of empty lines, the spelling of unknown words, ranks and frequencies; "
                  "entred is the reduction by the word before")

    def __init__(self, head, columns, vocabulary=None):
        super().__init__(head, columns, vocabulary)
        self.sentences = Sentences()
        self.entropy_before = math.nan

    def begin(self) -> str:
        return "word sentid sentpos wlen surp entropy entred\n"

    def row(self, position, word, known, surprisal, entropy) -> str:
        sentence = self.sentences.ended
        if self.sentences.end(position, word):
            return ""
        surprisal, entropy = float(np.float32(surprisal)), float(np.float32(entropy))
        reduction = max(0, self.entropy_before - entropy) if position > 1 else 0
        self.entropy_before = entropy
        token = word if known else UNK
        return f"{token} {sentence} {position - 1} {len(token)} {surprisal} {entropy} {reduction}\n"
