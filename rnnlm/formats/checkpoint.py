"""Checkpoints, from which a training run is resumed.

They are archives (rnnlm/files/archive.py): a JSON header and named arrays, read without trust.  A checkpoint holds
everything that the end of a run depends on, but for the texts, whose fingerprint it keeps.  docs/file-formats.md has
the format.
"""

import math
import platform
from dataclasses import astuple, fields

import numpy as np

from rnnlm.compute import arguments
from rnnlm.compute.functions import perplexity
from rnnlm.errors import ArgumentError, shown
from rnnlm.files.archive import open_archive, require_finite, write_archive
from rnnlm.models.architecture import declared_shapes
from rnnlm.training.trainer import Record, Trainer

CHECKPOINT_FORMAT = "rnnlm checkpoint", 3  # raised when a run would go on otherwise than it began
RECORDS = "records"


def save_checkpoint(path, trainer, run, records):
    """Write all that a run needs to go on, whole or not at all.

    run: what else to keep, a dict for JSON; records: the Record of every epoch so far.  DivergenceError if a
    number is not finite; then nothing is written.
    """
    arguments.path("path", path, remedy="save_checkpoint takes (path, trainer, run, records)")
    arguments.kind("trainer", trainer, Trainer, "a Trainer")
    arguments.kind("records", records, list | tuple, "a list of Records")
    if len(records) != trainer.epoch or not all(isinstance(record, Record) for record in records):
        raise ArgumentError(f"records must be the Records that fit yielded, one for each of {trainer.epoch} epochs")
    name, version = CHECKPOINT_FORMAT
    header = {"format": name, "version": version, "architecture": trainer.model.architecture, "run": run,
              "made_by": versions(), "numbers": _without_inf(trainer.numbers())}
    arrays = trainer.arrays()
    require_finite(arrays)
    table = np.array([astuple(record) for record in records], np.float64)  # a perplexity may be infinite
    write_archive(path, header, {RECORDS: table.reshape(-1, len(fields(Record))), **arrays})


def read_checkpoint_header(path):
    """The header of a checkpoint, a dict with the keys of docs/file-formats.md, of the kinds stated there.

    RnnlmError if the file is no checkpoint, or if a model of the size it tells of cannot be in it.
    """
    with open_archive(path, "a whole rnnlm checkpoint") as archive:
        return _checkpoint_header(archive)


def _checkpoint_header(archive):
    archive.require_kind(*CHECKPOINT_FORMAT)
    for key in ("architecture", "run", "made_by", "numbers"):
        if not isinstance(archive.header[key], dict):
            raise ValueError(f"{key} must be a JSON object")
    archive.require(declared_shapes(archive.header["architecture"]))
    return archive.header


def load_checkpoint(path, trainer):
    """Put a trainer where the checkpoint was taken; returns the Records of the epochs before it.

    The trainer must have been built as for the run's beginning.  RnnlmError if the file is damaged or of another
    model; the trainer may then hold a part of it, until another checkpoint is restored.
    """
    arguments.path("path", path, remedy="load_checkpoint takes (path, trainer)")
    arguments.kind("trainer", trainer, Trainer, "a Trainer")
    with open_archive(path, "a whole rnnlm checkpoint of this run") as archive:
        header = _checkpoint_header(archive)
        if header["architecture"] != trainer.model.architecture:
            raise ValueError(f"its model is {shown(header['architecture'])}, not {trainer.model.architecture}")
        trainer.go_to(_with_inf(header["numbers"]))
        arrays = trainer.arrays()
        archive.require_names([RECORDS, *arrays])
        archive.require({name: array.shape for name, array in arrays.items()})
        archive.require({RECORDS: (trainer.epoch, len(fields(Record)))}, np.float64)
        table = np.empty((trainer.epoch, len(fields(Record))))
        archive.read(RECORDS, table)
        for name, array in arrays.items():
            archive.read_finite(name, array)
        return [_record(epoch, row) for epoch, row in enumerate(table.tolist(), 1)]


def _record(epoch, row):
    """The Record in a row of the table; ValueError if no epoch can have had these numbers."""
    values = dict(zip((field.name for field in fields(Record)), row, strict=True))
    valid_loss = values["valid_loss"]  # the one number that may be infinite or none
    numbers = [value for name, value in values.items() if name != "valid_loss" and "perplexity" not in name]
    if not all(math.isfinite(number) and number >= 0 for number in numbers) or valid_loss < 0:
        raise ValueError(f"{RECORDS} hold numbers that no epoch can have had: {shown(row)}")
    values |= {"train_perplexity": perplexity(values["train_loss"], 1), "valid_perplexity": perplexity(valid_loss, 1)}
    record = Record(**{field.name: field.type(values[field.name]) for field in fields(Record)})
    if record.epoch != epoch or (record.improved and not math.isfinite(valid_loss)):
        raise ValueError(f"{RECORDS} hold numbers that no epoch can have had: {shown(row)}")
    return record


def versions():
    """What the last bits of a result depend on, beside the program: the machine, Python and NumPy."""
    return {"machine": platform.machine(), "python": platform.python_version(), "numpy": np.__version__}


def _without_inf(values):
    """JSON has no infinity: null stands for it."""
    if isinstance(values, dict):
        return {key: _without_inf(value) for key, value in values.items()}
    return None if values == math.inf else values


def _with_inf(values):
    if isinstance(values, dict):
        return {key: _with_inf(value) for key, value in values.items()}
    return math.inf if values is None else values
