"""Checkpoints, from which a training run is resumed.

They are archives (rnnlm/files/archive.py): a JSON header and named arrays, read without
trust.  A checkpoint holds everything that the end of a run depends on except for the
texts, whose fingerprint it keeps.  docs/file-formats.md describes the format.
"""

from __future__ import annotations

import math
import platform
from dataclasses import astuple, fields
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError, shown
from rnnlm.files.archive import open_archive, write_archive
from rnnlm.files.finite import require_finite
from rnnlm.formats.checkpoint_form import RECORDS, records_of, require_possible
from rnnlm.formats.stored_vocabulary import COUNTS, VOCABULARY, read_vocabulary, vocabulary_arrays, vocabulary_size
from rnnlm.models.architecture import Architecture, from_earlier
from rnnlm.text.choose_tokenizer import OF_TOKENIZERS
from rnnlm.training.snapshot import shapes_of
from rnnlm.training.trainer import Record, Trainer

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from typing import Any

    from rnnlm.files.whole import File
    from rnnlm.text.vocabulary import Vocabulary

FORMAT = "rnnlm checkpoint"
VERSION = 4  # raised when a run would continue otherwise than it began
EARLIER = 3  # is read, too: it has earlier names of cells, and random numbers by scheme 1


def save_checkpoint(path: str | os.PathLike[str], trainer: Trainer, run: dict[str, Any],
                    records: Sequence[Record], vocabulary: Vocabulary | None = None) -> None:
    """Write all that a run needs to resume, whole or not at all.

    Parameters
    ----------
    path : where to write.
    trainer : the Trainer of the run, between two steps.
    run : what else to keep, a dict for JSON.
    records : the Record of every epoch so far.
    vocabulary : the Vocabulary, where it does not follow from the texts of the run.

    Raises
    ------
    DivergenceError : a number is not finite; then nothing is written.
    ArgumentError : the records are not those of the trainer's epochs, or a part of the
        trainer cannot be saved.
    """
    arguments.path("path", path, remedy="save_checkpoint takes (path, trainer, run, records)")
    arguments.kind("trainer", trainer, Trainer, "a Trainer")
    arguments.kind("records", records, list | tuple, "a list of Records")
    if len(records) != trainer.epoch or not all(isinstance(record, Record) for record in records):
        raise ArgumentError(f"records must be the Records that fit yielded, one for each of {trainer.epoch} epochs")
    snapshot = trainer.snapshot()
    header = {"format": FORMAT, "version": VERSION, "architecture": dict(trainer.model.architecture), "run": run,
              "made_by": versions(), "numbers": _without_inf(snapshot.values)}
    require_finite(snapshot.arrays)
    kept = {} if vocabulary is None else vocabulary_arrays(vocabulary)
    if vocabulary is not None:
        header[VOCABULARY] = vocabulary.tokenizer.description()
    table = np.array([astuple(record) for record in records], np.float64)  # a perplexity may be infinite
    write_archive(path, header, {RECORDS: table.reshape(-1, len(fields(Record))), **kept, **snapshot.arrays})


def checkpoint_size(trainer, vocabulary=None):
    """Bytes of the arrays in the largest checkpoint of a Trainer.

    They are the weights, what is kept for each that trains, the states and, if a
    checkpoint keeps it, the vocabulary.
    """
    model, N = trainer.model, trainer.batches.batch_size
    rates, met = trainer.optimizer.lag_arrays(model.packing.params, model.packing.grads)
    late = rates.nbytes + sum(steps.nbytes for steps in met.values()) if met else 0
    outer = trainer.sharing is not None and trainer.sharing.arrays() is not None
    copies = len(trainer.optimizer.slot_names) + (trainer.average is not None) + outer
    weights = sum(p.nbytes for p in model.params) + copies * sum(p.nbytes for p in model.packing.params)
    states = sum(len(layer.state_names) * layer.hidden_size for layer in model.recurrent) * N
    words = 0 if vocabulary is None else vocabulary_size(vocabulary)
    return weights + states * model.params[0].itemsize + words + late


def read_checkpoint_header(path):
    """The header of a checkpoint, a dict as docs/file-formats.md describes it.

    RnnlmError if the file is no checkpoint, or cannot hold a model of the size that it
    declares.
    """
    with open_archive(path, "a whole rnnlm checkpoint") as archive:
        return _checkpoint_header(archive)


