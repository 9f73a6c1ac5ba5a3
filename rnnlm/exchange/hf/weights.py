"""``model.safetensors``: the arrays of a model under the names of PyTorch's layers.

The names are those of PyTorch's example of a word language model: ``encoder.weight``,
``rnn.weight_ih_l0``, ..., ``decoder.bias``; with ``projection.weight`` and its bias.
PyTorch's layers keep a matrix as rows of outputs, so each of ours is transposed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rnnlm.models import LanguageModel

IMPOSSIBLE = -1e4  # the score of a token that is no word: exp of it is 0, and float16 can hold it
# For each of PyTorch's blocks, where it is here: i, f, g, o; and r, z, n.
ORDERS = {"lstm": (2, 0, 1, 3), "gru": (1, 0, 2)}


def tensors(model: LanguageModel, added: int) -> dict[str, np.ndarray]:
    """The arrays by name, each contiguous in C order, as safetensors must have them.

    Parameters
    ----------
    model : without an adaptive softmax.
    added : how many tokens are added behind the model's own.
    """
    a, params = model.architecture, model.named_params()
    found = {"encoder.weight": _more_rows(params["embedding/W"], added)}
    for number in range(1, a.layers + 1):
        prefix = a.layer_name(number)
        found |= _layer(a.cell, {name: params[f"{prefix}/{name}"] for name in a.row.plain.param_names}, number - 1)
    if a.projection:
        found |= {"projection.weight": params["projection/W"].T, "projection.bias": params["projection/b"]}
    if not a.tied:
        found["decoder.weight"] = _more_rows(params["affine/W"].T, added)
    found["decoder.bias"] = np.append(params["affine/b"], np.full(added, IMPOSSIBLE, params["affine/b"].dtype))
    return {name: np.ascontiguousarray(array, np.float32) for name, array in found.items()}


def _layer(cell, arrays, number):
    """A recurrent layer's arrays; PyTorch's layers have a second bias."""
    b = _in_order(cell, arrays["b"])
    found = {f"rnn.weight_ih_l{number}": _in_order(cell, arrays["Wx"]).T,
             f"rnn.weight_hh_l{number}": _in_order(cell, arrays["Wh"]).T, f"rnn.bias_ih_l{number}": b}
    if cell in ("rnn", "lstm", "gru"):
        found[f"rnn.bias_hh_l{number}"] = second = np.zeros_like(b)
        if "bh" in arrays:  # of the candidate, the last block
            second[-len(arrays["bh"]) :] = arrays["bh"]
    return found


def _in_order(cell, array):
    """An array whose columns are in PyTorch's order of blocks."""
    if cell not in ORDERS:
        return array
    blocks = np.split(array, len(ORDERS[cell]), axis=-1)
    return np.concatenate([blocks[i] for i in ORDERS[cell]], axis=-1)


def _more_rows(array, added):
    return np.concatenate([array, np.zeros((added, array.shape[1]), array.dtype)])
