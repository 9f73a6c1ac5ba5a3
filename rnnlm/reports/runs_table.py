"""Several training runs as a table: rows of dicts in, lines or CSV out."""

from __future__ import annotations

import csv
import io
from itertools import accumulate
from typing import TYPE_CHECKING

from rnnlm.errors import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

UNKNOWN = "-"
MOST_OPTIONS = 5      # columns of options; more are a table of their own
LONGEST_VALUE = 40    # characters of an option's value
WIDEST = 160          # characters of a line of the table of options
LEAST = "bits_per_byte_is_lower_bound"
COLUMNS: dict[str, Callable[[dict], str | None]] = {  # of a row, by its key; None: not known
    "valid perplexity": lambda row: _number(row["valid_perplexity"], ".5g"),
    "test perplexity": lambda row: _number(row["test_perplexity"], ".5g"),
    "bits/character": lambda row: _number(row["bits_per_character"], ".4f"),
    "bits/byte": lambda row: _number(row["bits_per_byte"], ".4f", ">=" if row[LEAST] else ""),
    "<unk>": lambda row: _number(row["unk_share"], ".1%") if row["unk_share"] else None,
    "best epoch": lambda row: _number(row["best_epoch"], "d"),
    "epochs": lambda row: f"{row['epochs']}" + (f" of {row['of_epochs']}" if row["of_epochs"] else ""),
    "minutes": lambda row: _number(row["minutes"], ".2f" if (row["minutes"] or 0) < 1 else ".1f"),
    "parameters": lambda row: _number(row["parameters"], ",d"),
}
ALWAYS = ("valid perplexity", "best epoch")  # columns that stay where nothing is known


def runs_lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The lines of a table, a heading first.

    Parameters
    ----------
    rows : what ``Comparison.rows`` gives, of one group.
    """
    options = [] if len(rows[0]["options"]) > MOST_OPTIONS else list(rows[0]["options"])
    columns = {name.replace("_", "-"): [_cell(row["options"][name]) for row in rows] for name in options}
    columns |= {name: [column(row) or UNKNOWN for row in rows] for name, column in COLUMNS.items()
                if name in ALWAYS or any(column(row) for row in rows)}
    return _aligned([["run", *columns], *zip([shown(row["run"]) for row in rows], *columns.values(), strict=True)])


def options_lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The options that differ as a table of their own: a line for each, a column a run.

    [] where ``runs_lines`` has room for them.  It has the first runs, as many as fit in
    a line; then the last line says where all are.
    """
    options = list(rows[0]["options"])
    if len(options) <= MOST_OPTIONS:
        return []
    columns = [["option", *(name.replace("_", "-") for name in options)],
               *([shown(row["run"]), *(_cell(row["options"][name]) for name in options)] for row in rows)]
    ends = accumulate(2 + max(map(len, column)) for column in columns)
    fitting = max(1, sum(end - 2 <= WIDEST for end in ends) - 1)
    lines = _aligned(zip(*columns[:1 + fitting], strict=True))
    if fitting < len(rows):
        lines.append(f"(the options of {fitting} of {len(rows)} runs: --csv and --json have those of all)")
    return lines


def runs_csv(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as CSV (RFC 4180) with full digits; what is not known is empty."""
    text = io.StringIO()
    writer = csv.writer(text)
    options = list(rows[0]["options"])
    others = [key for key in rows[0] if key not in ("run", "text", "options")]
    writer.writerow(["run", "text", *(name.replace("_", "-") for name in options), *others])
    for row in rows:
        values = [row["run"], row["text"], *(_plain(row["options"][name]) for name in options),
                  *(_plain(row[key]) for key in others)]
        writer.writerow(values)
    return text.getvalue()


def _plain(value):
    """A value for CSV: true and false as in TOML, the values of a list with blanks."""
    if isinstance(value, bool):
        return str(value).lower()
    return " ".join(map(str, value)) if isinstance(value, list) else value


def _cell(value):
    return UNKNOWN if value is None else shown(str(_plain(value)), LONGEST_VALUE)


def _number(value, form, before=""):
    return None if value is None else f"{before}{value:{form}}"


def _aligned(rows):
    """Lines of cells under one another: the first column on the left, others right."""
    rows = [*rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in
                                                  zip(row[1:], widths[1:], strict=True))]) for row in rows]
