"""Which weights decay: words and matrices, but no biases, nor a unit's own memory."""

import numpy as np

from rnnlm.compute import arguments


def weight_decays(model, decay, matrix_decay=None):
    """The ``decays`` of an optimizer for a LanguageModel, as ``rnnlm train`` has them.

    Adam(0.002, decays=weight_decays(model, 0.1)) steps like AdamW, but leaves alone
    what must not decay: biases, and the diagonal of the recurrent weights of a cell
    without gates.  The diagonal is each unit's hold on its own state, the memory of the
    network where it starts from many time scales or from the identity; a decay would
    take it to 0, whatever the text asks for.

    Parameters
    ----------
    decay : float
        Weight decay of the words: embedding and output weights.
    matrix_decay : float, optional
        Weight decay of the recurrent layers' matrices and the projection; by default
        that of the words.

    Returns
    -------
    list
        A number or an array for each entry of ``model.packing.params``.
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
