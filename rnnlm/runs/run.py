"""Training from beginning to end: what the command and ``rnnlm.train`` do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, overload

import numpy as np

from rnnlm.compute import arguments
from rnnlm.compute.processes import processes
from rnnlm.errors import RnnlmError, shown
from rnnlm.formats.loaded import load
from rnnlm.runs.checks import not_empty
from rnnlm.runs.observer import Observer
from rnnlm.runs.one_run import Run, carry_out_one, follow_one
from rnnlm.runs.option import OF_THE_LINE
from rnnlm.runs.options import TRAIN
from rnnlm.runs.request import Request
from rnnlm.runs.seed_results import Seeds
from rnnlm.runs.seeds import asks_for_seeds, carry_out_seeds
from rnnlm.runs.stopping import Stop, holding_interrupts

if TYPE_CHECKING:
    from collections.abc import Sequence

ALSO_HERE = ("config",)  # of the options that have a meaning on the command line only


@overload
def train(corpus: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None, *,
          seeds: str | Sequence[int], observer: Observer | None = None, **options: object) -> Seeds: ...


@overload
def train(corpus: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None, *,
          observer: Observer | None = None, **options: object) -> Run: ...


def train(corpus: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None, *,
          observer: Observer | None = None, **options: object) -> Run | Seeds:
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
    Seeds : with ``seeds="1-5"`` or ``seeds=[1, 2]``: ``folder``, ``runs``, ``failed``,
        and ``valid`` and ``test`` with ``mean`` and ``standard_deviation``.

    Raises
    ------
    RnnlmError : a wrong option or value, a text or folder that cannot be used, a loss
        that is not finite; in one line.
    KeyboardInterrupt : after Ctrl-C, once a step has ended and a checkpoint is saved,
        from which ``resume=True`` continues.  A second Ctrl-C does not wait.
    """
    if observer is not None:
        arguments.kind("observer", observer, Observer, "an rnnlm.Observer")
    run = carry_out(_given({"corpus": corpus, **options}), observer or Observer(), holding_interrupts, False)
    if isinstance(run, Run):
        run.model = load(run.folder) if processes().first else None
    elif not run.finished:
        raise RnnlmError(run.failure)
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
    """A path as a string; ranges and what NumPy has as Python's numbers and lists."""
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, list | tuple | range):
        return [*map(_plain, value)]
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value


def carry_out(given, observer, stopping, resume_begins=True):
    """Do what is asked for: a Run, without its model, or the Seeds.

    Parameters
    ----------
    given : the options, see Request.
    stopping : see ``rnnlm.runs.opening.train``.
    resume_begins : whether a run may be resumed that has not begun.
    """
    with processes().together(Stop):
        if not processes().first:
            return follow_one(stopping)
        request = Request(given)
        seeds = asks_for_seeds(request, observer)
        if seeds and processes().size > 1:
            raise RnnlmError("--seeds is for one process: start rnnlm train without mpiexec")
        return (carry_out_seeds if seeds else carry_out_one)(
            request, observer, stopping, resume_begins or not request.options.resume)
