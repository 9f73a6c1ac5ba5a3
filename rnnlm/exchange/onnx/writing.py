"""ONNX files: the graph, and in its metadata the vocabulary and where it comes from.

The versions are the lowest that have the operators, so that onnxruntime from 1.8 (2021)
on reads the files.  The newest ones would add no operator that is needed here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import ArgumentError
from rnnlm.exchange.holds import require
from rnnlm.exchange.onnx import forms
from rnnlm.exchange.onnx.numbering import Numbering
from rnnlm.exchange.onnx.onnx_library import library
from rnnlm.files.finite import require_finite
from rnnlm.files.whole import whole_file

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from typing import Any

    from rnnlm.exchange.exported import Exported

OPSET = 14      # of the operators
IR_VERSION = 7  # of the file format
MOST_BYTES = 2**31 - 2**20  # a protobuf holds less than 2 GiB; the rest is for the operators


def export(exported: Exported, path: str | os.PathLike[str], streaming: bool = False,
           shallow_fusion: bool = True, tokens: Iterable[str] | None = None) -> None:
    """Write an ONNX file, whole or not at all.

    Parameters
    ----------
    exported : the model and its vocabulary.
    path : where to write.
    streaming : whether the graph reads step by step, with the state in and out; else
        it scores whole texts.  See ``forms``.
    shallow_fusion : for ``streaming``, whether the first result is ln p of every word
        or, if not, -ln p of the words that were read.
    tokens : another program's tokens in the order of their ids, such as ``read_tokens``
        gives: the graph takes and gives their ids.  None: ours.

    Raises
    ------
    ArgumentError : the model is too large for one file, or the tokens are not those of
        its vocabulary.
    DivergenceError : a weight is not finite.
    RnnlmError : there is no onnx, or the file cannot be written.
    """
    require("onnx-streaming" if streaming else "onnx", exported.model.architecture, exported.vocabulary)
    content = onnx_model(exported, streaming, shallow_fusion, tokens).SerializeToString(deterministic=True)
    with whole_file(path) as file:
        file.write(content)


def onnx_model(exported: Exported, streaming: bool = False, shallow_fusion: bool = True,
               tokens: Iterable[str] | None = None) -> Any:
    """The onnx.ModelProto of a model: see ``export``."""
    onnx, architecture = library(), exported.model.architecture
    with np.errstate(over="ignore"):  # said in one line
        arrays = {name: array.astype(np.float32, copy=False) for name, array in exported.model.named_params().items()}
    require_finite(arrays)
    numbering = Numbering.of(exported.vocabulary, tokens)
    if streaming:
        graph = forms.streaming(onnx, architecture, arrays, numbering, shallow_fusion)
    else:
        graph = forms.offline(onnx, architecture, arrays, numbering)
    properties = metadata(exported, numbering, streaming)
    _require_room(graph, properties)
    made = onnx.helper.make_model(
        graph.made("rnnlm"), opset_imports=[onnx.helper.make_opsetid("", OPSET)], ir_version=IR_VERSION,
        producer_name="numpy-rnnlm", doc_string="A recurrent language model: scores are natural logarithms.")
    onnx.helper.set_model_props(made, properties)
    onnx.checker.check_model(made)
    return made


def _require_room(graph, properties):
    size = sum(map(len, properties.values())) + sum(len(constant.raw_data) for constant in graph.constants.values())
    if size > MOST_BYTES:
        raise ArgumentError(f"an ONNX file must be smaller than 2 GiB, this model has {size / 2**30:.1f} GiB: "
                            "export it with --to torch")


def metadata(exported: Exported, numbering: Numbering, streaming: bool) -> dict[str, str]:
    """What the file says of the model: first what sherpa-onnx reads, then our own."""
    architecture, eos = exported.model.architecture, str(numbering.eos_id)
    found = {"model_type": "rnnlm", "version": "1", "model_author": "numpy-rnnlm",
             "comment": "rnnlm with state" if streaming else "rnnlm without state",
             "sos_id": eos, "eos_id": eos, "vocab_size": str(len(numbering.words)),
             "num_layers": str(architecture.layers), "hidden_size": str(architecture.hidden_size),
             "embedding_dim": str(architecture.wordvec_size)}
    if numbering.unk_id is not None:
        found["unk_id"] = str(numbering.unk_id)
    own = {"architecture": dict(architecture), "tokenizer": exported.vocabulary.tokenizer.description(),
           "training": exported.training, "vocabulary": numbering.words}
    return found | {"model_sha256": exported.sha256} | {key: json.dumps(value) for key, value in own.items()}
