"""The run folder: what a training run leaves behind, and in which order, so that it is whole at every moment.

Each file appears whole or not at all.  The two newest checkpoints are kept; each holds all that is needed to go on,
the lines of metrics.jsonl included.
"""

import json
import math
import os
import shutil
import time
from contextlib import suppress
from dataclasses import asdict

from rnnlm.checkpoint import MODEL_NAME, load_checkpoint, read_checkpoint_header, save_checkpoint
from rnnlm.cli.options import toml
from rnnlm.cli.screen import note
from rnnlm.errors import DamagedError, RnnlmError, one_line
from rnnlm.files import sync_folder, write_text, written
from rnnlm.plotting import plot_perplexity
from rnnlm.schedules import SCHEDULES

CHECKPOINTS = ("checkpoint-next.npz", "checkpoint.npz", "checkpoint-previous.npz")  # the newest first
DAMAGED = "checkpoint-damaged.npz"
METRICS, PICTURE, CONFIG = "metrics.jsonl", "perplexity.png", "config.toml"
NAMES = (*CHECKPOINTS, DAMAGED, METRICS, PICTURE, MODEL_NAME, CONFIG)
OF_THE_COMMAND = ("config", "overwrite", "resume", "debug", "output")  # options that are not the run's
# What may be another when a run goes on: no step of the training depends on it (the corpus has its fingerprint;
# for epochs see ``free``).
FREE = ("corpus", "epochs", "patience", "threads", "checkpoint_minutes", "on_divergence")
SMALL_FILES = 1_000_000  # bytes for metrics, picture, vocabulary and what surrounds the arrays
REDRAW_SECONDS = 30  # a long run's picture can be looked at while it trains; a short one is drawn once


def free(options):
    """The options, of a run with these (a dict), that may be others when it goes on."""
    schedule = SCHEDULES.get(str(options.get("schedule")))
    ends_with_the_epochs = (options.get("average") == "tail" or (schedule and schedule.needs_epochs)
                            or options.get("dropout_start", 1.0) != 1)
    return [name for name in FREE if not (name == "epochs" and ends_with_the_epochs)]


def of_the_run(options):
    """The options that belong to the run, a dict; the command's own are left out."""
    return {name: value for name, value in vars(options).items() if name not in OF_THE_COMMAND}


