"""A list of seeds: what ``--seeds 1-5`` or ``--seeds 1,2,7-9`` names."""

import re
from itertools import pairwise

from rnnlm.errors import shown
from rnnlm.runs.checks import WholeNumbers, WrongValue, seed

MOST = 100  # seeds: each is a whole run
_RANGE = re.compile(r"([^-]+)-([^-]+)")


class SeedList(WholeNumbers):
    """A check: seeds and ranges FROM-TO of them in rising order, with commas.

    The value is a list, which files may hold as one.
    """

    def __init__(self):
        super().__init__(0)

    def __call__(self, text):
        try:
            ends = [_ends(part.strip()) for part in text.split(",")]
        except WrongValue:
            ends = []
        bounds = [bound for first, last in ends for bound in ((first,) if first == last else (first, last))]
        if not ends or any(a >= b for a, b in pairwise(bounds)):
            raise WrongValue("must be seeds and ranges of seeds in rising order, such as 1-5 or 1,2,7-9, got "
                             f"{shown(repr(text))}")
        count = sum(last - first + 1 for first, last in ends)
        if count == 1:
            number = ends[0][0]
            several = f"for seeds 1 to {number} give 1-{number}, " if 1 < number <= MOST else ""
            raise WrongValue(f"must be at least two seeds, got {shown(repr(text))}: {several}for seed {number} alone "
                             f"give --seed {number}")
        if count > MOST:
            raise WrongValue(f"must be at most {MOST} seeds, got {count:,}")
        return [number for first, last in ends for number in range(first, last + 1)]


def _ends(part):
    """The first and the last seed of a part; the same if it is one seed."""
    match = _RANGE.fullmatch(part)
    first, last = (seed(end.strip()) for end in (match.groups() if match else (part, part)))
    if match and first >= last:
        raise WrongValue("must be a range FROM-TO in which FROM is below TO")
    return first, last


def in_ranges(seeds):
    """Seeds in rising order as a text that the check takes: 1-3,7."""
    ranges = []
    for number in seeds:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)
