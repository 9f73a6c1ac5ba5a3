"""What the rescoring command says of lists and references, on standard error."""

from rnnlm.cli.screen import note
from rnnlm.errors import counted


class Counts:
    """What went through: lists, hypotheses, words.

    A hypothesis is repeated if its list has the same words before it.
    """

    def __init__(self, vocabulary, form):
        self.vocabulary, self.form = vocabulary, form
        self.lists = self.hypotheses = self.empty = self.repeated = self.words = self.unknown = self.first_known = 0

    def counting(self, lists):
        """Yield the lists, each a Rescored, and count."""
        for found in lists:
            texts = [hypothesis.text for hypothesis in found.source.hypotheses]
            self.lists += 1
            self.hypotheses += len(texts)
            self.empty += texts.count("")
            self.repeated += len(texts) - len(set(texts))
            self.words += int(found.scores.words.sum())
            self.unknown += int(found.scores.unknown.sum())
            self.first_known += sum(text.partition(" ")[0] in self.vocabulary.ids for text in texts)
            yield found

    def note(self):
        """Note all of them, and what looks like another form of lists."""
        fate = "scored as <unk>"
        if self.vocabulary.unk_id is None:
            fate = "left out, which favours hypotheses that have them"
        unknown = f"{self.unknown:,} of them unknown" + (f" ({fate})" if self.unknown else "")
        note(f"note: {counted(self.lists, 'list')}, {counted(self.hypotheses, 'hypothesis', 'hypotheses')} "
             f"({self.empty:,} empty, {self.repeated:,} repeated), {counted(self.words, 'word')}, {unknown}")
        if self.lists == self.hypotheses:
            note("note: no list has more than one hypothesis, so there is nothing to choose: is --nbest-format "
                 f"{self.form} right?")
        if self.form == "plain" and self.vocabulary.tokenizer.whole_words and not self.first_known:
            note("note: the first word of every line is unknown to the model: is it an id? then give --nbest-format "
                 "classic or kaldi")


def note_sign(lowest, highest, factor):
    """Note scores that all have the sign that their kind cannot have."""
    if factor > 0 and lowest > 0:
        note("note: all scores of the first pass are above 0, and the larger ones are taken for the better: are they "
             "costs? then give --first-pass-sign cost")
    if factor < 0 and highest < 0:
        note("note: all scores of the first pass are below 0, and the smaller ones are taken for the better: are they "
             "log-probabilities? then give --first-pass-sign log-prob")


def note_references(found, references):
    """Note what became of lists and references that do not match."""
    for count, one, more, fate in (
            (found.without_reference, "list without a reference", "lists without a reference", "left out"),
            (found.without_list, "reference without a list", "references without a list", "all words are errors"),
            (found.empty_references, "empty reference", "empty references", "all words of a hypothesis are errors"),
            (references.repeated, "repeated reference", "repeated references", "read once")):
        if count:
            note(f"note: {counted(count, one, more)}: {fate}")


def note_surface(found):
    """Note a best value at the end of what was tried."""
    flags = {"scale": "--scales", "word penalty": "--penalties"}
    for name in found.at_edge():
        note(f"note: the best {name} is the last one that was tried: give a wider range with {flags[name]}")
