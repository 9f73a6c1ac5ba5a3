"""Model files, from which a model is used.

They are archives (rnnlm/files/archive.py): a JSON header and named arrays, read without
trust.  A model file holds the weights, the architecture and the vocabulary, so that
nothing else is needed.  Where they are known, it also holds how often each word occurs
in the training text.  docs/file-formats.md describes the format.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.compute.default_workers import workers_or_default
from rnnlm.errors import ArgumentError, DamagedError, RnnlmError
from rnnlm.files.archive import open_archive, write_archive
from rnnlm.files.finite import require_finite
from rnnlm.files.whole import File
from rnnlm.formats.seed_names import one_of_several
from rnnlm.formats.stored_vocabulary import (
    COUNTS,
    VOCABULARY,
    read_tokenizer,
    read_vocabulary,
    vocabulary_arrays,
    vocabulary_size,
)
from rnnlm.models import LanguageModel, Regularisation
from rnnlm.models.architecture import Architecture, from_earlier, to_earlier
from rnnlm.text.choose_tokenizer import KEY, stored_arrays
from rnnlm.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from typing import Any

    from rnnlm.compute.threads import Workers

MODEL_NAME = "model.npz"
FORMAT = "rnnlm model"
# The first has earlier names of cells, the third has counts, the fourth may have a
# tokenizer, an adaptive softmax, and counts or none.  The lowest that can hold the
# model is written, as earlier programs read it.
EARLIER, WITHOUT_COUNTS, WITH_COUNTS, LATEST = VERSIONS = 1, 2, 3, 4


def save_model(path: str | os.PathLike[str], model: LanguageModel, vocabulary: Vocabulary,
               training: dict[str, Any] | None = None) -> None:
    """Write a model file, whole or not at all.

    Its numbers are float32, whatever the model computes in.

    Parameters
    ----------
    path : where to write.
    model : the LanguageModel.
    vocabulary : the Vocabulary whose ids the model reads.  If it knows its counts, they
        are saved, too.
    training : what to remember of the run, a dict for JSON; None: nothing.

    Raises
    ------
    DivergenceError : a weight is not finite; then nothing is written.
    ArgumentError : model and vocabulary do not belong together; then nothing is
        written.
    """
    arguments.path("path", path, remedy="save_model takes (path, model, vocabulary)")
    arguments.kind("model", model, LanguageModel, "a LanguageModel")
    arguments.kind("vocabulary", vocabulary, Vocabulary, "a Vocabulary")
    require_vocabulary(model, vocabulary)
    own, description = vocabulary_arrays(vocabulary), vocabulary.tokenizer.description()
    latest = KEY in description or model.architecture.cutoffs
    earlier = None if COUNTS in own or latest else to_earlier(model.architecture)
    version = LATEST if latest else WITH_COUNTS if COUNTS in own else EARLIER if earlier else WITHOUT_COUNTS
    header = {"format": FORMAT, "version": version, **description,
              "architecture": earlier or dict(model.architecture), "training": training or {},
              "regularisation": asdict(model.regularisation)}
    with np.errstate(over="ignore"):  # said in one line
        params = {name: model.device.get(param).astype(np.float32, copy=False)
                  for name, param in model.named_params().items()}
    require_finite(params)
    write_archive(path, header, {**own, **params})


def model_size(model, vocabulary):
    """Bytes of the arrays in the model file."""
    return 4 * sum(p.size for p in model.params) + vocabulary_size(vocabulary)


def require_vocabulary(model, vocabulary):
    """ArgumentError unless the vocabulary is the model's."""
    size = model.architecture.vocab_size
    if len(vocabulary) != size:
        raise ArgumentError(f"the vocabulary must have a word for each of the model's {size} ids, it has "
                            f"{len(vocabulary)}")
    if model.vocabulary_fingerprint not in (None, vocabulary.fingerprint()):
        raise ArgumentError("the model uses the ids of another vocabulary: save it with the one that load_model "
                            "returned, or set model.vocabulary_fingerprint to None if the words have new names")


