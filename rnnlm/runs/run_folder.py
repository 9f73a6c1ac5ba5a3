"""The run folder: what a training run leaves behind, whole at every moment.

Each file appears whole or not at all.  The two newest checkpoints are kept.  Each holds
all that is needed to continue, the lines of metrics.jsonl included.
"""

import json
import os
import shutil
import stat

from rnnlm.errors import RnnlmError, one_line, quoted
from rnnlm.files.whole import write_text, written
from rnnlm.formats.checkpoint import read_checkpoint_header, read_checkpoint_vocabulary
from rnnlm.formats.model_file import MODEL_NAME, save_model
from rnnlm.runs.checkpoint_files import CHECKPOINTS, DAMAGED, CheckpointFiles, without_checkpoints
from rnnlm.runs.configuration import CONFIG, config_text
from rnnlm.runs.kept_folder import KeptFolder
from rnnlm.runs.metrics import METRICS, append_line, as_line
from rnnlm.runs.resuming import what_differs
from rnnlm.runs.run_picture import PICTURE, HasPicture
from rnnlm.runs.summary import SUMMARY, has_ended, read_summary

NAMES = (*CHECKPOINTS, DAMAGED, METRICS, PICTURE, MODEL_NAME, SUMMARY, CONFIG)
SMALL_FILES = 1_000_000  # bytes for metrics, picture, summary, vocabulary and what surrounds the arrays
SURROUNDINGS = 10_000  # bytes of a model file besides its arrays, of a model with dozens of them