def read_checkpoint_vocabulary(path):
    """The Vocabulary in a checkpoint of a run that began from a model or has subwords.

    RnnlmError if there is none.
    """
    with open_archive(path, "a whole rnnlm checkpoint of a run that began from a model or reads subwords") as archive:
        size = _checkpoint_header(archive)["architecture"]["vocab_size"]
        return read_vocabulary(archive, archive.header[VOCABULARY], size, archive.holds(COUNTS))


def _names_of_vocabulary(archive):
    """The names of the arrays of a vocabulary, which a checkpoint may have."""
    names = (VOCABULARY, COUNTS, *OF_TOKENIZERS) if VOCABULARY in archive.header else ()
    return list(filter(archive.holds, names))


def _checkpoint_header(archive):
    archive.require_kind(FORMAT, VERSION, EARLIER)
    for key in ("architecture", "run", "made_by", "numbers"):
        if not isinstance(archive.header[key], dict):
            raise ValueError(f"{key} must be a JSON object")
    header = _in_words_of_today(archive.header)
    archive.require(Architecture.from_file(header["architecture"]).shapes())
    return header


def _in_words_of_today(header):
    """A checkpoint's header of either version, as today's programs write it."""
    if isinstance(optimizer := header["numbers"].get("optimizer"), dict):
        optimizer.setdefault("unsettled", 0)  # earlier programs updated all rows at each step
    if header["version"] == EARLIER:
        header["numbers"].setdefault("random_scheme", 1)
        header["architecture"] = from_earlier(header["architecture"])
        if isinstance(options := header["run"].get("options"), dict):
            header["run"]["options"] = from_earlier(options)
    return header


def load_checkpoint(path: str | os.PathLike[str] | File, trainer: Trainer) -> list[Record]:
    """Bring a trainer to where the checkpoint was taken.

    Parameters
    ----------
    path : of a checkpoint; or a File.
    trainer : a Trainer that was built as at the run's beginning.

    Returns
    -------
    records : the Records of the epochs before the checkpoint.

    Raises
    ------
    RnnlmError : the file is damaged or of another model.  The trainer may then hold a
        part of it, until another checkpoint is restored.
    """
    arguments.path("path", path, remedy="load_checkpoint takes (path, trainer)")
    arguments.kind("trainer", trainer, Trainer, "a Trainer")
    with open_archive(path, "a whole rnnlm checkpoint of this run") as archive:
        header = _checkpoint_header(archive)
        # A run has compared its options already (rnnlm.runs.resuming).  But this
        # function is public, and a trainer from Python has no options.
        architecture = dict(trainer.model.architecture)
        if header["architecture"] != architecture:
            raise ValueError(f"its model is {shown(header['architecture'])}, not {architecture}")
        values = _with_inf(header["numbers"])
        require_possible(values, trainer)
        saved = SavedSnapshot(values, archive)
        trainer.restore(saved)
        return records_of(saved.records.tolist())


class SavedSnapshot:
    """A Snapshot in an open archive, read straight into the arrays of the run.

    Attributes
    ----------
    values : those of the Snapshot.
    archive : the open archive.
    records : the table of the epochs' records, once ``fill`` was called.
    """

    def __init__(self, values, archive):
        self.values, self.archive, self.records = values, archive, None

    def require(self, arrays, iteration):
        """ValueError unless the file declares these names and shapes.

        A file stays as it is, whatever the iteration of the run.
        """
        self.archive.require_names([RECORDS, *_names_of_vocabulary(self.archive), *arrays])
        self.archive.require(shapes_of(arrays))
        self.archive.require({RECORDS: self._table()}, np.float64)  # before memory follows what the file says

    def fill(self, arrays):
        """Read all arrays, which ``require`` has accepted."""
        self.records = np.empty(self._table())
        self.archive.read(RECORDS, self.records)
        for name, array in arrays.items():
            self.archive.read_finite(name, array)

    def _table(self):
        return self.values["epoch"], len(fields(Record))


def versions():
    """What a result's last bits depend on, apart from the program."""
    return {"machine": platform.machine(), "python": platform.python_version(), "numpy": np.__version__}


def _without_inf(values):
    """Values for JSON, which has no infinity: null (None) takes its place."""
    if isinstance(values, dict):
        return {key: _without_inf(value) for key, value in values.items()}
    return None if values == math.inf else values


def _with_inf(values):
    if isinstance(values, dict):
        return {key: _with_inf(value) for key, value in values.items()}
    return math.inf if values is None else values
