"""A training run of one seed, from beginning to end, in its folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from rnnlm.errors import RnnlmError, one_line
from rnnlm.formats.loaded import Loaded
from rnnlm.runs import opening
from rnnlm.runs.choose_folder import run_folder
from rnnlm.runs.stopping import Stop
from rnnlm.scoring.evaluation import Evaluation
from rnnlm.text.corpora import named
from rnnlm.training.records import Record


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


def carry_out_one(request, observer, stopping, may_begin=True):
    """Do what a Request asks for, in its folder; returns the Run, without its model.

    Parameters
    ----------
    stopping : see ``rnnlm.runs.opening.train``.
    may_begin : whether it may be a new run.
    """
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
            test = opening.train(options, folder, observer, stopping, header, request.budget)
        except Stop as stop:
            stop.add_note(f"The run is saved: rnnlm.train(output={str(folder.path)!r}, resume=True) continues it.")
            raise
        except RnnlmError:
            if kept and not folder.holds_options():
                observer.on_note(f"there is no run, so {kept} is removed")
                Path(kept).unlink(missing_ok=True)
            raise
        return Run(folder.path, folder.records, folder.best, test)


def follow_one(stopping):
    """``carry_out_one`` in a process but the first, which tells it all."""
    folder, test = opening.follow(stopping)
    return Run(folder.path, folder.records, folder.best, test)
