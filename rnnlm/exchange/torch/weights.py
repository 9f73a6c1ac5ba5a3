"""The arrays of a model under PyTorch's names, and back.

PyTorch keeps each matrix as (outputs, inputs), its gates in an order of its own, and
two biases a layer, of the input and of the state.  Here a layer has one bias: it is
PyTorch's sum.  Only the candidate of a GRU needs the second one, bh, as the reset gate
multiplies it.

Cells that PyTorch lacks have names of the same form, the blocks in the order that they
have here, and one bias.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.files.finite import all_finite
from rnnlm.models import LanguageModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rnnlm.models.architecture import Architecture

# For each of PyTorch's blocks of H, in its order, where it is here.
BLOCKS = {
    "rnn": (0,),
    "lstm": (2, 0, 1, 3),  # i, f, g, o from f, g, i, o
    "gru": (1, 0, 2),      # r, z, n from z, r, n
}
BIASES = ("bias_ih", "bias_hh")
ENCODER, DECODER = "encoder.weight", "decoder.weight"


def biases(cell: str) -> tuple[str, ...]:
    """The names of a layer's biases."""
    return BIASES if cell in BLOCKS else BIASES[:1]


def torch_shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """The shapes of a model's arrays by PyTorch's names, in its order."""
    V, D, H = architecture.vocab_size, architecture.wordvec_size, architecture.hidden_size
    shapes = {ENCODER: (V, D)}
    for layer in range(architecture.layers):
        here = architecture.row.plain.param_shapes(H if layer else D, H)
        shapes |= {f"rnn.weight_ih_l{layer}": here["Wx"][::-1], f"rnn.weight_hh_l{layer}": here["Wh"][::-1]}
        shapes |= {f"rnn.{name}_l{layer}": here["b"] for name in biases(architecture.cell)}
    if architecture.projection:
        shapes |= {"projection.weight": (D, H), "projection.bias": (D,)}
    if not architecture.tied:
        shapes[DECODER] = (V, D if architecture.projection else H)
    return shapes | {"decoder.bias": (V,)}


def to_torch(model: LanguageModel) -> dict[str, np.ndarray]:
    """The arrays of a model by PyTorch's names: those of ``torch_shapes``."""
    architecture, params = model.architecture, model.named_params()
    found = {ENCODER: params["embedding/W"], "decoder.bias": params["affine/b"]}
    for layer in range(architecture.layers):
        here = {name.split("/")[1]: param for name, param in params.items()
                if name.startswith(f"{architecture.layer_name(layer + 1)}/")}
        found |= {f"rnn.{name}_l{layer}": array for name, array in _layer_to_torch(here, architecture.cell).items()}
    if architecture.projection:
        found |= {"projection.weight": params["projection/W"].T, "projection.bias": params["projection/b"]}
    if not architecture.tied:
        found[DECODER] = params["affine/W"].T
    return {name: found[name] for name in torch_shapes(architecture)}


def new_model(architecture: Architecture, arrays: Mapping[str, np.ndarray]) -> LanguageModel:
    """A model with these arrays by PyTorch's names, those of ``torch_shapes``.

    ValueError if the sum of two biases is not finite.
    """
    model = LanguageModel(**architecture, rng=None)
    with np.errstate(over="ignore"):  # said in one line
        fill_from_torch(model, arrays)
    for name, param in model.named_params().items():
        if not all_finite(param):
            raise ValueError(f"{name} would hold numbers that are not finite")
    return model


def fill_from_torch(model: LanguageModel, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by PyTorch's names, those of ``torch_shapes``, into a model."""
    architecture, params = model.architecture, model.named_params()
    params["embedding/W"][...] = arrays[ENCODER]
    params["affine/b"][...] = arrays["decoder.bias"]
    names = ("weight_ih", "weight_hh", *biases(architecture.cell))
    for layer in range(architecture.layers):
        there = {name: arrays[f"rnn.{name}_l{layer}"] for name in names}
        for name, array in _layer_from_torch(there, architecture.cell).items():
            params[f"{architecture.layer_name(layer + 1)}/{name}"][...] = array
    if architecture.projection:
        params["projection/W"][...] = arrays["projection.weight"].T
        params["projection/b"][...] = arrays["projection.bias"]
    if not architecture.tied:
        params["affine/W"][...] = arrays[DECODER].T


def _layer_to_torch(here, cell):
    """Arrays of a layer by PyTorch's names, from those by ours."""
    order = BLOCKS.get(cell, (0,))
    found = {"weight_ih": _reordered(here["Wx"], order).T, "weight_hh": _reordered(here["Wh"], order).T,
             "bias_ih": _reordered(here["b"], order)}
    if cell in BLOCKS:
        found["bias_hh"] = np.zeros_like(here["b"])
    if "bh" in here:
        found["bias_hh"][-len(here["bh"]) :] = here["bh"]  # the candidate's, which is the last block
    return found


def _layer_from_torch(there, cell):
    """Arrays of a layer by our names, from those by PyTorch's."""
    order = np.argsort(BLOCKS.get(cell, (0,)))
    b, *more = (_reordered(there[name].astype(np.float64), order) for name in biases(cell))
    found = {"Wx": _reordered(there["weight_ih"].T, order), "Wh": _reordered(there["weight_hh"].T, order)}
    if cell == "gru":  # r multiplies the state's bias of the candidate: it is no part of the sum
        H = len(b) // 3
        found["bh"] = more[0][2 * H :].copy()
        more[0][2 * H :] = 0
    return found | {"b": sum(more, b)}


def _reordered(array, order: Sequence[int]):
    """The blocks of the last axis in another order."""
    blocks = np.split(array, len(order), axis=-1)
    return np.concatenate([blocks[i] for i in order], axis=-1)
