"""Which weights decay: no biases, nor what a unit keeps of its own state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments

if TYPE_CHECKING:
    from typing import Any


def weight_decays(model: Any, decay: float, matrix_decay: float | None = None) -> list[float | np.ndarray]:
    """The ``decays`` of an optimizer for a LanguageModel, as ``rnnlm train`` has them.

    Adam(0.002, decays=weight_decays(model, 0.1)) steps like AdamW.  It leaves alone
    what must not decay: biases, and the diagonal of the recurrent weights of a cell
    without gates.  The diagonal is each unit's hold on its own state: the memory of a
    network that starts from many time scales or from the identity.  A decay would take
    it to 0, whatever the text asks for.

    Parameters
    ----------
    model : the LanguageModel.
    decay : weight decay of the words, that is, of embedding and output weights.
    matrix_decay : weight decay of the recurrent layers' matrices and the projection;
        None: that of the words.

    Returns
    -------
    list : a number or an array for each entry of ``model.packing.params``.
    """
    arguments.has("model", model, ("packing", "leaky_weights"), "a LanguageModel")
    decay = arguments.not_negative("decay", decay)
    matrix_decay = decay if matrix_decay is None else arguments.not_negative("matrix_decay", matrix_decay)
    by_group = {"words": decay, "matrices": matrix_decay, "biases": 0.0}
    packing = model.packing
    decays = [by_group[group] for group in packing.groups]
    for at, decay in enumerate(decays):
        if decay and model.leaky_weights & packing.parts(at, packing.params[at]).keys():
            decays[at] = np.full_like(packing.params[at], decay)
            for name in model.leaky_weights & packing.parts(at, decays[at]).keys():
                np.fill_diagonal(packing.parts(at, decays[at])[name], 0)
    return decays