class RunFolder:
    """``path``; ``model``, the model file's path; ``records``, the Record of each epoch so far."""

    def __init__(self, path):
        self.path, self.model = path, path / MODEL_NAME
        self.begun = False
        self.records = []
        self.shown = one_line(str(path))
        self.title, self.best_possible, self.level, self.config = "", None, "word", ""
        self.drawn = time.monotonic()

    def checkpoints(self):
        """The paths of the checkpoints that are there, the newest first."""
        return [path for path in (self.path / name for name in CHECKPOINTS) if path.exists()]

    @property
    def best(self):
        """The Record of the best epoch so far, whose model is kept; None if there is none."""
        return next((record for record in reversed(self.records) if record.improved), None)

    def newest_header(self):
        """The header of the newest checkpoint whose header can be read; None if there is no checkpoint.

        RnnlmError if none of them can be.
        """
        errors = []
        for path in self.checkpoints():
            try:
                return read_checkpoint_header(path)
            except DamagedError as error:
                errors.append(str(error))
        if errors:
            raise RnnlmError(self._none_is_whole(errors))
        return None

    def _none_is_whole(self, errors):
        return (f"no checkpoint can be used: {'; '.join(errors)}. Start anew with another --output; {MODEL_NAME} stays "
                "as it is")

    def require_nothing_but_options(self):
        """RnnlmError if there is a model or there are metrics of a run that left no checkpoint to go on from."""
        for name in (MODEL_NAME, METRICS):
            if (self.path / name).exists():
                raise RnnlmError(f"{self.path} holds {name} but no checkpoint to go on from: replace it with "
                                 "--overwrite, or choose another --output")

    def require_space(self, checkpoint_bytes, model_bytes):
        """RnnlmError unless three checkpoints (a new one is whole before the oldest goes) and two models have room."""
        there = sum(path.stat().st_size for path in (*self.checkpoints(), self.model) if path.exists())
        needed = max(checkpoint_bytes, 3 * checkpoint_bytes + 2 * model_bytes + SMALL_FILES - there)
        free = shutil.disk_usage(self.path).free
        if needed > free:
            raise RnnlmError(f"{self.path} needs room for checkpoints and the model, {needed / 1e6:,.1f} MB more, but "
                             f"{free / 1e6:,.1f} MB are free: make room, or choose another --output")

    def begin(self, options, title, best_possible=None):
        """From now on the folder is this run's; config.toml is written as soon as a checkpoint is of these options."""
        for name in NAMES:
            if (self.path / name).is_dir():
                raise RnnlmError(f"{self.path / name} is a folder, where the run has a file: move it, or choose "
                                 "another --output")
        self.begun = True
        self.title, self.best_possible, self.level = title, best_possible, options.level
        self.config = f"# run folder: {str(self.path)!r}\n" + toml(of_the_run(options))
        if not self.checkpoints():
            self._write_config()

    def replace_all(self, trainer, run):
        """Save the first checkpoint of a run, then remove all that was there before.

        In this order: killed before it is whole, the old run is; killed afterwards, --resume finds a run at its start.
        """
        save_checkpoint(self.path / CHECKPOINTS[0], trainer, run, self.records)
        self._remove_older()
        self._settle()
        self._write_config()

    def _write_config(self):
        if self.config:
            write_text(self.path / CONFIG, self.config)
        self.config = ""

    def _remove_older(self):
        """Remove all but the newest checkpoint and config.toml."""
        for name in NAMES[1:]:
            if name != CONFIG:
                with written(self.path / name):
                    (self.path / name).unlink(missing_ok=True)

    def save(self, trainer, run):
        """Write the newest checkpoint.  The oldest goes when the new one is in place: two are whole at any moment."""
        save_checkpoint(self.path / CHECKPOINTS[0], trainer, run, self.records)
        self._settle()
        self._write_config()

    def _settle(self):
        """Give the newest checkpoint its lasting name, and the one before it the other."""
        newest, current, previous = (self.path / name for name in CHECKPOINTS)
        with written(current):
            if current.exists():
                os.replace(current, previous)
            os.replace(newest, current)
            sync_folder(self.path)

    def restore(self, trainer, run):
        """Put trainer, records and metrics.jsonl where the newest whole checkpoint was taken; False if there is none.

        A damaged one is said and put aside.  RnnlmError if all are damaged, or the first whole one is of another run
        than ``run`` (see save); then they stay as they are.
        """
        errors = []
        for path in self.checkpoints():
            try:
                if not _same_run(read_checkpoint_header(path)["run"], run):
                    raise RnnlmError(f"{path} is of another run than the newer checkpoint, which is damaged: remove "
                                     f"{errors[-1][0] if errors else path} to go on with that run")
                self.records = load_checkpoint(path, trainer)
            except DamagedError as error:  # but not one that could not be read: that may pass
                errors.append((path, error))
                continue
            for damaged, error in errors:
                note(f"note: {error}; it is kept as {DAMAGED}, and the one before it is taken")
                with written(self.path / DAMAGED):
                    os.replace(damaged, self.path / DAMAGED)
            if path.name == CHECKPOINTS[0]:
                if not trainer.iteration:  # killed while it replaced another run
                    self._remove_older()
                self._settle()
            write_text(self.path / METRICS, "".join(map(_line, self.records)))
            return True
        if errors:
            raise RnnlmError(self._none_is_whole([str(error) for _, error in errors]))
        return False

    def append_metrics(self, record):
        """Append a Record to metrics.jsonl, whole or not at all; redraw the picture now and then."""
        path, line = self.path / METRICS, _line(record).encode()
        with written(path), open(path, "ab", buffering=0) as file:
            size = file.tell()
            try:
                if file.write(line) != len(line):
                    raise OSError("no room for the whole line")
            except OSError:
                file.truncate(size)
                raise
        if time.monotonic() - self.drawn > REDRAW_SECONDS:
            self.redraw()

    def redraw(self):
        """The picture if there is something to draw, and a note if it cannot be written."""
        try:
            self.draw()
        except RnnlmError as error:
            note(f"note: {error}")

    def draw(self):
        """perplexity.png, from all records so far. RnnlmError if it cannot be written; other trouble is only said."""
        self.drawn = time.monotonic()
        if not self.records:
            return
        records = [as_json(record) for record in self.records]
        try:
            plot_perplexity(self.path / PICTURE, records, self.title, self.best_possible, self.level)
        except RnnlmError:
            raise
        except Exception as error:  # whatever matplotlib meets: fonts, a broken installation
            note(f"note: {PICTURE} could not be drawn: {error}")

    def remove_unless_begun(self, made):
        """Remove the folders that were made for a run that did not begin."""
        with suppress(OSError):  # somebody else put something there
            for place in () if self.begun else made:
                place.rmdir()


def _same_run(saved, run):
    """Whether what a checkpoint keeps of its run is the same in all on which the training depends.

    An option that one of them does not have is newer than the other, and at its default.
    """
    options = saved.get("options")
    if not isinstance(options, dict) or saved.get("corpus") != run["corpus"]:
        return False
    common = (options.keys() & run["options"].keys()) - set(free(options))
    return all(options[name] == run["options"][name] for name in common)


def as_json(record):
    """A Record as a dict for JSON, which has no infinity and no not-a-number: null stands for them."""
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in asdict(record).items()}


def _line(record):
    return json.dumps(as_json(record), allow_nan=False) + "\n"
