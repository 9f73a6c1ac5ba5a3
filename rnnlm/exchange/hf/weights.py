"""``model.safetensors``: the arrays by PyTorch's names, with rows of added tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.exchange.torch.weights import DECODER, ENCODER, to_torch

if TYPE_CHECKING:
    from rnnlm.models import LanguageModel

IMPOSSIBLE = -1e4  # the score of a token that is no word: exp of it is 0, and float16 can hold it


def tensors(model: LanguageModel, added: int) -> dict[str, np.ndarray]:
    """The arrays by name.

    Parameters
    ----------
    model : without an adaptive softmax.
    added : how many tokens the tokenizer has besides the model's own: their vectors are
        zeros, and no word is less probable.
    """
    found = to_torch(model)
    for name in {ENCODER, DECODER} & found.keys():
        W = found[name]
        found[name] = np.concatenate([W, np.zeros((added, W.shape[1]), W.dtype)])
    biases = found["decoder.bias"]
    found["decoder.bias"] = np.append(biases, np.full(added, IMPOSSIBLE, biases.dtype))
    return found
