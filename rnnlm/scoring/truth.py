"""A model beside the truth: the surprisals that the text's own source gives its words.

Where the distribution that a text was drawn from is known, no model can expect a lower
surprisal than its own.  The mean of the difference is the excess surprisal:

    excess = mean over the words of (model's surprisal - true surprisal)

Over a long text it approaches the mean Kullback-Leibler divergence of the model from
the truth.  A truth file is a table with tabs between the cells:

    # base: 2
    word    surprisal   entropy
    once    2.0         1.5

Lines that begin with # stand before the names of the columns.  ``word`` and
``surprisal`` (or ``log_prob``) are needed, ``entropy`` and ``entropy_reduction`` are
read if they are there, and all other columns are ignored.  NA: there is no value.  So
what ``rnnlm score`` prints of one model is a truth file for another one on the same
text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rnnlm.errors import RnnlmError, shown
from rnnlm.scoring.rows import BASES
from rnnlm.text.cells import NA, finite_number, in_a_cell
from rnnlm.text.lines import read_blocks
from rnnlm.text.sources import called

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

LONGEST_LINE = 1 << 26  # characters
HEADER_LINES = 1000     # before the names of the columns
ROUNDING = 1e-3         # nats by which a surprisal may be below 0


class TruthRow(NamedTuple):
    """A word's true surprisal and the true entropy before it, nats; nan: no value."""

    line: int
    word: str
    surprisal: float
    entropy: float
    entropy_reduction: float


@dataclass
class Excess:
    """Surprisals of a model and of the truth, summed over the words that have both.

    Attributes
    ----------
    rows : the words so far.
    compared : those for which both surprisals are known.
    model, truth : the sums of their surprisals, nats.
    """

    rows: int = 0
    compared: int = 0
    model: float = 0.0
    truth: float = 0.0

    def mean(self, base: float = math.e) -> float:
        """The mean excess surprisal of a compared word, in logarithms of this base.

        nan if no word was compared.
        """
        return (self.model - self.truth) / self.compared / math.log(base) if self.compared else math.nan


class Truth:
    """A truth file, read row by row as the words of the scored text come.

    Parameters
    ----------
    path : of the file, which may be compressed; ``-`` is standard input.

    Attributes
    ----------
    path : of the file.
    rows : iterator of TruthRow, those that were not read yet.
    excess : Excess, of all words so far.

    Raises
    ------
    RnnlmError : it cannot be read, or its header lacks the base or a column.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path, self.excess = path, Excess()
        lines = enumerate(_lines(path), 1)
        self._scale, self._names = _header(path, lines)
        self.rows: Iterator[TruthRow] = (self._row(line, text) for line, text in lines)

    def _row(self, line, text):
        """The TruthRow of a line."""
        cells = text.split("\t")
        if len(cells) != len(self._names):
            raise RnnlmError(f"{called(self.path)} must have {len(self._names)} cells in each row, as many as columns: "
                             f"line {line} has {len(cells)}")
        cell = dict(zip(self._names, cells, strict=True))
        name, sign = ("surprisal", 1) if "surprisal" in cell else ("log_prob", -1)
        surprisal = sign * self._number(line, cell[name])
        if surprisal < -ROUNDING:
            raise RnnlmError(f"{called(self.path)} must have surprisals of at least 0 and log-probabilities of at most "
                             f"0: line {line} has {shown(cell[name])}; correct its sign")
        others = (self._number(line, cell.get(name, NA)) for name in ("entropy", "entropy_reduction"))
        return TruthRow(line, cell["word"], surprisal, *others)

    def _number(self, line, cell):
        """A cell in nats."""
        if cell == NA:
            return math.nan
        value = finite_number(cell)
        if value is None:
            raise RnnlmError(f"{called(self.path)} must have finite numbers or {NA}: line {line} has "
                             f"{shown(cell)}")
        return self._scale * value

    def columns(self, words: Iterable[str], log_probs: np.ndarray) -> dict[str, np.ndarray]:
        """What is true of the next words of the text, and how far the model is from it.

        Parameters
        ----------
        words : M words as they are in the text, "<eos>" for a line end.
        log_probs : (M,), the model's ln p of them; nan: it has none.

        Returns
        -------
        dict : true_surprisal, true_entropy, true_entropy_reduction, excess: each (M,),
            nats, nan where there is no value.

        Raises
        ------
        RnnlmError : the file has another word in one of the rows, or ends before.
        """
        rows = [self._row_of(word) for word in words]
        true = np.array([row.surprisal for row in rows], np.float64)
        surprisals = -np.asarray(log_probs, np.float64)
        both = ~(np.isnan(true) | np.isnan(surprisals))
        self.excess.compared += int(np.count_nonzero(both))
        self.excess.model += float(surprisals[both].sum())
        self.excess.truth += float(true[both].sum())
        return {"true_surprisal": true, "true_entropy": np.array([row.entropy for row in rows], np.float64),
                "true_entropy_reduction": np.array([row.entropy_reduction for row in rows], np.float64),
                "excess": surprisals - true}

    def _row_of(self, word):
        """The next row, which must be this word's."""
        row = next(self.rows, None)
        self.excess.rows += 1
        if row is None or row.word != in_a_cell(word):
            self._differs(row, f'the text has "{shown(word)}"')
        return row

    def finish(self) -> None:
        """RnnlmError unless the file ends where the text has ended."""
        if (row := next(self.rows, None)) is not None:
            self.excess.rows += 1
            self._differs(row, "the text ends")

    def _differs(self, row, text):
        """RnnlmError: here the file (a row, None at its end) is not of the text."""
        there = "it ends" if row is None else f'its line {row.line} has "{shown(row.word)}"'
        raise RnnlmError(f"{called(self.path)} must have a row for each word of the text: at word "
                         f"{self.excess.rows:,} {there} where {text}; give the truth of this text, written as it is")


