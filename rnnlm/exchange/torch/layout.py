"""Which model a file of PyTorch's holds, from the names and shapes of its arrays.

The layout is that of PyTorch's word_language_model example, which neural-complexity,
colorlessgreenRNNs and ESPnet have, too: an ``nn.Embedding`` called encoder, an
``nn.RNN``, ``nn.LSTM`` or ``nn.GRU`` called rnn, and an ``nn.Linear`` called decoder.
What the layers here cannot compute is refused by its name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import ArgumentError, listed, shown
from rnnlm.exchange.torch.weights import BLOCKS, DECODER, ENCODER, torch_shapes
from rnnlm.models.architecture import MOST_LAYERS, Architecture

if TYPE_CHECKING:
    from collections.abc import Mapping

CELL_OF = {len(blocks): cell for cell, blocks in BLOCKS.items()}
_KNOWN = re.compile(r"(?P<prefix>.*?)(?P<name>(?:encoder|decoder|projection)\.(?:weight|bias)"
                    r"|rnn\.(?:weight|bias)_(?:ih|hh|hr)_l[0-9]+(?:_reverse)?)")


def without_prefix(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays by names without what all begin with, such as ``module.``.

    ArgumentError if there are names of another layout.
    """
    found = {name: _KNOWN.fullmatch(name) for name in arrays}
    others = [name for name, match in found.items() if not match]
    if others:
        raise ArgumentError(f"the arrays must be those of PyTorch's word_language_model example, {ENCODER}, "
                            f"rnn.weight_ih_l0, ..., {DECODER}, decoder.bias; there is {shown(others[0], 60)}, too")
    prefixes = {match["prefix"] for match in found.values()}
    if len(prefixes) > 1:
        raise ArgumentError(f"all names of arrays must begin alike, there are {_few(map(repr, prefixes))}")
    return {match["name"]: arrays[name] for name, match in found.items()}


def completed(arrays: Mapping[str, np.ndarray], activation: str = "tanh",
              tied: bool | None = None) -> tuple[Architecture, dict[str, np.ndarray]]:
    """The Architecture, and all arrays that it has by PyTorch's names.

    Biases that are not there are zeros.

    Parameters
    ----------
    arrays : by PyTorch's names, without a prefix.
    activation : of an RNN; no file says which it had.
    tied : whether the decoder has the encoder's weights; None: it has if it is not
        there, or has the same numbers.

    Raises
    ------
    ArgumentError : there is no such model here.
    """
    _refuse_features(arrays)
    arrays = dict(arrays)
    if ENCODER not in arrays and DECODER in arrays:  # safetensors' save_model keeps one of the names
        arrays[ENCODER] = arrays[DECODER]
    architecture = _architecture(arrays, activation, tied)
    shapes = torch_shapes(architecture)
    for name, shape in shapes.items():
        if "bias" in name:
            arrays.setdefault(name, np.zeros(shape, np.float32))
    require_shapes(arrays, shapes)
    return architecture, {name: arrays[name] for name in shapes}


def _refuse_features(arrays):
    """ArgumentError for what PyTorch's layers can have and ours cannot."""
    for part, feature in (("_reverse", "is bidirectional"), ("_hr_", "has a proj_size")):
        name = next((name for name in arrays if part in name), None)
        if name:
            raise ArgumentError(f"the recurrent layer {feature} ({name}), which the layers of this program cannot "
                                "compute: train a model without it")


def _architecture(arrays, activation, tied):
    """The Architecture that the names and the shapes of the main arrays ask for."""
    V, D = _sizes(arrays, ENCODER)
    rows, H = _sizes(arrays, "rnn.weight_hh_l0")
    if rows % H or rows // H not in CELL_OF:
        raise ArgumentError(f"rnn.weight_hh_l0 must have 1, 3 or 4 times as many rows as columns, as nn.RNN, nn.GRU "
                            f"and nn.LSTM have, it is {rows} x {H}")
    layers = 1 + max(int(re.search(r"_l([0-9]{1,9})", name)[1]) for name in arrays if name.startswith("rnn."))
    if layers > MOST_LAYERS:
        raise ArgumentError(f"a model can have at most {MOST_LAYERS} recurrent layers, the names go to {layers - 1:,}")
    if tied is None:
        tied = _same(arrays.get(DECODER), arrays[ENCODER])
    projection = "projection.weight" in arrays
    if tied and D != H and not projection:
        raise ArgumentError(f"the decoder has the encoder's weights, so it reads {D} numbers, but the recurrent "
                            f"layers give {H}, and there is no projection.weight between them")
    return Architecture(CELL_OF[rows // H], V, D, H, layers, activation, tied, projection)


def _same(decoder, encoder):
    """Whether the decoder is the encoder: it is absent, or equal and not constant."""
    return decoder is None or (decoder.shape == encoder.shape and np.array_equal(decoder, encoder)
                               and bool((encoder != encoder.flat[0]).any()))


def _sizes(arrays, name):
    """The rows and columns of a matrix; ArgumentError unless it is one."""
    if name not in arrays:
        raise ArgumentError(f"the arrays must be those of a recurrent language model, {name} is not there")
    shape = arrays[name].shape
    if len(shape) != 2 or not all(shape):
        raise ArgumentError(f"{name} must be a matrix, its shape is {shape}")
    return shape


def require_shapes(arrays, shapes):
    """ArgumentError unless the arrays are those of the Architecture."""
    missing = [name for name in shapes if name not in arrays]
    surplus = [name for name in arrays if name not in shapes and name != DECODER]
    if missing or surplus:
        raise ArgumentError(f"the arrays must be those of {len(shapes)} names, "
                            f"{'missing' if missing else 'besides there'}: {_few(missing or surplus)}")
    for name, shape in shapes.items():
        found = arrays[name].shape
        if found != shape:
            hint = ("; layers of different hidden sizes cannot be read" if name.startswith("rnn.")
                    and not name.endswith("_l0") else "")
            raise ArgumentError(f"{name} must be {_by(shape)} beside the other arrays, it is {_by(found)}{hint}")


def _by(shape):
    return " x ".join(map(str, shape)) or "a single number"


def _few(names):
    names = sorted(names)
    return listed([shown(name, 40) for name in names[:4]]) + (" and others" if len(names) > 4 else "")


