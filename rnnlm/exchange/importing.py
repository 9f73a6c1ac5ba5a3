"""A model comes in: ``rnnlm.import_model``."""

from __future__ import annotations

import os
from importlib import import_module

from rnnlm.compute import arguments
from rnnlm.exchange.kinds import READABLE, require_importable
from rnnlm.formats.loaded import Loaded


def import_model(path: str | os.PathLike[str], vocabulary: str | os.PathLike[str] | None = None, *,
                 activation: str | None = None, eos: str | None = None, unk: str | None = None) -> Loaded:
    """Read a model that another system trained, or that an export wrote.

    Nothing in the file or the folder is run.  ``save_model(path, loaded.model,
    loaded.vocabulary)`` writes a model file of it.

    Parameters
    ----------
    path : of a safetensors file with the names of PyTorch's word_language_model
        example, or of a folder that ``export_model`` wrote for "torch" or "hf".
    vocabulary : of a text file with a word a line, in the order of the ids; None: that
        of the export.
    activation : of an nn.RNN, "tanh" or "relu", which no file of PyTorch says; None:
        what the export says, or "tanh".
    eos, unk : the words of ``vocabulary`` that end a sentence, and that stand for
        unknown words; None: the usual ones.

    Returns
    -------
    Loaded : the model with its vocabulary, as ``rnnlm.load`` returns it.

    Raises
    ------
    RnnlmError : it cannot be read, or there is no such model here; the message says
        what to do instead.
    """
    require_importable(arguments.possible_path("path", path, READABLE))
    read = import_module("rnnlm.exchange.torch").read
    return Loaded(*read(path, vocabulary, activation=activation, eos=eos, unk=unk))
