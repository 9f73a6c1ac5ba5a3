"""A training run from beginning to end: what the command and ``rnnlm.train`` do."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.compute.processes import processes
from rnnlm.errors import RnnlmError, one_line, shown
from rnnlm.formats.loaded import Loaded, load
from rnnlm.runs import session
from rnnlm.runs.checks import not_empty
from rnnlm.runs.choose_folder import run_folder
from rnnlm.runs.observer import Observer
from rnnlm.runs.option import OF_THE_LINE
from rnnlm.runs.options import TRAIN
from rnnlm.runs.request import Request
from rnnlm.runs.stopping import Stop, holding_interrupts
from rnnlm.scoring.evaluation import Evaluation
from rnnlm.text.corpora import named
from rnnlm.training.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

ALSO_HERE = ("config",)  # of the options that have a meaning on the command line only


@dataclass
class Run:
    """A finished training run.

    Attributes
    ----------
    folder : the path of the run folder: model, checkpoints, metrics, picture.
    records : the Record of each epoch; losses in nats per token.
    best : that of the epoch with the lowest validation loss, whose model was kept.
    test : the Evaluation of the test text by that model.
    model : that model with its vocabulary, as ``rnnlm.load(folder)`` returns it; where
        several processes train it, None in all but the first.
    """

    folder: Path
    records: list[Record] = field(repr=False)
    best: Record
    test: Evaluation
    model: Loaded | None = None


def train(corpus: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None, *,
          observer: Observer | None = None, **options: object) -> Run:
    """Train a language model: the run of the command ``rnnlm train``, bit for bit.

    Parameters
    ----------
    corpus : a known name, such as "ptb", a folder with train, valid and test texts, or
        one text, which is split: a file, a folder of files, or a list of these; "-" is
        standard input; None: stories, which is shipped.
    observer : is told what happens; None: nothing is shown.
    options : every option of ``rnnlm train --help`` but debug and recipes, with
        underscores: ``hidden_size=100``, ``tied=True``, ``config="lstm-small"``; None:
        not given. ``output`` is the run folder, by default ``runs/NAME``, numbered
        where that is taken; ``resume=True`` continues the run in it, and never begins
        one.

    Returns
    -------
    Run : ``folder``, ``records``, ``best``, ``test`` and ``model``.

    Raises
    ------
    RnnlmError : a wrong option or value, a text or folder that cannot be used, a loss
        that is not finite; in one line.
    KeyboardInterrupt : after Ctrl-C, once a step has ended and a checkpoint is saved,
        from which ``resume=True`` continues.  A second Ctrl-C does not wait.
    """
    if observer is not None:
        arguments.kind("observer", observer, Observer, "an rnnlm.Observer")
    run = carry_out(_given({"corpus": corpus, **options}), observer or Observer(), holding_interrupts, may_begin=False)
    run.model = load(run.folder) if processes().first else None
    return run


def _given(options):
    """The options of a call, a dict by name, as on the command line.

    RnnlmError if one is wrong.
    """
    given = {}
    for name, (key, value) in TRAIN.by_option(options, "rnnlm.train").items():
        option = TRAIN.by_name.get(name)
        if option is None or (option.scope == OF_THE_LINE and name not in ALSO_HERE):
            raise RnnlmError(f"rnnlm.train has no option {shown(repr(key))}{_instead(option, key)}")
        if value is not None:
            where = f"rnnlm.train: {key}"
            if option.check is not_empty and isinstance(value, bytes | bytearray):
                raise RnnlmError(f"{where} must be a string or a path, got bytes: os.fsdecode turns them into a string")
            given[name] = option.in_a_file(_plain(value), where)
    return given


def _instead(option, key):
    """The end of a message about an option that is not there."""
    if option is None:
        return TRAIN.meant(key, in_a_file=True, also=ALSO_HERE).replace("-", "_")
    return f": {option.flag} is for the command line only"


def _plain(value):
    """A path as a string, NumPy's numbers and arrays as numbers and lists of Python."""
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, list | tuple):
        return [*map(_plain, value)]
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value


def carry_out(given, observer, stopping, may_begin=True):
    """Do what a Request asks for, in its folder; returns the Run, without its model.

    Parameters
    ----------
    given : the options, see Request.
    stopping : see ``rnnlm.runs.session.train``.
    may_begin : whether a run may be resumed that has not begun.
    """
    with processes().together(Stop):
        return (_carry_out if processes().first else _follow)(given, observer, stopping, may_begin)


def _follow(_given, _observer, stopping, _may_begin):
    """``carry_out`` in a process but the first, which tells it all."""
    folder, test = session.follow(stopping)
    return Run(folder.path, folder.records, folder.best, test)


def _carry_out(given, observer, stopping, may_begin):
    request = Request(given)
    options, header, kept = request.options, None, None
    for line in [] if options.resume else request.require_possible():
        observer.on_note(line)
    with run_folder(options, request.corpora, observer) as folder:
        if options.resume:
            header = folder.newest_header()
            options = request.resumed(folder, header)
            if header is None:
                if not (may_begin or folder.holds_options()):
                    raise RnnlmError(f"{one_line(str(folder.path))} holds no run to resume: give the folder of a run, "
                                     "or leave out resume to begin a new one")
                observer.on_note(f"{folder.path} holds no checkpoint yet: training starts from the beginning, on "
                                 f"{named(options.corpus)}")
        else:
            kept = request.keep_standard_input(observer)
        try:
            test = session.train(options, folder, observer, stopping, header)
        except Stop as stop:
            stop.add_note(f"The run is saved: rnnlm.train(output={str(folder.path)!r}, resume=True) continues it.")
            raise
        except RnnlmError:
            if kept and not folder.holds_options():
                observer.on_note(f"there is no run, so {kept} is removed")
                Path(kept).unlink(missing_ok=True)
            raise
        return Run(folder.path, folder.records, folder.best, test)
