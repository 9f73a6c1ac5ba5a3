"""What limits a comparison of runs, in lines: nobody reads it off the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnlm.errors import listed, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnlm.runs.compared_run import ComparedRun

MOST_NAMED = 5  # runs in a line


def notes_on(groups: list[list[ComparedRun]], assumed: list[str], names: dict[str, str],
             same_bytes: bool) -> Iterator[str]:
    """Yield the lines.

    Parameters
    ----------
    groups : lists of runs whose perplexities can be compared.
    assumed : names of runs whose texts are only likely to be those of their group.
    names : the name of each run, by its path.
    same_bytes : whether all runs predict the same bytes.
    """
    if assumed:
        yield (f"there is no record of the texts of {some(assumed)}: they are taken to be those of the other runs with "
               "the same --corpus and options of the text")
    if len(groups) > 1:
        yield ("the runs predict different texts, or have different vocabularies: perplexities can be compared within "
               "a table only")
        yield from _on_bytes([run for group in groups for run in group], names, same_bytes)


def _on_bytes(runs, names, same_bytes):
    """Yield what bits per byte say across groups."""
    known = [run for run in runs if run.summary and run.summary.valid.bytes]
    if unknown := [names[run.path] for run in runs if run not in known]:
        yield f"bits per byte are not known of {some(unknown)}: the bytes of the validation text are not on record"
    if same_bytes:
        yield "bits per byte can be compared across the tables: the validation text is the same"
    elif len({run.summary.valid.bytes for run in known}) > 1:
        yield ("bits per byte are of different validation texts, so they tell how hard these texts are as well as how "
               "good the models are")
    lost = sorted({what for run in known for what in run.summary.valid.lost})
    if lost:
        yield f">= marks a lower bound: the tokens leave out {shown(listed(lost))}, which bits per byte do not count"


def some(names: list[str]) -> str:
    """The first of some names, for a line."""
    shown_names = [shown(name) for name in names[:MOST_NAMED]]
    more = len(names) - MOST_NAMED
    return f"{', '.join(shown_names)} and {more} more" if more > 0 else listed(shown_names)
