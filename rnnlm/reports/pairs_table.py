"""Minimal pairs as a table for a reader: a row for each UID and each group of UIDs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnlm.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnnlm.reports.published_pairs import Published

COLUMNS = ("pairs", "accuracy", "ties", "same_ids", "with_unknown", "pairs_known", "accuracy_known", "one_prefix")


def table_lines(numbers: dict) -> list[str]:
    """The lines of what ``PairScores.summary`` returns.

    UIDs come first, then phenomena, fields and the mean of all UIDs.  one_prefix is the
    accuracy by that method; NA stands where there is no pair.
    """
    rows = []
    for title, groups in (("uid", numbers["by_uid"]), ("phenomenon", numbers["by_phenomenon"]),
                          ("field", numbers["by_field"]), ("all", {"mean of UIDs": numbers})):
        if groups:
            rows.append((title, *COLUMNS))
            rows += [(one_line(name), *_cells(group)) for name, group in groups.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [_row(row, widths) for row in rows]


def _cells(group):
    prefix = group["one_prefix"]
    values = {**group, "one_prefix": prefix and prefix["accuracy"]}
    return [_cell(values[name]) for name in COLUMNS]


def _cell(value):
    if value is None:
        return "NA"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _row(row, widths):
    _, *cells = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
    return "  ".join([row[0].ljust(widths[0]), *cells])


def published_lines(others: Sequence[Published]) -> list[str]:
    """What was published on the same pairs, next to the size of the training texts."""
    if not others:
        return []
    lines = ["# published by Warstadt et al. (2020), with the training texts (the Penn Treebank: 0.9 million tokens):"]
    for other in others:
        text = f", {_rounded(other.tokens)} tokens of {other.text}" if other.tokens else ""
        lines.append(f"# {other.accuracy:.3f}  {other.model}{text}")
    return lines


def _rounded(tokens):
    return f"{tokens / 1e9:g} billion" if tokens >= 1e9 else f"{tokens / 1e6:g} million"
