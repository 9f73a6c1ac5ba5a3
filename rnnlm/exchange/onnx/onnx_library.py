"""The library `onnx`.  This file alone imports it, when it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnlm.errors import RnnlmError

if TYPE_CHECKING:
    from types import ModuleType


def library() -> ModuleType:
    """The module; RnnlmError unless it is installed."""
    try:
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper
    except ImportError:
        raise RnnlmError("--to onnx needs the package onnx: pip install onnx, or this package with its extra: "
                         "pip install 'numpy-rnnlm[onnx]'") from None
    return onnx
