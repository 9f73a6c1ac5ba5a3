"""Limits: where a written text ends, and what ends one that never would."""

from dataclasses import dataclass
from functools import cached_property

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError, RnnlmError, counted
from rnnlm.text.tokenizer import WORDS, Tokenizer

BLANK_LINES = 1000  # in a row: more are no text


class EndlessError(RnnlmError):
    """A text that shows no sign of an end; what was written of it can be shown."""


@dataclass(frozen=True)
class Limits:
    """Where a text ends.

    Parameters
    ----------
    eos_id : the id of the line end.
    tokenizer : the Tokenizer, whose usual lengths count.
    length : how many words (or characters) to write; None: 100 words or 500 characters,
        then to the end of the line, but at most twice as many.
    sentences : in place of a length: write up to this line end.
    min_length : words (or characters) that a line has at least; None: it may be empty.
    max_length : words that a line has at most: then its end is written; None: no limit.

    Raises
    ------
    ArgumentError : a value that cannot be, or two that exclude each other.
    """

    eos_id: int
    tokenizer: Tokenizer = WORDS
    length: int | None = None
    sentences: int | None = None
    min_length: int | None = None
    max_length: int | None = None

    def __post_init__(self):
        for name in ("length", "sentences", "min_length", "max_length"):
            if getattr(self, name) is not None:
                arguments.whole(name, getattr(self, name))
        if self.length is not None and self.sentences is not None:
            raise ArgumentError(f"length and sentences exclude each other, got {self.length} and {self.sentences}: "
                                "give one of them")
        for name in ("max_length", "length"):
            most = getattr(self, name)
            if None not in (self.min_length, most) and self.min_length > most:
                raise ArgumentError(f"min_length must be at most {name}, {most}, got {self.min_length}")

    @cached_property
    def enough(self):
        """The words after which a line end is the end of the text."""
        return self.length or self.tokenizer.enough

    @cached_property
    def most(self):
        """The words that are never exceeded where sentences are not counted."""
        return self.length or 2 * max(self.enough, self.min_length or 0)

    @cached_property
    def longest_line(self):
        """The words of a line after which its end is no longer waited for."""
        return max(self.tokenizer.longest_line, 2 * (self.min_length or 0))


class Progress:
    """How far one text has come.

    Parameters
    ----------
    limits : its Limits.
    before : how many words of the prompt the line has in which writing begins.
    """

    __slots__ = ("before", "blank", "limits", "line", "lines", "words")

    def __init__(self, limits, before=0):
        self.limits, self.before = limits, before
        self.words = self.lines = self.blank = self.line = 0  # blank: line ends in a row; line: words since the last

    def add(self, i):
        """Count a written id: whether the text is complete.

        EndlessError for more line ends in a row, or a longer line, than a text has.
        """
        limits = self.limits
        at_end = i == limits.eos_id
        if at_end:
            self.lines, self.blank, self.line, self.before = self.lines + 1, self.blank + 1, 0, 0
        else:
            self.words, self.blank, self.line = self.words + 1, 0, self.line + 1
        if limits.sentences is not None:
            done = self.lines == limits.sentences
        else:
            done = self.words == limits.most or (self.words >= limits.enough and at_end)
        if not done:
            self._require_a_text()
        return done

    def _require_a_text(self):
        if self.blank > BLANK_LINES:  # with a low temperature a poor model may never come to another word
            raise EndlessError(f"the model wrote {BLANK_LINES} line ends in a row: try a higher --temperature or "
                               "--top-k")
        if self.limits.sentences is not None and self.line > self.limits.longest_line:  # nor to a line end
            raise endless_line(self.limits)

    @property
    def may_end_line(self):
        """Whether the line has as many words as it must have."""
        return self.line + self.before >= (self.limits.min_length or 0)

    @property
    def must_end_line(self):
        """Whether the line has as many words as it may have."""
        return self.limits.max_length is not None and self.line + self.before >= self.limits.max_length


def endless_line(limits, instead="--length instead of --sentences, or try a higher --temperature or --top-k"):
    """The EndlessError of a line without an end; ``instead``: what to give."""
    most = counted(limits.longest_line, limits.tokenizer.unit)
    return EndlessError(f"the model wrote more than {most} without a line end: give {instead}")
