"""What is noted at the end of a table of scores, on standard error."""

import math

import numpy as np

from rnnlm.cli.screen import first_few, note
from rnnlm.errors import counted
from rnnlm.scoring.rows import BASES
from rnnlm.text.choose_tokenizer import chosen
from rnnlm.text.vocabulary import UNKNOWN

FEW = 11  # words that are remembered; a note has ten, and says whether there are more
BASE_NAMES = {"2": "bits", "e": "nats", "10": "base 10"}


class UnknownWords:
    """The words of texts that a vocabulary lacks, counted as the texts are read."""

    def __init__(self, vocabulary):
        self.unit, self.has_unk = vocabulary.tokenizer.unit, vocabulary.unk_id is not None
        done = chosen(vocabulary.tokenizer)
        self.left = [what for what, option in (("case", "lowercase"), ("punctuation", "split_punctuation"))
                     if not done[option]]  # what the tokenizer takes as it is written
        self.count, self.words, self.first = 0, 0, {}  # a dict keeps the order

    def counting(self, parts):
        """Yield the parts of a text, whose words are counted."""
        for part in parts:
            unknown = np.flatnonzero(part.ids == UNKNOWN)
            self.words += len(part.ids) - len(part.line_ends)
            self.count += len(unknown)
            if len(self.first) < FEW:
                self._remember(part.pieces[i] for i in unknown)
            yield part

    def _remember(self, words):
        for word in words:
            self.first.setdefault(word)
            if len(self.first) == FEW:
                return

    def note(self):
        """Say how many there are and what happens to them, if there are any."""
        if not self.count:
            return
        are, have = ("is", "has") if self.count == 1 else ("are", "have")
        fate = f"{are} scored as <unk>" if self.has_unk else f"{have} no probability"
        write = f"write the text as the training text was ({', '.join(self.left)}), or " if self.left else ""
        note(f"note: {self.count:,} of {counted(self.words, self.unit)} {are} not in the vocabulary and {fate}: "
             f"{first_few([*self.first])}; {write}leave {'it' if self.count == 1 else 'them'} out of an analysis")


def note_excess(excess, base):
    """Say how far the model is from the truth, in logarithms of this base, a name."""
    if not excess.compared:
        note("mean excess surprisal: not known, as no word has both surprisals")
        return
    per_word = excess.compared * math.log(BASES[base])
    note(f"mean excess surprisal {excess.mean(BASES[base]):.6f} ({BASE_NAMES[base]}) over "
         f"{counted(excess.compared, 'word and line end', 'words and line ends')}: model "
         f"{excess.model / per_word:.6f}, truth {excess.truth / per_word:.6f}")
