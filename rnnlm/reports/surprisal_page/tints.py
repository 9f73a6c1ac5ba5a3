"""The tints of words: 17 levels, from 0 to 16 bits or from -4 to 4 bits of difference.

The style mixes colours in OKLab, where equal steps look equal.  Lightness falls from
level to level, so the order can be seen without seeing colours.
"""

from __future__ import annotations

import numpy as np

LETTERS = "abcdefghijklmnopq"  # the levels' names in the page; a page has one for each word
NO_NUMBER = "z"
MIDDLE = len(LETTERS) // 2
DIFFERENCE_STEP = 0.5  # bits between two levels of a difference


def levels(bits: np.ndarray) -> np.ndarray:
    """The level of each surprisal, from 0; -1 for nan. Level k: k to k + 1 bits."""
    return _in_range(np.floor(bits))


def difference_levels(bits: np.ndarray) -> np.ndarray:
    """The level of each difference; -1 for nan. MIDDLE: up to a quarter of a bit."""
    return _in_range(np.round(bits / DIFFERENCE_STEP) + MIDDLE)


def _in_range(values):
    clipped = np.clip(values, 0, len(LETTERS) - 1)
    return np.where(np.isnan(clipped), -1, clipped).astype(int)


def letters(of_words: np.ndarray) -> list[str]:
    """The letters of an array of levels."""
    names = LETTERS + NO_NUMBER  # -1 is the last one
    return [names[level] for level in of_words.tolist()]


def labels(compared: bool) -> list[str]:
    """What the legend says at each level; every second difference is enough."""
    if not compared:
        return [*map(str, range(len(LETTERS) - 1)), f"{len(LETTERS) - 1}+"]
    values = [(level - MIDDLE) * DIFFERENCE_STEP for level in range(len(LETTERS))]
    return ["" if level % 2 else f"{value:+g}" if value else "0" for level, value in enumerate(values)]


def style() -> str:
    """The CSS that gives each level its share of the colour."""
    steps = len(LETTERS) - 1
    rising = [f".{letter}{{--part:{100 * level / steps:g}%}}" for level, letter in enumerate(LETTERS)]
    both = [f".compared .{letter}{{--part:{100 * abs(level - MIDDLE) / MIDDLE:g}%;"
            f"--far:var(--{'first' if level < MIDDLE else 'other'})}}" for level, letter in enumerate(LETTERS)]
    return "\n".join([*rising, *both, ""])
