"""The curves of compared runs: in what they can be drawn together."""

from __future__ import annotations

import math
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from rnnlm.compute import arguments
from rnnlm.errors import RnnlmError
from rnnlm.reports.learning_chart import MOST_LINES
from rnnlm.runs.comparison_notes import some

if TYPE_CHECKING:
    from rnnlm.runs.comparison import Comparison

AT = {"epochs": lambda record: record.epoch, "tokens": lambda record: record.tokens,
      "minutes": lambda record: record.seconds / 60}


def curves(comparison: Comparison, x: str = "epochs") -> tuple[dict[str, list[tuple[float, float]]], str, list[str]]:
    """Points (x, value) of each run, by its name; what the values are; notes.

    The values are perplexities, or bits per character, of the validation text where all
    runs predict the same one with the same vocabulary, otherwise bits per byte.

    Parameters
    ----------
    comparison : what ``compare`` returns.
    x : a name of AT.

    Raises
    ------
    RnnlmError : there is nothing to draw.
    """
    at = AT[arguments.one_of("x", x, tuple(AT))]
    runs = _drawn_first(comparison.groups)
    value, number = _value(comparison, runs)
    points = {run: [(at(record), number(run, record.valid_loss)) for record in run.records] for run in runs}
    left_out = [comparison.names[run.path] for run in runs if not _has_a_number(points[run])]
    if len(left_out) == len(runs):
        raise RnnlmError(f"{some(left_out)} cannot be drawn: {_why(comparison)}")
    least = {run for run in runs if len(comparison.groups) > 1 and run.bits_are_least}
    drawn = {f"{comparison.names[run.path]}{' (at least)' if run in least else ''}": points[run] for run in runs
             if _has_a_number(points[run])}
    return drawn, value, [f"not in the picture: {some(left_out)}: {_why(comparison)}"] if left_out else []


def _drawn_first(groups):
    """All runs; where a picture cannot hold them, the best of each text first."""
    runs = [run for group in groups for run in group]
    if len(runs) <= MOST_LINES:
        return runs
    first = [run for run in chain(*zip_longest(*groups)) if run][:MOST_LINES]
    return [run for run in runs if run in first] + [run for run in runs if run not in first]


def _value(comparison, runs):
    """What the values are, and the function of a run and a loss that gives one."""
    if len(comparison.groups) > 1:
        texts = "the validation text" if comparison.same_bytes else "each run's own validation text"
        return f"bits per byte of {texts}", lambda run, loss: _or_nan(run.bits_per_byte(loss))
    if runs[0].options.level == "char":
        return "bits per character of the validation text", lambda run, loss: _or_nan(run.bits_per_character(loss))
    return "perplexity of the validation text", lambda run, loss: math.exp(loss) if loss < 700 else math.nan


def _or_nan(value):
    return math.nan if value is None else value


def _has_a_number(points):
    return any(math.isfinite(value) for _, value in points)


def _why(comparison):
    """Why a run is not drawn, in words."""
    no_epoch = "no epoch has a finite validation loss yet"
    if len(comparison.groups) == 1:
        return no_epoch
    return f"different texts or vocabularies are compared in bits per byte, which are not known, or {no_epoch}"
