"""Model files: weights, architecture and vocabulary in one .npz, so that nothing else is needed.

Members: ``header`` (JSON as uint8: format, version, level, architecture, training), ``vocabulary``
(the words in UTF-8, one a line, as uint8) and one array for each parameter under its readable name.
NumPy string arrays are not used: they lose trailing NULs.  docs/file-formats.md has it byte by byte.
"""

import json
import zipfile
import zlib
from pathlib import Path

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.files import reason, whole_file
from rnnlm.models import LanguageModel
from rnnlm.text import LEVELS
from rnnlm.vocabulary import Vocabulary
from rnnlm.workers import SERIAL

FORMAT, VERSION = "rnnlm model", 1
MODEL_NAME = "model.npz"


def save_model(path, model, vocabulary, training=None):
    """Write a model file, whole or not at all.  training: what to remember of the run, a dict for JSON."""
    header = {"format": FORMAT, "version": VERSION, "level": vocabulary.level,
              "architecture": model.architecture, "training": training or {}}
    members = {"header": _bytes(json.dumps(header)), "vocabulary": _bytes("\n".join(vocabulary.words))}
    with whole_file(path) as file:
        np.savez(file, allow_pickle=False, **members, **model.named_params())


def load_model(path, workers=SERIAL):
    """The (model, vocabulary) of a model file or of a run folder. RnnlmError says what is wrong with it.

    workers: the threads that the model will compute on.
    """
    path = Path(path)
    if path.is_dir():
        if not (path / MODEL_NAME).exists():
            raise RnnlmError(f"{path} holds no {MODEL_NAME}: give a model file or the folder of a run")
        path /= MODEL_NAME
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as members:
            arrays = dict(members)
        return _model(arrays, workers)
    except OSError as error:
        raise RnnlmError(f"{path} could not be read: {reason(error)}") from error
    except (RnnlmError, ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, RuntimeError, TypeError,
            ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise RnnlmError(f"{path} is not a whole rnnlm model file: {_detail(error)}") from error


def _model(arrays, workers):
    """Build the model the arrays describe; an exception says which of them does not fit."""
    header = json.loads(_text(arrays.pop("header")))
    if header["format"] != FORMAT or header["version"] != VERSION:
        raise ValueError(f"format {header['format']!r}, version {header['version']!r}; this program reads "
                         f"{FORMAT!r}, version {VERSION}")
    if header["level"] not in LEVELS:
        raise ValueError(f"level must be one of {', '.join(LEVELS)}, got {header['level']!r}")
    vocabulary = Vocabulary(_text(arrays.pop("vocabulary")).split("\n"), header["level"])
    architecture = dict(header["architecture"])
    if architecture.pop("cell") != "rnn" or architecture["vocab_size"] != len(vocabulary):
        raise ValueError(f"architecture {header['architecture']} does not fit the {len(vocabulary)} words")
    _check_arrays(arrays, architecture)  # before a model of the size the header claims is built
    model = LanguageModel(**architecture, rng=None, workers=workers)
    for name, param in model.named_params().items():
        param[...] = arrays.pop(name)
    return model, vocabulary


def _check_arrays(arrays, architecture):
    """ValueError unless the arrays are those of the architecture."""
    sizes = {key: architecture[key] for key in ("vocab_size", "wordvec_size", "hidden_size", "layers")}
    if any(type(size) is not int or size < 1 for size in sizes.values()) or sizes["layers"] > len(arrays):
        raise ValueError(f"sizes {sizes} are not those of a model with {len(arrays)} arrays")
    shapes = LanguageModel.param_shapes(**sizes)
    if shapes.keys() != arrays.keys():
        raise ValueError(f"arrays must be {', '.join(shapes)}, found {', '.join(arrays)}")
    for name, shape in shapes.items():
        array = arrays[name]
        if array.shape != shape or array.dtype != np.float32:
            raise ValueError(f"{name} must be float32 {shape}, found {array.dtype} {array.shape}")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds numbers that are not finite")


def _detail(error):
    """One line that names the trouble; NumPy's own words here recommend pickle and are not passed on."""
    if isinstance(error, KeyError):
        return f"it lacks {error.args[0]}"
    text = str(error).split("\n")[0]
    return "it is damaged or of another format" if not text or "pickle" in text else text


def _bytes(text):
    return np.frombuffer(text.encode("utf-8"), dtype=np.uint8)


def _text(array):
    return array.astype(np.uint8, casting="equiv").tobytes().decode("utf-8")