class RunFolder(HasPicture):
    """The folder of one training run.

    held: the HeldFolder; observer: is told of what looks odd; model: the model's File;
    checkpoints: the CheckpointFiles; kept: the KeptFolder;
    before: the options of the checkpoint from which the run resumes, None for a new
    run.  What the picture shows: see HasPicture.
    """

    def __init__(self, held, observer):
        self.observer = observer
        self.held, self.path, self.model = held, held.path, held.file(MODEL_NAME)
        self.checkpoints, self.kept = CheckpointFiles(held), KeptFolder(held)
        self.begun, self.before, self.config = False, None, ""
        self.shown = one_line(str(self.path))
        super().__init__()

    @property
    def best(self):
        """The Record of the best epoch, whose model is kept; None if there is none."""
        return best_of(self.records)

    def newest_header(self):
        """The newest checkpoint header that can be read; None without a checkpoint.

        RnnlmError if there are checkpoints, but no header can be read.
        """
        return self.checkpoints.newest(read_checkpoint_header)

    def newest_vocabulary(self):
        """The vocabulary in the newest checkpoint where it can be read.

        It is that of a run that began from a model or reads subwords; errors as
        ``newest_header``.
        """
        return self.checkpoints.newest(read_checkpoint_vocabulary)

    def holds_options(self):
        """Whether a run left its options here, which it does first of all."""
        return self.held.file(CONFIG).exists()

    def would_replace(self, path):
        """Whether a new run writes, or removes, the model file at a path."""
        ours = filter(os.path.exists, (self.model.path, *self.kept.paths()))  # not a link to nothing
        return any(os.path.samefile(path, other) for other in ours)

    def require_nothing_but_options(self):
        """RnnlmError if a run left models or metrics, but no checkpoint."""
        if self.model.exists() and has_ended(read_summary(self.path)):
            raise without_checkpoints(self.path)
        for name in (MODEL_NAME, METRICS):
            if self.held.file(name).exists():
                raise self._no_checkpoint(name)
        if self.kept.holds_models():
            raise self._no_checkpoint("kept models")

    def _no_checkpoint(self, what):
        return RnnlmError(f"{self.path} holds {what} but no checkpoint to resume from: replace it with --overwrite, or "
                          "choose another --output")

    def require_space(self, checkpoint_bytes, model_bytes, kept=0):
        """RnnlmError unless there is room for three checkpoints and two models.

        A new checkpoint is whole before the oldest goes.  kept: how many more models
        the run keeps on its way.
        """
        self.held.require_own()  # reading the texts may have taken long
        there = sum(file.stat().st_size for file in (*self.checkpoints.there(), self.model) if file.exists())
        needed = max(checkpoint_bytes, 3 * checkpoint_bytes + 2 * model_bytes + SMALL_FILES - there)
        needed += max(0, kept * (model_bytes + SURROUNDINGS) - self.kept.size())
        free = shutil.disk_usage(self.path).free
        if needed > free:
            raise RnnlmError(f"{self.path} needs {needed / 1e6:,.1f} MB more for checkpoints and models, but only "
                             f"{free / 1e6:,.1f} MB are free: free some disk space, or choose another --output")

    def begin(self, options, title, best_possible=None, began_from=None):
        """Make the folder this run's.

        config.toml is written as soon as there is a checkpoint of these options.
        began_from: what it says of the model that the run began from, a dict, or None.
        """
        for name in NAMES:
            if stat.S_ISDIR(self.held.file(name).mode()):
                raise RnnlmError(f"{self.path / name} is a folder, but the run writes a file there: move it, or choose "
                                 "another --output")
        if options.keep_every or options.keep_at:
            self.kept.require_folder()
        self.begun = True
        self.title, self.best_possible, self.level = title, best_possible, options.level
        self.config = config_text(self.path, options, began_from)
        if self.before is not None:
            self._correct_config(options, began_from)
        elif not self.checkpoints.there():
            with self.held.writing():
                self._write_config()

    def _correct_config(self, options, began_from):
        """Make config.toml say what the checkpoint says, and note what differed."""
        config = self.held.file(CONFIG)
        if stat.S_ISREG(config.mode()) and (line := what_differs(config, self.before, options)):
            self.observer.on_note(line)
        with self.held.writing():
            write_text(config, config_text(self.path, self.before, began_from))

    def replace_all(self, trainer, run, vocabulary=None):
        """Save the first checkpoint of a run, then remove all that was there before.

        In this order: killed before it is whole, the old run is; killed afterwards,
        --resume finds a run at its start.
        """
        with self.held.writing():
            self.checkpoints.write(trainer, run, self.records, vocabulary)
            self._remove_older()
            self.checkpoints.settle()
            self._write_config()

    def _write_config(self):
        if self.config:
            write_text(self.held.file(CONFIG), self.config)
        self.config = ""

    def _remove_older(self):
        """Remove all but the newest checkpoint and config.toml."""
        for name in NAMES[1:]:
            if name != CONFIG:
                file = self.held.file(name)
                with written(file):
                    file.unlink(missing_ok=True)
        self.kept.discard_after(0)

    def save(self, trainer, run, vocabulary=None):
        """Write the newest checkpoint.

        The oldest goes when the new one is in place: two are whole at any moment.
        """
        with self.held.writing():
            self.checkpoints.write(trainer, run, self.records, vocabulary)
            self.checkpoints.settle()
            self._write_config()

    def write_summary(self, summary):
        """Write summary.json, what a Summary says."""
        with self.held.writing():
            write_text(self.held.file(SUMMARY), json.dumps(summary.as_json(), indent=1, allow_nan=False) + "\n")

    def end(self, discard):
        """Leave one checkpoint of a run that has ended; with ``discard`` none."""
        with self.held.writing():
            self.checkpoints.discard(keep=0 if discard else 1)

    def save_model(self, *model_vocabulary_and_training):
        """Write the model file; see rnnlm.formats.model_file.save_model."""
        with self.held.writing():
            save_model(self.model, *model_vocabulary_and_training)

    def restore(self, trainer, run):
        """Put trainer, records and metrics.jsonl where the newest whole checkpoint is.

        False if there is none.  A damaged one is reported and put aside.  RnnlmError if
        all are damaged, or the first whole one is of another run than ``run`` (see
        ``save``); then they are left as they are.
        """
        found = self.checkpoints.load(trainer, run)
        if found is None:
            return False
        restored, self.records, errors = found
        with self.held.writing():
            self._make_true(restored, trainer, errors)
        return True

    def _make_true(self, restored, trainer, errors):
        """Make the folder as the restored checkpoint (a File) says.

        errors: the damaged checkpoints, each with its error.
        """
        for damaged, error in errors:
            self.observer.on_note(f"{error}; it is kept as {DAMAGED}, and the one before it is used")
            self.checkpoints.put_aside(damaged)
        if restored.path.name == CHECKPOINTS[0]:
            if not trainer.iteration:  # killed while it replaced another run
                self._remove_older()
            self.checkpoints.settle()
        self.kept.discard_after(trainer.tokens)  # what comes then is not yet known
        write_text(self.held.file(METRICS), "".join(map(as_line, self.records)))

    def append_metrics(self, record):
        """Append a Record to metrics.jsonl, whole or not at all; at times, redraw."""
        with self.held.writing():
            append_line(self.held.file(METRICS), record)
        self.redraw_at_times()

    def is_unused(self):
        """Whether the run did not begin, and its new folder still has its name."""
        return not self.begun and self.held.has_its_name()


def best_of(records):
    """The Record of the best epoch; None if there is none."""
    return next((record for record in reversed(records) if record.improved), None)


def resume_command(path):
    """The command that continues the run in this folder."""
    return f"rnnlm train --resume --output {quoted(path)}"
