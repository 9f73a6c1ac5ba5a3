"""What the values of options must be.

A check is a function from a text, of the command line or of a TOML file, to the value.
It raises WrongValue with a message that follows the option's name: "must be ...".
"""

import math
import os
from itertools import pairwise

import numpy as np

from rnnlm.errors import RnnlmError, did_you_mean, shown
from rnnlm.models.start import LARGEST as LARGEST_GAIN
from rnnlm.models.start import SMALLEST as SMALLEST_GAIN
from rnnlm.text.split import USUAL_SHARES, shares_of

LARGEST = 10**14  # of a whole number: far beyond what can be counted, and no more than the library takes
LARGEST_SIZE = 10**6  # the square of which is still a number of bytes that a system can refuse
LARGEST_SEED = 2**128 - 1
MOST_THREADS = 1024
SMALLEST_RATIO = 1e-5  # a mask is drawn from 16 random bits a value: less than half of 1 / 65536 would be 0


class WrongValue(RnnlmError):
    """A value that an option does not take; its message follows the option's name."""


class RefusedInNewRuns(WrongValue):
    """``value`` is possible, but a slip or without effect.

    Earlier versions took it, and a run that began with it can still be resumed.
    """

    def __init__(self, message, value):
        super().__init__(message)
        self.value = value


def number(kind, rule, holds):
    """A check: a finite int or float (``kind``) for which ``holds`` is true.

    ``rule`` says it in words.  It must hold for a float in 32 bits, too, as that is
    what the models compute with.
    """

    def check(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or value in (math.inf, -math.inf) or not holds(value):
            raise WrongValue(f"must be {rule}, got {shown(repr(text))}")
        if kind is float:
            _require_in_32_bits(text, value, rule, holds)
        return value

    return check


def _require_in_32_bits(text, value, rule, holds):
    with np.errstate(all="ignore"):
        rounded = float(np.float32(value))
    if math.isinf(rounded) or (rounded == 0) != (value == 0) or not holds(rounded):
        raise RefusedInNewRuns(f"must be {rule}, got {shown(repr(text))}, which is {rounded:g} in 32-bit numbers",
                               value)


def at_least(smallest, largest=LARGEST):
    """A whole number from ``smallest`` on; one beyond ``largest`` is a slip."""
    whole = number(int, f"a whole number of at least {smallest}", lambda value: value >= smallest)

    def check(text):
        value = whole(text)
        if value > largest:
            raise WrongValue(f"must be at most {largest:,}, got {shown(repr(text))}")
        return value

    return check


def between(smallest, largest):
    """A whole number from ``smallest`` to ``largest``."""
    return number(int, f"a whole number from {smallest} to {largest}", lambda value: smallest <= value <= largest)


def number_from(smallest):
    """A number of at least ``smallest``."""
    return number(float, f"a number of at least {smallest:g}", lambda value: value >= smallest)


class OneOf:
    """A check: one of these ``choices``, a tuple of names."""

    def __init__(self, choices):
        self.choices = tuple(choices)

    def __call__(self, text):
        if text not in self.choices:
            raise WrongValue(f"must be one of {', '.join(self.choices)}, got {shown(repr(text))}"
                             f"{did_you_mean(text, self.choices)}")
        return text


class WholeNumbers:
    """A check: whole numbers of at least ``smallest`` in rising order, with commas.

    The value is a list, which files may hold as one.
    """

    def __init__(self, smallest):
        self.smallest = smallest

    def __call__(self, text):
        one = at_least(self.smallest)
        try:
            values = [one(part.strip()) for part in text.split(",")]
        except WrongValue:
            values = []
        if not values or any(a >= b for a, b in pairwise(values)):
            raise WrongValue(f"must be whole numbers of at least {self.smallest} with commas between them, each larger "
                             f"than the one before, got {shown(repr(text))}")
        return values


def thresholds(text):
    """Whole numbers with commas or blanks between them, 0 first, that never fall."""
    one = at_least(0)
    try:
        values = [one(part) for part in text.replace(",", " ").split()]
    except WrongValue:
        values = []
    if not values or values[0] or values != sorted(values):
        raise WrongValue("must be whole numbers with commas between them, 0 first, none smaller than the one before, "
                         f"as in 0,0,1, got {shown(repr(text))}")
    return values


def any_text(text):
    """Any text, an empty one, too."""
    return text


def not_empty(text):
    """A name of a file: an empty one would mean the current folder; none has a NUL."""
    if not text:
        raise WrongValue("must not be empty")
    if "\0" in text:
        raise WrongValue(f"must not hold the character NUL, got {shown(repr(text))}")
    return text


def shares(text):
    """Shares of three texts, as 90/5/5."""
    try:
        shares_of(text)
    except ValueError:
        raise WrongValue(f"must be three numbers above 0, as in {USUAL_SHARES}, got {shown(repr(text))}") from None
    return text


class Names:
    """A check: names with commas between them; the value is a list, as in files."""

    def __call__(self, text):
        found = [name.strip() for name in not_empty(text).split(",")]
        if not all(found):
            raise WrongValue(f"must be names with commas between them, got {shown(repr(text))}")
        return found


def file_path(text):
    """A path of a file, which becomes absolute: a run may be resumed from elsewhere."""
    return os.path.abspath(not_empty(text))


positive = number(float, "a number above 0", lambda value: value > 0)
not_negative = number_from(0)
above_one = number(float, "a number above 1", lambda value: value > 1)
below_one = number(float, "a number of at least 0 and below 1", lambda value: 0 <= value < 1)
from_zero_to_one = number(float, "a number from 0 to 1", lambda value: 0 <= value <= 1)
up_to_one = number(float, "a number above 0 and at most 1", lambda value: 0 < value <= 1)
seed = at_least(0, LARGEST_SEED)
threads = at_least(1, MOST_THREADS)


def size(text):
    """A size of arrays."""
    value = number(int, "a whole number of at least 1", lambda value: value >= 1)(text)
    if value > LARGEST_SIZE:
        raise RefusedInNewRuns(f"must be at most {LARGEST_SIZE:,}, got {shown(repr(text))}", value)
    return value


def gain(text):
    """A factor on initial weights."""
    value = positive(text)
    if not SMALLEST_GAIN <= value <= LARGEST_GAIN:
        raise RefusedInNewRuns(f"must be a number from {SMALLEST_GAIN:g} to {LARGEST_GAIN:g}, got {shown(repr(text))}",
                               value)
    return value


def ratio(text):
    """The share of a dropout: 0, or enough to leave anything out."""
    value = below_one(text)
    if 0 < value < SMALLEST_RATIO:
        raise RefusedInNewRuns(f"must be 0 or at least {SMALLEST_RATIO:g}, because less drops nothing, got "
                               f"{shown(repr(text))}", value)
    return value
