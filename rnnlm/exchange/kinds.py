"""What a file or folder is that someone wants to import, by looking.

Only safetensors and folders with them are read.  Every other kind that people have is
called by its name, with what to do instead.  Nothing is unpacked and nothing is run.
"""

from __future__ import annotations

import json
import os
import shlex
import stat
from pathlib import Path

from rnnlm.errors import RnnlmError, one_line
from rnnlm.exchange.names import WEIGHTS
from rnnlm.files.whole import reason
from rnnlm.formats.model_file import MODEL_NAME
from rnnlm.formats.predictors import is_arpa

PICKLE_ENDINGS = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle")
READABLE = "a safetensors file, or a folder that rnnlm export --to torch or --to hf wrote"
START = 64  # bytes, which tell a kind
ZIP, ZIP_NAME = b"PK\x03\x04", 30  # how an entry begins, and where its name does
ONNX = b"\x08", b"\x12"  # its fields of protobuf: the version, one byte, then the producer's name
CONVERT = """import torch, safetensors.torch
arrays = torch.load({old}, map_location="cpu", weights_only=True)
safetensors.torch.save_file({{k: v.contiguous().clone() for k, v in arrays.items()}}, {new})"""


def require_importable(path: str | os.PathLike[str]) -> None:
    """RnnlmError, which says what to do instead, for what cannot be imported."""
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            return _require_folder(Path(path))
        if not stat.S_ISREG(mode):
            raise RnnlmError(f"{path} is not a regular file: give {READABLE}")
        with open(path, "rb") as file:
            start = file.read(START)
    except OSError as error:
        raise RnnlmError(f"{path} could not be read: {reason(error)}") from None
    if refused := _refused(Path(path), start):
        raise RnnlmError(f"{path} is {refused}")


def _require_folder(folder):
    """RnnlmError unless a folder has safetensors in it."""
    if (folder / WEIGHTS).exists():
        return
    if (folder / MODEL_NAME).exists():
        raise RnnlmError(f"{folder} is a run folder, which needs no import: every command takes it as MODEL")
    pickled = next((name for name in sorted(os.listdir(folder)) if name.endswith(PICKLE_ENDINGS)), None)
    if pickled:
        raise RnnlmError(f"{folder} holds no {WEIGHTS}, but {one_line(pickled)}, {_pickle(folder / pickled)}")
    raise RnnlmError(f"{folder} holds no {WEIGHTS}: give {READABLE}")


def _refused(path, start):
    """What a file is, and what to do instead; "" for one of safetensors."""
    if len(start) > 8 and start[8:9] == b"{" and not any(start[6:8]):  # the length of a header of JSON, and its start
        return ""
    inside = start[ZIP_NAME:] if start.startswith(ZIP) else b""
    if inside.startswith(b"header.npy"):
        return "a file of this program, which needs no import: every command takes a model file as MODEL"
    if b".npy" in inside:
        return f"an archive of NumPy's of another program: give {READABLE}, or fill a LanguageModel from Python"
    if start.startswith(b"\x89HDF") or inside.startswith(b"metadata.json"):
        return "a file of Keras's, which is not read: docs/exchange.md has the table by which Python can fill a model"
    if inside or start[:1] == b"\x80" or path.suffix.lower() in PICKLE_ENDINGS:
        return _pickle(path)
    if start.startswith(b"version:"):
        return ("a model of the classic RNNLM toolkit, which cannot be held here: its probabilities are those of a "
                "class of words times those within it; the toolkit itself can score with it")
    if path.suffix.lower() == ".onnx" or (start[:1], start[2:3]) == ONNX:
        return f"an ONNX graph, whose arrays may have any name and order: give what it was made from, as {READABLE}"
    if is_arpa(path):
        return "an ARPA file, which needs no import: every command takes it as MODEL"
    return f"of no kind that can be imported: give {READABLE}"


def _pickle(path):
    """What to do with a pickled file: three lines, which can be pasted into a shell."""
    old, new = (json.dumps(str(name), ensure_ascii=False) for name in (path, path.with_suffix(".safetensors")))
    code = CONVERT.format(old=old, new=new)
    return ("a pickle, which can run any program when it is read, and is not read: if you trust it, convert it (if a "
            "whole module is in it, see \"Models from PyTorch\" in docs/exchange.md) with "
            f"python -c {shlex.quote('; '.join(code.splitlines()))}")
