"""Minimal pairs as a table: a row for each UID and each group of UIDs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnlm.errors import one_line
from rnnlm.text.cells import NA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnnlm.reports.published_pairs import Published

COLUMNS = ("level", "name", "pairs", "accuracy", "ties", "same_ids", "with_unknown", "pairs_known", "accuracy_known",
           "one_prefix")


def table_lines(numbers: dict, aligned: bool = False) -> list[str]:
    """The lines of what ``PairScores.summary`` returns, a heading first.

    UIDs come first, then phenomena, fields and the mean of all UIDs.  one_prefix is the
    accuracy by that method.  NA means that there is no pair.

    Parameters
    ----------
    numbers : the summary.
    aligned : whether columns are filled up with blanks, for a person; otherwise there
        is a tab between two cells, for programs.
    """
    rows = [COLUMNS]
    for level, groups in (("uid", numbers["by_uid"]), ("phenomenon", numbers["by_phenomenon"]),
                          ("field", numbers["by_field"]), ("all", {"mean of UIDs": numbers})):
        rows += [(level, one_line(name), *_cells(group)) for name, group in groups.items()]
    return _lines(rows, aligned, names=2)


def kept_lines(found: Sequence[tuple[int, str, dict]], aligned: bool = False) -> list[str]:
    """The lines of what several kept models prefer, a heading first.

    Parameters
    ----------
    found : for each model how many tokens its training had read, its SHA-256, and what
        ``PairScores.summary`` returns.
    aligned : see ``table_lines``; a person is not shown the SHA-256.
    """
    rows = [("tokens", *COLUMNS[2:], "sha256")]
    rows += [(str(tokens), *_cells(numbers), sha256) for tokens, sha256, numbers in found]
    return _lines([row[:-1] for row in rows] if aligned else rows, aligned)


def _lines(rows, aligned, names=0):
    """The lines of rows of cells; names: how many columns, the first, hold words."""
    if not aligned:
        return ["\t".join(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [_aligned(row, widths, names) for row in rows]


def _cells(group):
    prefix = group["one_prefix"]
    values = {**group, "one_prefix": prefix and prefix["accuracy"]}
    return [_cell(values[name]) for name in COLUMNS[2:]]


def _cell(value):
    if value is None:
        return NA
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _aligned(row, widths, names):
    """The cells of a row under one another: words on the left, numbers on the right."""
    return "  ".join(cell.ljust(width) if i < names else cell.rjust(width)
                     for i, (cell, width) in enumerate(zip(row, widths, strict=True)))


def published_lines(others: Sequence[Published], tokens: int | None) -> list[str]:
    """What was published on the same pairs, next to the size of the training texts.

    tokens : how many this model's training text has; None: not known.
    """
    if not others:
        return []
    own = "is not known" if tokens is None else f"has {tokens:,} tokens"
    lines = [f"# published by Warstadt et al. (2020), with the training texts; that of this model {own}:"]
    for other in others:
        text = f", {_rounded(other.tokens)} tokens of {other.text}" if other.tokens else ""
        if other.tokens and tokens:
            text += f", {_times(other.tokens / tokens)} this model's"
        lines.append(f"# {other.accuracy:.3f}  {other.model}{text}")
    return lines


def _times(ratio):
    return f"{float(f'{ratio:.2g}'):,g} times"


def _rounded(tokens):
    return f"{tokens / 1e9:g} billion" if tokens >= 1e9 else f"{tokens / 1e6:g} million"
