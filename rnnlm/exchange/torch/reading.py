"""A model from a file of PyTorch's arrays: our own export, or trained elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError, RnnlmError, shown
from rnnlm.exchange.content import content_of
from rnnlm.exchange.safetensors_file import read_safetensors
from rnnlm.exchange.torch.export_files import about_model, read_own_words
from rnnlm.exchange.torch.huggingface import CONFIG, read_folder
from rnnlm.exchange.torch.layout import completed, without_prefix
from rnnlm.exchange.torch.weights import new_model
from rnnlm.exchange.torch.words import read_words
from rnnlm.exchange.torch.writing import WEIGHTS, WORDS
from rnnlm.models.architecture import RNN_ACTIVATIONS, Architecture

if TYPE_CHECKING:
    from rnnlm.models import LanguageModel
    from rnnlm.text.vocabulary import Vocabulary


def read(path: str | os.PathLike[str], vocabulary: str | os.PathLike[str] | None = None, *,
         activation: str | None = None, eos: str | None = None,
         unk: str | None = None) -> tuple[LanguageModel, Vocabulary]:
    """The model and the vocabulary of a safetensors file or of an exported folder.

    Nothing in the file or the folder is run.

    Parameters
    ----------
    path : of a safetensors file with the names of PyTorch's word_language_model
        example; or of a folder that an export to torch or to hf wrote.
    vocabulary : of the words, see ``read_words``; None: those of the export.
    activation : of an nn.RNN, "tanh" or "relu", which no file of PyTorch says; None:
        what the export says, else "tanh".
    eos, unk : which word of ``vocabulary`` ends a sentence, and which stands for
        unknown words; None: the usual ones.

    Raises
    ------
    ArgumentError : the file holds no model of a kind that is here, or a value that
        cannot be.
    DamagedError : a file is damaged, or a pickle, which is never read.
    RnnlmError : a file cannot be read.
    """
    arguments.path("path", path)
    if activation is not None:
        arguments.one_of("activation", activation, RNN_ACTIVATIONS)
    if vocabulary is None and (eos is not None or unk is not None):
        raise ArgumentError("--eos and --unk name words of a vocabulary: give --vocabulary, too")
    folder = Path(path) if os.path.isdir(path) else None
    if folder and (folder / CONFIG).exists() and vocabulary is None:
        return read_folder(folder, activation)
    weights = folder / WEIGHTS if folder else Path(path)
    model, about = _read_model(weights, activation)
    words = _vocabulary(weights, model.architecture.vocab_size, about, vocabulary, eos, unk)
    model.vocabulary_fingerprint = words.fingerprint()
    model.set_training(False)
    return model, words


def _read_model(path, activation):
    """The LanguageModel in a file, and what our own export says of it; else None."""
    arrays, metadata = read_safetensors(path)
    with content_of(path, "a model that can be read"):
        about = about_model(metadata)
        declared = Architecture.from_file(about["architecture"]) if about else None
        given = activation or (declared.activation if declared else RNN_ACTIVATIONS[0])
        found, arrays = completed(without_prefix(arrays), given, declared.tied if declared else None)
        if declared not in (None, found):
            name = next(name for name in found.keys() if found[name] != declared[name])  # noqa: SIM118
            raise ValueError(f"{name} is {shown(declared[name])} in its metadata, and {shown(found[name])} by its "
                             f"arrays{' or as it is given' if name == 'activation' else ''}")
        return new_model(found, arrays), about


def _vocabulary(weights, size, about, given, eos, unk):
    """The Vocabulary: what is given, that of our export, or that of a file beside."""
    if given is not None:
        return read_words(given, size, eos, unk)
    beside = weights.parent / WORDS
    if about:
        return read_own_words(beside, size, about)
    if not beside.exists():
        raise RnnlmError(f"{weights} holds no words: give --vocabulary, a text file with a word a line in the order "
                         "of the ids, or the folder of train.txt, valid.txt and test.txt that PyTorch's example read")
    return read_words(beside, size)