def _lines(path):
    """Yield the lines of a text, whatever their length; a longer one is an error."""
    held = ""
    for text in read_blocks(path):
        *whole, held = (held + text).split("\n")
        yield from whole
        if len(held) > LONGEST_LINE:
            raise RnnlmError(f"{called(path)} must be a table with short lines, it has one of more than "
                             f"{LONGEST_LINE // 10**6} MB")


def _header(path, lines):
    """(a number's factor to nats, the names of the columns) from the first lines."""
    base, names = None, None
    for number, text in lines:
        if not text.startswith("#"):
            names = text.split("\t")
            break
        key, _, value = text.removeprefix("#").partition(":")
        if key.strip() == "base":
            base = _base(path, number, base, value.strip())
        if number == HEADER_LINES:
            break
    _require_columns(path, names)
    if base is None:
        raise RnnlmError(f"{called(path)} must say the base of its logarithms, it does not: begin it with the line "
                         "'# base: 2' (or e, or 10)")
    return math.log(BASES[base]), names


def _base(path, line, before, value):
    """The base that a line of the header names; before: what another one named."""
    if value not in BASES or before not in (None, value):
        also = "" if before in (None, value) else f", after {before}"
        raise RnnlmError(f"{called(path)} must name one base, 2, e or 10: line {line} has {shown(value)}{also}")
    return value


def _require_columns(path, names):
    """RnnlmError unless the columns that are needed are there, once."""
    rule = "must have the columns word and surprisal (or log_prob), with tabs between"
    if names is None:
        raise RnnlmError(f"{called(path)} {rule}: it has no line without # among its first {HEADER_LINES:,}")
    if "word" not in names or not {"surprisal", "log_prob"} & set(names):
        raise RnnlmError(f"{called(path)} {rule}: its first line after the # lines is {shown('|'.join(names))}")
    for name in ("word", "surprisal", "log_prob", "entropy", "entropy_reduction"):
        if names.count(name) > 1:
            raise RnnlmError(f"{called(path)} must have each column once, it has {name} {names.count(name)} times")
