"""A model goes out: ``rnnlm.export_model``."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

from rnnlm.compute import arguments
from rnnlm.compute.threads import SERIAL
from rnnlm.errors import ArgumentError, RnnlmError, quoted
from rnnlm.exchange.exported import Exported
from rnnlm.exchange.output import require_free
from rnnlm.exchange.targets import TARGETS
from rnnlm.formats.loaded import Loaded
from rnnlm.formats.model_file import load_model_and_sha256, model_file, read_model_training
from rnnlm.formats.predictors import is_arpa
from rnnlm.models import LanguageModel


def export_model(model: Loaded | str | os.PathLike[str], to: str, path: str | os.PathLike[str], *,
                 overwrite: bool = False, tokens: str | os.PathLike[str] | None = None) -> Exported:
    """Write a model for another system, whole or not at all.

    Parameters
    ----------
    model : a model as ``rnnlm.load`` returns it, or the path of a model file or of a
        run folder.
    to : "torch", "onnx", "onnx-streaming", "hf" or "text"; docs/exchange.md says what
        each can hold.
    path : of the file or, for "torch" and "hf", of the folder to write.
    overwrite : whether an earlier export there is replaced.
    tokens : for "onnx" and "onnx-streaming", the path of a recognizer's list of tokens,
        a token and its id a line: the graph takes and gives these ids.  None: ours.

    Returns
    -------
    Exported : what was written.

    Raises
    ------
    ArgumentError : the target cannot hold the model; the message names one that can.
    RnnlmError : the model cannot be read, or the export cannot be written.
    """
    target = TARGETS[arguments.one_of("to", to, tuple(TARGETS))]
    arguments.possible_path("path", path, "the path of what will be written, as export_model(model, to, path)")
    arguments.yes_or_no("overwrite", overwrite)
    require_free(path, target.is_folder, overwrite)
    options = target.options | _tokens(to, tokens)
    if not isinstance(model, Loaded):
        arguments.possible_path("model", model, "what rnnlm.load returns, or the path of a model file or run folder")
        _require_other(model, path)
    exported = as_exported(model)
    import_module(f"rnnlm.exchange.{target.module}").export(exported, path, **options)
    return exported


def _tokens(to, path):
    """The option ``tokens`` of a target, where there is a list of them."""
    if path is None:
        return {}
    module = TARGETS[to].module
    if module != "onnx":
        raise ArgumentError(f"--tokens belongs to --to onnx and --to onnx-streaming: --to {to} has the model's own ids")
    return {"tokens": import_module(f"rnnlm.exchange.{module}").read_tokens(arguments.path("tokens", path))}


def as_exported(model: Loaded | str | os.PathLike[str]) -> Exported:
    """The Exported of a loaded model, or of a model file or run folder.

    RnnlmError for a file of another kind, and for what is no network.
    """
    if isinstance(model, Loaded):
        return Exported(_network(model.model, "the model"), model.vocabulary)
    if is_arpa(model):
        raise RnnlmError(f"{model} is an ARPA file, which other toolkits read as it is: only networks are exported")
    network, vocabulary, sha256 = load_model_and_sha256(model, SERIAL)
    return Exported(network, vocabulary, sha256, read_model_training(model_file(model)))


def _network(model, name):
    """The model itself; ArgumentError unless it is one network."""
    return arguments.kind(name, model, LanguageModel, "a network, not an n-gram model or a mixture")


def _require_other(model, path):
    """RnnlmError if what is written would replace the model itself."""
    for ours in (model, model_file(model) if os.path.exists(model) and not is_arpa(model) else model):
        if os.path.exists(ours) and os.path.exists(path) and os.path.samefile(ours, path):
            raise RnnlmError(f"{path} is the model itself: choose another name, such as "
                             f"{quoted(Path(path).with_name('exported'))}")
