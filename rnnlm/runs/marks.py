"""Marks: after how many tokens of training a run keeps a model.

They are what ``--keep-every 1M`` and ``--keep-at 1M-10M:1M,20M`` ask for.  A token is a
target that the training has read: a word, or what the text is cut into, or a line end.
"""

import re
from bisect import bisect_right

from rnnlm.errors import RnnlmError, counted, shown, size_shown
from rnnlm.formats.kept_names import LARGEST_MARK
from rnnlm.runs.checks import WrongValue

MOST = 1000  # models that a run keeps
LONGEST_NUMBER = 30  # characters
MOST_NAMED = 5  # marks in a line
UNITS = {"": 1, "k": 10**3, "m": 10**6}
_NUMBER = re.compile(r"(\d+)(?:\.(\d+))?([kKmM]?)", re.ASCII)
_RANGE = re.compile(r"([^-:]+)-([^-:]+):([^-:]+)")


def mark(text):
    """A check: a number of tokens, such as 500k, 1.5M or 2000000."""
    match = _NUMBER.fullmatch(text) if len(text) <= LONGEST_NUMBER else None
    if match:
        whole, part, unit = match[1], match[2] or "", UNITS[match[3].lower()]
        value, rest = divmod(int(whole + part) * unit, 10 ** len(part))
        if value and not rest:
            if value > LARGEST_MARK:
                raise WrongValue(f"must be at most {LARGEST_MARK:,}, got {shown(repr(text))}")
            return value
    raise WrongValue(f"must be a number of tokens, such as 500k, 1.5M or 2000000, got {shown(repr(text))}")


def marks(text):
    """A check: marks and ranges of them, FROM-TO:STEP, with commas between them.

    The value is the text without blanks.
    """
    text = "".join(text.split())
    count = sum(map(len, _ranges(text)))
    if count > MOST:
        raise WrongValue(f"must be at most {MOST:,} numbers of tokens, got {count:,}")
    return text


def _ranges(text):
    """The ranges that a text names, a list of Python's."""
    return list(map(_range, text.split(",")))


def _range(text):
    match = _RANGE.fullmatch(text)
    if not match:
        return range(mark(text), mark(text) + 1)
    first, last, step = map(mark, match.groups())
    if first > last:
        raise WrongValue(f"must be numbers or ranges FROM-TO:STEP in which FROM is at most TO, got {shown(repr(text))}")
    return range(first, last + 1, step)


class Marks:
    """The marks of a run.

    Parameters
    ----------
    every : there is a mark at each multiple of this; None: there are no such marks.
    at : others, as ``marks`` returns them; None: none.
    """

    def __init__(self, every=None, at=None):
        self.every = range(every, LARGEST_MARK + 1, every) if every else range(0)
        self.at = _ranges(at) if at else []

    def last(self, before, tokens):
        """The last mark above ``before`` and up to ``tokens``; or None."""
        reached = [numbers[-1] for numbers in self._up_to(tokens) if numbers]
        return max((mark for mark in reached if mark > before), default=None)

    def up_to(self, tokens):
        """The set of the marks up to a number of tokens."""
        return set().union(*self._up_to(tokens))

    def _up_to(self, tokens):
        return [numbers[: bisect_right(numbers, tokens)] for numbers in (self.every, *self.at)]

    def count(self, tokens):
        """How many marks a run of so many tokens meets; RnnlmError if too many."""
        multiples, *others = map(len, self._up_to(tokens))
        if multiples + sum(others) > MOST:
            enough = -(-tokens // max(1, MOST - sum(others)))
            raise RnnlmError(f"--keep-every {self.every.step} would keep {counted(multiples, 'model')} in the "
                             f"{tokens:,} tokens of all epochs, and a run keeps at most {MOST:,}: give at least "
                             f"{enough}, or name fewer numbers with --keep-at")
        return len(self.up_to(tokens))

    def notes(self, tokens, size, folder):
        """Yield lines on what a run of so many tokens will keep, and will not.

        size: bytes of a model; folder: where they will be.
        """
        if count := self.count(tokens):
            yield f"up to {counted(count, 'model')} of {size_shown(size)} each will be kept in {folder}"
        if beyond := set().union(*self.at) - self.up_to(tokens):
            yield f"--keep-at: the run reads at most {tokens:,} tokens, so it does not reach {_some(beyond)}"

    def note_of_late(self, before, tokens):
        """A line on marks that a run had passed when they were asked for; or "".

        before: the Marks that it had; tokens: how many it has read.
        """
        had = (before.every, *before.at)
        late = {mark for mark in self.up_to(tokens) if not any(mark in numbers for numbers in had)}
        return f"the run has already read {tokens:,} tokens, so it cannot keep models at {_some(late)}" if late else ""


def _some(marks):
    """The first of some marks, for a line."""
    return ", ".join(f"{mark:,}" for mark in sorted(marks)[:MOST_NAMED]) + ", ..." * (len(marks) > MOST_NAMED)
