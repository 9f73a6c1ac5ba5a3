"""A folder that PyTorch opens: weights, words, and the Python file that loads them.

    model.safetensors  the arrays by PyTorch's names; its metadata say what model it is
    vocabulary.txt     a word a line, in order of their ids
    counts.txt         how often each occurs in the training text, where that is known
    model.py           an ``nn.Module`` with these weights, which scores texts
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from rnnlm.exchange.holds import require
from rnnlm.exchange.names import WEIGHTS
from rnnlm.exchange.output import whole_folder
from rnnlm.exchange.safetensors_file import write_safetensors
from rnnlm.exchange.torch.weights import DECODER, ENCODER, to_torch
from rnnlm.files.whole import write_text
from rnnlm.formats.model_file import require_vocabulary
from rnnlm.formats.stored_vocabulary import vocabulary_arrays

if TYPE_CHECKING:
    from rnnlm.exchange.exported import Exported

WORDS, COUNTS, PROGRAM = "vocabulary.txt", "counts.txt", "model.py"
KEY = "rnnlm"  # in the metadata
VERSION = 1    # of what is there
SOURCES = Path(__file__).parent / "files"


def export(exported: Exported, path: str | os.PathLike[str]) -> None:
    """Write the folder, whole or not at all; an earlier export there is replaced.

    Parameters
    ----------
    exported : the model, its vocabulary, and where they come from.
    path : of the folder.

    Raises
    ------
    ArgumentError : PyTorch's layers cannot hold the model, or the words belong to
        another one.
    DivergenceError : a weight is not finite.
    RnnlmError : the folder cannot be written.
    """
    model, vocabulary = exported.model, exported.vocabulary
    require("torch", model.architecture, vocabulary)
    require_vocabulary(model, vocabulary)
    vocabulary_arrays(vocabulary)  # raises for words that no file of lines can hold
    with whole_folder(path) as folder:
        write_safetensors(folder / WEIGHTS, to_torch(model), metadata(exported))
        write_text(folder / WORDS, _lines(vocabulary.words))
        if vocabulary.counts is not None:
            write_text(folder / COUNTS, _lines(vocabulary.counts.tolist()))
        write_text(folder / PROGRAM, (SOURCES / PROGRAM).read_text(encoding="utf-8"))


def metadata(exported: Exported) -> dict[str, str]:
    """What the file of the weights says of the model."""
    architecture = exported.model.architecture
    about = {"version": VERSION, "architecture": dict(architecture), **exported.vocabulary.tokenizer.description(),
             **({"sha256": exported.sha256} if exported.sha256 else {})}
    # safetensors' own note of two names for one array
    return {KEY: json.dumps(about)} | ({DECODER: ENCODER} if architecture.tied else {})


def _lines(values):
    return "".join(f"{value}\n" for value in values)