def load_model(path: str | os.PathLike[str] | File, workers: Workers | None = None,
               regularisation: Regularisation | None = None) -> tuple[LanguageModel, Vocabulary]:
    """The model and the vocabulary of a model file or of a run folder.

    Dropout is off until a Trainer takes the model, or model.set_training(True) is
    called.

    Parameters
    ----------
    path : of a model file or of a run folder; or a File.
    workers : the Workers that the model will compute on; None: see LanguageModel.
    regularisation : the Regularisation of further training; None: as before, which the
        file says.

    Returns
    -------
    model : the LanguageModel.
    vocabulary : its Vocabulary.

    Raises
    ------
    RnnlmError : there is no model file, or it is damaged; the message says what is
        wrong.
    """
    arguments.possible_path("path", path, "the path of a model file or of a run folder")
    workers = workers_or_default(workers, "with Workers(2) as workers: load_model(path, workers)")
    if regularisation is not None:
        arguments.kind("regularisation", regularisation, Regularisation, "a Regularisation")
    return _load(path, workers, regularisation)[:2]


def load_model_and_sha256(path: str | os.PathLike[str],
                          workers: Workers | None = None) -> tuple[LanguageModel, Vocabulary, str]:
    """What ``load_model`` gives, and the SHA-256 (hex) of the file that was read.

    It is that of the file even if another one has its name by now.
    """
    return _load(path, workers, hashed=True)


def _load(path, workers, regularisation=None, hashed=False):
    """The model, the vocabulary and, if it is asked for, the SHA-256; else None."""
    try:
        return _read(path, workers, regularisation, hashed)
    except DamagedError as error:
        from rnnlm.formats.other_ngrams import as_ngrams

        raise DamagedError(as_ngrams(path) or str(error)) from error


def _read(path, workers, regularisation, hashed):
    """What ``_load`` gives."""
    with open_archive(model_file(path), "a whole rnnlm model file") as archive:
        architecture = _architecture(archive)
        stored = _stored(archive, architecture.vocab_size)
        shapes = architecture.shapes()
        size, with_counts = architecture.vocab_size, _has_counts(archive)
        archive.require_names([VOCABULARY, *stored, *([COUNTS] if with_counts else []), *shapes])
        archive.require(shapes)
        vocabulary = read_vocabulary(archive, archive.header, size, with_counts)
        saved = Regularisation.from_file(archive.header.get("regularisation", {}))
        model = LanguageModel(**architecture, regularisation=regularisation or saved, rng=None,
                              workers=workers)
        for name, param in model.named_params().items():
            archive.read_finite(name, param)
        sha256 = archive.sha256() if hashed else None
    model.vocabulary_fingerprint = vocabulary.fingerprint()
    model.set_training(False)
    return model, vocabulary, sha256


def _architecture(archive):
    """The Architecture that a model file declares; ValueError if there is none."""
    archive.require_kind(FORMAT, *VERSIONS)
    values, version = archive.header["architecture"], archive.header["version"]
    architecture = Architecture.from_file(from_earlier(values) if version == EARLIER and isinstance(values, dict)
                                          else values)
    if architecture.cutoffs and version < LATEST:
        raise ValueError(f"a file of version {version} has no adaptive softmax, one of version {LATEST} has")
    return architecture


def _has_counts(archive):
    version = archive.header["version"]
    return version == WITH_COUNTS or (version == LATEST and archive.holds(COUNTS))


def _stored(archive, vocab_size):
    """The arrays of the tokenizer that a model file describes, to be filled."""
    if KEY in archive.header and archive.header["version"] < LATEST:
        raise ValueError(f"a file of version {archive.header['version']} has no {KEY}, one of version {LATEST} has")
    return stored_arrays(archive.header, vocab_size)


def model_file(path):
    """The path or File itself, or the path of the model in a run folder.

    RnnlmError if the folder has none.
    """
    if isinstance(path, File) or not os.path.isdir(path):
        return path
    if not os.path.exists(Path(path) / MODEL_NAME):
        raise RnnlmError(one_of_several(path) or f"{path} holds no {MODEL_NAME}: give a model file or the folder of a "
                         "run")
    return Path(path) / MODEL_NAME


def read_model_form(path):
    """The Architecture and the Tokenizer of a model file or of a run folder's model.

    RnnlmError if there is no model file.
    """
    with open_archive(model_file(path), "a whole rnnlm model file") as archive:
        architecture = _architecture(archive)
        archive.require(architecture.shapes())
        return architecture, read_tokenizer(archive, archive.header, _stored(archive, architecture.vocab_size))


def read_model_training(path):
    """What a model file remembers of its run: see save_model.

    RnnlmError if it is no model file.
    """
    with open_archive(path, "a whole rnnlm model file") as archive:
        archive.require(_architecture(archive).shapes())
        return archive.header["training"]
