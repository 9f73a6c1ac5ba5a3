"""Model files, from which a model is used, and checkpoints, from which its training goes on.

Both are archives (rnnlm/archive.py): a JSON header and named arrays, read without trust.  A model file holds the
weights, the architecture and the vocabulary, so that nothing else is needed.  A checkpoint holds everything that
the end of a run depends on, but for the texts, whose fingerprint it keeps.  docs/file-formats.md has both.
"""

import math
import os
import platform
from dataclasses import asdict, astuple, fields
from pathlib import Path

import numpy as np

from rnnlm import arguments
from rnnlm.archive import as_bytes, open_archive, require_finite, write_archive
from rnnlm.errors import ArgumentError, RnnlmError, counted, shown
from rnnlm.evaluation import perplexity
from rnnlm.files import File
from rnnlm.models import CELLS, LanguageModel, Regularisation
from rnnlm.models.architecture import SIZES, checked
from rnnlm.text import LEVELS
from rnnlm.trainer import Record, Trainer
from rnnlm.vocabulary import Vocabulary
from rnnlm.workers import SERIAL, Workers

MODEL_NAME = "model.npz"
MODEL_FORMAT = "rnnlm model", 1        # name and version
CHECKPOINT_FORMAT = "rnnlm checkpoint", 3  # raised when a run would go on otherwise than it began
CHOICES = {"activation": "tanh", "tied": False, "projection": False}  # what early files do not have
RATIOS = ("dropout", "input_dropout")
RECORDS = "records"


def save_model(path, model, vocabulary, training=None):
    """Write a model file, whole or not at all; its numbers are float32, whatever the model computes in.

    training: what to remember of the run, a dict for JSON.

    DivergenceError if a weight is not finite, ArgumentError if model and vocabulary do not belong together; then
    nothing is written.
    """
    arguments.path("path", path, remedy="save_model takes (path, model, vocabulary)")
    arguments.kind("model", model, LanguageModel, "a LanguageModel")
    arguments.kind("vocabulary", vocabulary, Vocabulary, "a Vocabulary")
    words = _words_of(model, vocabulary)
    name, version = MODEL_FORMAT
    header = {"format": name, "version": version, "level": vocabulary.level, "architecture": model.architecture,
              "training": training or {}, "regularisation": asdict(model.regularisation)}
    with np.errstate(over="ignore"):  # said in one line
        params = {name: param.astype(np.float32, copy=False) for name, param in model.named_params().items()}
    require_finite(params)
    write_archive(path, header, {"vocabulary": words, **params})


def _words_of(model, vocabulary):
    """The words as a model file holds them. ArgumentError unless they are the model's, and come back as they are."""
    size = model.architecture["vocab_size"]
    if len(vocabulary) != size:
        raise ArgumentError(f"the vocabulary must have a word for each of the model's {size} ids, it has "
                            f"{len(vocabulary)}")
    if model.vocabulary_fingerprint not in (None, vocabulary.fingerprint()):
        raise ArgumentError("the model uses the ids of another vocabulary: save it with the one that load_model "
                            "returned, or set model.vocabulary_fingerprint to None if the words have new names")
    words = "\n".join(vocabulary.words)
    if words.count("\n") != size - 1:
        found = next(word for word in vocabulary.words if "\n" in word)
        raise arguments.wrong("words", "without a line end, which separates them in the file", found)
    try:
        return as_bytes(words)
    except UnicodeEncodeError as error:
        raise ArgumentError(f"words must be text that UTF-8 can encode, got {shown(words[error.start])}") from None


def load_model(path, workers=SERIAL, regularisation=None):
    """The (model, vocabulary) of a model file (a path or a File) or of a run folder.

    RnnlmError says what is wrong with it.

    workers: the threads that the model will compute on.
    regularisation: what the model is to be trained with from now on; None: as it was, which the file says.

    Dropout is off until a Trainer takes the model, or model.set_training(True) is called.
    """
    arguments.path("path", path, "the path of a model file or of a run folder")
    arguments.kind("workers", workers, Workers, "a Workers", "with Workers(2) as workers: load_model(path, workers)")
    if regularisation is not None:
        arguments.kind("regularisation", regularisation, Regularisation, "a Regularisation")
    with open_archive(_model_file(path), "a whole rnnlm model file") as archive:
        archive.require_kind(*MODEL_FORMAT)
        architecture = archive.header["architecture"]
        arguments.one_of("level", archive.header["level"], LEVELS)
        shapes = declared_shapes(architecture)
        archive.require_names(["vocabulary", *shapes])
        archive.require(shapes)
        vocabulary = _vocabulary(archive, architecture["vocab_size"])
        saved = Regularisation.from_file(archive.header.get("regularisation", {}))
        model = LanguageModel(**declared(architecture), regularisation=regularisation or saved, rng=None,
                              workers=workers)
        for name, param in model.named_params().items():
            archive.read_finite(name, param)
    model.vocabulary_fingerprint = vocabulary.fingerprint()
    model.set_training(False)
    return model, vocabulary


def _model_file(path):
    """The path or File itself, or the model's in a run folder. RnnlmError if that has none."""
    if isinstance(path, File) or not os.path.isdir(path):
        return path
    if not os.path.exists(Path(path) / MODEL_NAME):
        raise RnnlmError(f"{path} holds no {MODEL_NAME}: give a model file or the folder of a run")
    return Path(path) / MODEL_NAME


def _vocabulary(archive, size):
    """The Vocabulary of a model file. ValueError if it has not this many words."""
    words = archive.text("vocabulary")
    count = words.count("\n") + 1
    if count != size:  # before a list of them is made
        raise ValueError(f"vocab_size is {size}, which does not fit the {counted(count, 'word')} of the vocabulary")
    return Vocabulary(words.split("\n"), archive.header["level"])


def read_model_training(path):
    """What a model file remembers of its run (see save_model). RnnlmError if it is no model file."""
    with open_archive(path, "a whole rnnlm model file") as archive:
        archive.require_kind(*MODEL_FORMAT)
        archive.require(declared_shapes(archive.header["architecture"]))
        return archive.header["training"]


def declared_shapes(architecture):
    """Names and shapes of the parameters of an architecture; ValueError unless a model of that size may be built."""
    return LanguageModel.param_shapes(**declared(architecture))


def declared(architecture):
    """An architecture as keyword arguments of LanguageModel; ValueError unless a model of that size may be built.

    The dropout ratios that early files hold are of no use to a model that is not trained.
    """
    if not isinstance(architecture, dict) or architecture.get("cell") not in tuple(CELLS):
        raise ValueError(f"architecture must be an object with one of the cells {', '.join(CELLS)}, "
                         f"got {shown(architecture)}")
    if not {"cell", *SIZES} <= architecture.keys() <= {"cell", *SIZES, *CHOICES, *RATIOS}:
        raise ValueError(f"architecture must have the keys {', '.join(['cell', *SIZES])} and may have "
                         f"{', '.join(CHOICES)}, got {shown(architecture)}")
    own = {key: value for key, value in architecture.items() if key not in RATIOS}
    if checked(CHOICES | own)["projection"] != own.get("projection", False):
        raise ValueError(f"tied needs a projection where the sizes differ, got {shown(architecture)}")
    return own


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
