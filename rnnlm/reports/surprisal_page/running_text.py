"""The text of the page: a paragraph a sentence, an element a word, in parts.

All of it is in the page from the start, so a browser's search finds every word, and it
can be read without the script.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.reports.surprisal_page.markup import escaped
from rnnlm.reports.surprisal_page.reading import are_line_ends, ends_of_sentences

if TYPE_CHECKING:
    from collections.abc import Iterator

PART = 300  # rows: browsers skip parts that are not seen, but lay out whole ones
LINE_END = "↵"


def running_text(rows: np.ndarray, letters: list[str], unknown: np.ndarray) -> Iterator[str]:
    """Yield the HTML of the text.

    Parameters
    ----------
    rows : see Reading.
    letters : the tint of each row.
    unknown : (n,), which rows are marked as unknown words.
    """
    elements = _elements(rows, letters, unknown)
    opened = -1  # the row with which the part began
    for start, end in pairwise([0, *ends_of_sentences(rows).tolist()]):
        number = int(rows["sentence"][start])
        for first in range(start, end, PART):
            if opened < 0 or min(first + PART, end) - opened > PART:
                yield "<div>\n" if opened < 0 else "</div><div>\n"
                opened = first
            words = "".join(elements[first : min(first + PART, end)]).removeprefix(" ")
            name = f"id=s{number} data-number={number}" if first == start else "class=more"
            yield f"<p {name} data-row={first} dir=auto>{words}</p>\n"
    yield "</div>\n"


def _elements(rows, letters, unknown):
    """The HTML of each row with a blank before it, a list; equal ones are made once."""
    words, made = rows["word"].tolist(), {}
    kinds = np.where(are_line_ends(rows), "end", np.where(unknown, "unknown", "")).tolist()
    found = []
    for key in zip(words, letters, kinds, strict=True):
        if key not in made:
            made[key] = _element(*key)
        found.append(made[key])
    return found


def _element(word, letter, kind):
    if kind == "end":  # which no line begins with
        return f'&nbsp;<span class="{letter} end">{LINE_END}</span>'
    names = f'"{letter} {kind}"' if kind else letter
    return f" <span class={names}>{escaped(word)}</span>"
