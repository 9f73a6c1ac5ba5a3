"""Runs side by side: what differs between them, and what each reached.

Perplexities are compared only where two runs predict the same validation text with the
same vocabulary: such runs are a group.  Bits per byte compare groups, where the bytes
of the validation text are known.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnlm.compute import arguments
from rnnlm.compute.functions import perplexity
from rnnlm.errors import ArgumentError, RnnlmError, one_line, quoted
from rnnlm.formats.seed_names import one_of_several
from rnnlm.runs.compared_run import ComparedRun, is_run, read_run
from rnnlm.runs.comparison_notes import notes_on, some
from rnnlm.runs.later_epochs import epochs_at
from rnnlm.runs.newest import is_of_seeds
from rnnlm.runs.option import OF_THE_RUN
from rnnlm.runs.options import TEXT, TRAIN
from rnnlm.runs.run_options import HOW

if TYPE_CHECKING:
    from collections.abc import Iterable

# Options that change neither the model nor the speed, and what a column or a heading
# says anyway.
NOT_COMPARED = {"corpus", "epochs"} | {option.name for option in HOW} - {"threads", "device"}
OF_THE_TEXTS = [option.name for option in TEXT if option.scope == OF_THE_RUN] + ["init_from", "extend_vocab"]
LOWER_BOUND = "bits_per_byte_is_lower_bound"


@dataclass(frozen=True)
class Comparison:
    """Several runs.

    Attributes
    ----------
    groups : lists of ComparedRuns whose perplexities can be compared, the best first.
    names : a different name for each run, a dict by its path.
    options : names of the options that differ between the runs, in the table's order.
    notes : what limits the comparison, a line each.
    same_bytes : whether bits per byte compare all runs: they predict the same bytes.
    """

    groups: list[list[ComparedRun]]
    names: dict[str, str]
    options: list[str]
    notes: list[str]
    same_bytes: bool

    def rows(self) -> list[dict[str, Any]]:
        """A dict for each run: see ``row_of``; ``text`` is its group, from 1."""
        return [{"run": self.names[run.path], "text": number, **row_of(run, self.options)}
                for number, group in enumerate(self.groups, 1) for run in group]


def compare(runs: Iterable[str | os.PathLike[str]]) -> Comparison:
    """Compare training runs, finished or not.

    Parameters
    ----------
    runs : the paths of run folders.  What holds no run is left out with a note.

    Raises
    ------
    RnnlmError : there is no such path, none holds a run, or a file of a run is not what
        a run writes.
    """
    paths, left_out = _folders(runs)
    found = [read_run(path) for path in paths]
    groups, assumed = _grouped(found)
    same_bytes = len({_bytes_of(run) for run in found}) == 1 and _bytes_of(found[0]) is not None
    names = _names(paths)
    notes = [*left_out, *notes_on(groups, [names[run.path] for run in assumed], names, same_bytes)]
    return Comparison([sorted(group, key=_rank) for group in groups], names, differing_options(found), notes,
                      same_bytes)


def _folders(runs):
    """The paths that hold a run, each once; and a list of notes on the others."""
    paths = [os.fspath(path) for path in arguments.items("runs", runs, "a list of the paths of run folders")]
    if not paths:
        raise ArgumentError("runs must name at least one run folder, got none")
    once = {}
    for path in paths:
        if not os.path.exists(path):
            raise RnnlmError(f"{one_line(path)} does not exist: give the folders of runs")
        once.setdefault(os.path.realpath(path), path)
    several = [path for path in once.values() if is_of_seeds(Path(path))]
    found = {path: is_run(path) and path not in several for path in once.values()}
    others = [path for path, holds in found.items() if not holds]
    if len(others) == len(found):
        if several:
            raise RnnlmError(one_of_several(several[0]) or f"{one_line(several[0])} holds no run yet")
        first = quoted(os.path.join(others[0], ""))
        inside = f", such as {first}*" if os.path.isdir(others[0]) else ""
        raise RnnlmError(f"{some(others)} {'holds' if len(others) == 1 else 'hold'} no run: give the folders of runs"
                         f"{inside}")
    none = [path for path in others if path not in several]
    notes = [f"left out, because there is no run: {some(none)}"] if none else []
    notes += [f"left out: {one_of_several(path) or one_line(path)}" for path in several]
    return [path for path, holds in found.items() if holds], notes


def _names(paths):
    """The last part of each path where that is different from all others, else all."""
    short = {path: os.path.basename(os.path.realpath(path)) or path for path in paths}
    times = Counter(short.values())
    return {path: one_line(name if times[name] == 1 else path) for path, name in short.items()}


def _rank(run):
    return (run.best is None, run.best.valid_loss if run.best else 0)


def _grouped(runs):
    """Lists of runs on the same texts; and the runs of which that is only likely.

    What is known best is placed first, so that the order of the runs changes nothing.
    """
    groups, assumed = [], []
    for run in sorted(runs, key=lambda run: (run.summary is None, run.sha256 is None)):
        answers = [_belongs(run, group) for group in groups]
        if True in answers:
            groups[answers.index(True)].append(run)
        elif None in answers:
            groups[answers.index(None)].append(run)
            assumed.append(run)
        else:
            groups.append([run])
    return sorted((sorted(group, key=runs.index) for group in groups), key=lambda group: runs.index(group[0])), assumed


def _belongs(run, group):
    """Whether a run predicts the texts of a group; None: see ``_same_text``."""
    answers = [_same_text(run, other) for other in group]
    return True if True in answers else None if None in answers else False


def _same_text(one, other):
    """Whether two runs predict the same texts with the same vocabulary.

    None: it is not on record, but the options that decide it are the same.
    """
    if one.summary and other.summary:
        return _text_of(one.summary) == _text_of(other.summary)
    if one.sha256 and other.sha256:
        return one.sha256 == other.sha256
    if not all(run.knows(name) for run in (one, other) for name in OF_THE_TEXTS):
        return False
    same = all(getattr(one.options, name) == getattr(other.options, name) for name in OF_THE_TEXTS)
    return None if same else False


def _text_of(summary):
    return summary.vocabulary_sha256, summary.valid.sha256, summary.test.sha256


def _bytes_of(run):
    """What tells the validation text of a run whatever its tokens; None: not known."""
    valid = run.summary and run.summary.valid
    return (valid.bytes, valid.sentences) if valid and valid.bytes else None


def differing_options(runs: list[ComparedRun]) -> list[str]:
    """The names of the options in which runs differ, in the table's order.

    One that nobody gave, and that only follows from another, is left out.
    """
    return [option.name for option in TRAIN.options
            if option.scope == OF_THE_RUN and option.name not in NOT_COMPARED
            and _differ([getattr(run.options, option.name) for run in runs if run.knows(option.name)])
            and (not option.derived or any(option.name in run.options.given for run in runs))]


def _differ(values):
    return any(value != values[0] for value in values)


def row_of(run: ComparedRun, options: list[str]) -> dict[str, Any]:
    """What a run has reached, a dict; None is what is not known.

    ``options`` has the values of these options, "NA" where that is not on record;
    ``epochs`` is how many are over, ``of_epochs`` how many there are at most.  Losses
    are nats per token, of the epoch whose model was kept.
    """
    best, loss = run.best, run.best and run.best.valid_loss
    test = run.test_loss
    return {
        "options": {name: run.value(name) for name in options},
        "best_epoch": best and best.epoch, "epochs": len(run.records),
        "of_epochs": epochs_at(run.options, len(run.records)) if run.knows("epochs") else None,
        "valid_loss": loss, "valid_perplexity": best and perplexity(loss, 1), "test_loss": test,
        "test_perplexity": None if test is None else perplexity(test, 1),
        "bits_per_character": best and run.bits_per_character(loss),
        "bits_per_byte": best and run.bits_per_byte(loss), LOWER_BOUND: run.bits_are_least,
        "unk_share": run.unk_share, "minutes": run.minutes, "parameters": run.parameters}
