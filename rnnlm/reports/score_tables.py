"""Tables of scores as text: tabs, commas, or a JSON object a line.

A table is written in three steps, each of which gives text to print:

    table = FORMATS["tsv"](head, ["word", "surprisal"])
    table.begin()      the lines before the first row
    table.rows(block)  the rows of a structured array; again for each block
    table.end()        what comes after the last row

``head`` is a dict of strings: what must be known to read the numbers; empty, it is not
printed.  A missing number (not finite, or -1 for a whole number) is NA, in JSON null.
"""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.reports.heading import heading_lines
from rnnlm.text.cells import NA, in_a_cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnnlm.text.vocabulary import Vocabulary

SMALL = re.compile(r"p\d+$|perplexity$")  # columns whose digits count from the first that is not 0


class Table:
    """A format of tables.  Another tool's format is a subclass, and a row of FORMATS.

    Parameters
    ----------
    head : dict of strings, what the table says of itself.
    columns : names of the columns to print, fields of the rows.
    vocabulary : the model's Vocabulary, for formats that print ids.
    """

    columns_needed: tuple[str, ...] | None = None  # those of a fixed format; None: any
    by: str | None = None         # what a row is of, where the format fixes it
    log_base: str | None = None   # "e", "2" or "10", where the format fixes it
    protocol: str | None = None   # where the format has one by default
    one_text = False              # whether it prints no more than one text, named in ``head``
    leaves_out = ""               # what our own tables tell and the format does not

    def __init__(self, head: dict[str, str], columns: Sequence[str], vocabulary: Vocabulary | None = None) -> None:
        self.head, self.columns, self.vocabulary = head, list(columns), vocabulary

    def begin(self) -> str:
        """The lines before the first row."""
        return ""

    def rows(self, block: np.ndarray) -> str:
        """The lines of the rows in a structured array."""
        raise NotImplementedError

    def end(self) -> str:
        """The lines after the last row."""
        return ""


class Tsv(Table):
    """Cells with tabs between them, after lines that begin with #.

    A tab or line end in a cell, such as a character that is a tab, is an escape.
    """

    def begin(self) -> str:
        return heading_lines(self.head) + "\t".join(self.columns) + "\n"

    def rows(self, block: np.ndarray) -> str:
        return "".join(map("%s\n".__mod__, map("\t".join, _cells(self.columns, block, NA, in_a_cell))))


class Csv(Table):
    """Cells with commas between them, quoted where needed, after lines with #."""

    def begin(self) -> str:
        return heading_lines(self.head) + _as_csv([self.columns])

    def rows(self, block: np.ndarray) -> str:
        return _as_csv(_cells(self.columns, block, NA, str))


class JsonLines(Table):
    """A JSON object a line: ``{"head": {...}}``, then one for each row."""

    def begin(self) -> str:
        return json.dumps({"head": self.head}, ensure_ascii=False) + "\n" if self.head else ""

    def rows(self, block: np.ndarray) -> str:
        row = "{" + ", ".join(f'"{name}": %s' for name in self.columns) + "}\n"
        return "".join(map(row.__mod__, _cells(self.columns, block, "null", _as_json)))


FORMATS: dict[str, type[Table]] = {"tsv": Tsv, "csv": Csv, "json": JsonLines}


def _as_csv(rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _cells(columns, block, missing, text):
    """Yield the cells of each row, a tuple of strings."""
    return zip(*(_column(name, block[name], missing, text) for name in columns), strict=True)


def _column(name, values, missing, text):
    """The cells of a column, a list of strings."""
    if values.dtype.kind == "O":
        return [missing if value is None else text(value) for value in values.tolist()]
    if values.dtype.kind == "b":
        return list(map("01".__getitem__, values.tolist()))
    is_missing = ~np.isfinite(values) if values.dtype.kind == "f" else values < 0
    form = "%d" if values.dtype.kind != "f" else "%.6g" if SMALL.match(name) else "%.6f"
    cells = list(map(form.__mod__, values.tolist()))
    for i in np.flatnonzero(is_missing).tolist():
        cells[i] = missing
    return cells


def _as_json(word):
    return json.dumps(word, ensure_ascii=False)
