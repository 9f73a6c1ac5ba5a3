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
    help : what ``--help`` says of it after its name.
    use : what to do with what was written; {path} becomes its path for a shell, and
        {name} that for Python.
    nearest : the other targets, the most similar first.
    is_folder : whether it is a folder, not a file.
    options : what ``export`` is called with besides.
    """

    module: str
    help: str
    use: str
    nearest: tuple[str, ...]
    is_folder: bool = False
    options: dict[str, Any] = field(default_factory=dict)


TARGETS = {
    "torch": Target("torch", "PyTorch: safetensors with its usual names, and a Python file that loads them",
                    "python {path}/model.py TEXT", ("hf", "onnx", "onnx-streaming", "text"), is_folder=True),
    "onnx": Target("onnx", "a graph that scores whole sentences",
                   "docs/exchange.md has lines that run it", ("onnx-streaming", "hf", "torch", "text")),
    "onnx-streaming": Target("onnx", "a graph that reads step by step, state in and out",
                             "docs/exchange.md has lines that run it", ("onnx", "hf", "torch", "text"),
                             options={"streaming": True}),
    "hf": Target("hf", "Hugging Face: a folder that transformers opens",
                 "AutoModelForCausalLM.from_pretrained({name}, trust_remote_code=True)",
                 ("torch", "onnx", "onnx-streaming", "text"), is_folder=True),
    "text": Target("text", "the text model of the classic RNNLM toolkit, whose program is called rnnlm, too",
                   "./rnnlm -rnnlm {path} -test TEXT", ("onnx", "torch", "hf", "onnx-streaming")),
}
