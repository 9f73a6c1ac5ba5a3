"""Where models can go: a row for each target of ``rnnlm export --to``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True)
class Target:
    """A row of TARGETS.

    Parameters
    ----------
    module : the module of ``rnnlm.exchange`` whose ``export(exported, path,
        **options)`` writes it.
    title : what messages call it.
    help : what ``--help`` says of it after its name.
    options : what ``export`` is called with besides.
    nearest : the other targets, the most similar first.
    """

    module: str
    title: str
    help: str
    nearest: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)


TARGETS = {
    "torch": Target("torch", "PyTorch", "safetensors with PyTorch's names, and a Python file that runs them",
                    ("hf", "onnx", "onnx-streaming", "text")),
    "onnx": Target("onnx", "ONNX", "a graph that scores whole texts",
                   ("onnx-streaming", "hf", "torch", "text")),
    "onnx-streaming": Target("onnx", "streaming ONNX", "a graph that reads step by step, state in and out",
                             ("onnx", "hf", "torch", "text"), {"streaming": True}),
    "hf": Target("hf", "Hugging Face", "a folder that transformers opens",
                 ("torch", "onnx", "onnx-streaming", "text")),
    "text": Target("text", "the classic toolkit", "the text model of the RNNLM toolkit",
                   ("onnx", "torch", "hf", "onnx-streaming")),
}
