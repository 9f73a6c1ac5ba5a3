"""The columns of a table of scores: which there are, and those of the words before.

Reading a word takes longer after a hard word: its difficulty spills over.  So a
regression of reading times on a word's surprisal, frequency and length also takes those
of the words before it.  The column ``surprisal_2`` is the surprisal two words before.
Words of the sentence count, and the start of a sentence has no word before it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import RnnlmError, did_you_mean, shown
from rnnlm.scoring.rows import MISSING, row_type
from rnnlm.scoring.score import OF_WORDS
from rnnlm.scoring.totals import total_type
from rnnlm.text.vocabulary import EOS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Columns = dict[str, np.ndarray]

SPILLED = ("surprisal", "frequency", "length")  # what a regression needs of a word before
TRUTH = ("true_surprisal", "true_entropy", "true_entropy_reduction", "excess")
_NUMBERED = re.compile(r"(.+)_(\d+)")


def columns_by_default(by: str = "word", top: int = 0, spill_over: int = 0, files: bool = False,
                       truth: bool = False, kept: bool = False, static: bool = False) -> list[str]:
    """The names of the columns that are there if none are chosen.

    Parameters
    ----------
    by : what a row is of: see ``score_rows``.
    top : how many of the most probable words there are.
    spill_over : how many words before have columns.
    files : whether several texts are in one table.
    truth : whether the true distribution is known.
    kept : whether the models are those that a run has kept.
    static : whether the model adapts, and can also be read without adaptation.
    """
    first = ["tokens"] * kept + ["file"] * files
    if by not in OF_WORDS:
        last = ["sha256"] * (kept and by == "text")
        return [*first, *(total_type("sentence" if by == "sentence" else "sentences").names), *last]
    before = [f"{name}_{k}" for k in range(1, spill_over + 1) for name in SPILLED]
    tops = row_type(top=top).names[len(row_type().names) :]
    of_words = row_type(static=static).names
    return [*first, *of_words, *(["length"] if before else []), *before, *tops, *(TRUTH if truth else ())]


def require_columns(names: Iterable[str], by: str = "word", top: int = 0, spill_over: int = 0,
                    truth: bool = False, kept: bool = False, static: bool = False) -> None:
    """RnnlmError unless there are columns of these names, each named once.

    by, top, spill_over, truth, kept, static: see ``columns_by_default``.
    """
    known = [*columns_by_default(by, top, spill_over, True, truth, kept, static), *["sha256"] * kept]
    if by in OF_WORDS:
        of_a_word = ["word", "known", *row_type(static=static).names[4:], "length"]
        known += ["length", *(f"{name}_{k}" for k in range(1, spill_over + 1) for name in of_a_word)]
    seen = set()
    for name in names:
        if name not in known:
            raise RnnlmError(f"there is no column {shown(repr(name))}{did_you_mean(name, known)}"
                             f"{_remedy(name, by)}; the columns are {', '.join(dict.fromkeys(known))}")
        if name in seen:
            raise RnnlmError(f"the column {name} must be named once, it is named twice")
        seen.add(name)


def _remedy(name, by):
    """What would make a column of a name there, where that is an option."""
    if by not in OF_WORDS:
        return ""
    if re.fullmatch(r"(top|p)\d+", name):
        return " (--top K makes those up to topK)"
    if _NUMBERED.fullmatch(name):
        return " (--spill-over K makes those of K words before)"
    return " (--truth makes it)" if name in TRUTH else ""


def before(name: str) -> tuple[str, int]:
    """("surprisal", 2) for surprisal_2; ("surprisal", 0) for surprisal."""
    match = _NUMBERED.fullmatch(name)
    return (match[1], int(match[2])) if match else (name, 0)


class WordsBefore:
    """Adds the length of words, and columns of the words before, block by block.

    Parameters
    ----------
    names : the names of the columns that are wanted; others are not added.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.wanted = [(name, *before(name)) for name in names if before(name)[1]]
        self.most = max((k for _, _, k in self.wanted), default=0)
        self.needs_length = any(before(name)[0] == "length" for name in names)
        self.last: Columns = {}  # the last values of each column

    def added(self, columns: Mapping[str, np.ndarray]) -> Columns:
        """New columns (n,) by name, from the columns of the next n rows of words."""
        new = {"length": _lengths(columns["word"])} if self.needs_length else {}
        columns = {**{name: columns[name] for _, name, _ in self.wanted if name != "length"}, **new,
                   "position": columns["position"]}
        for wanted, name, k in self.wanted:
            values = self._with_last(name, columns[name])
            there = columns["position"] > k
            new[wanted] = np.where(there, values[self.most - k : len(values) - k], _nothing(values.dtype))
        for name in {name for _, name, _ in self.wanted}:
            self.last[name] = self._with_last(name, columns[name])[-self.most :]
        return new

    def _with_last(self, name, values):
        """The values after those of the ``most`` rows before them."""
        values = values.astype(np.int64) if values.dtype.kind == "b" else values  # which may be missing
        return np.concatenate([self.last.get(name, np.full(self.most, _nothing(values.dtype), values.dtype)), values])


def _nothing(dtype):
    """What a column of this type has where there is no value."""
    return {"f": np.nan, "O": None}.get(dtype.kind, MISSING)


def _lengths(words):
    """How many characters each word has; a sentence end has no length."""
    return np.array([MISSING if word == EOS else len(word) for word in words.tolist()], np.int64)
