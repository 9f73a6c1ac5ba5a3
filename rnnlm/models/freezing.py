"""Frozen parameters: parts of a model that training leaves as they are.

A frozen parameter is no part of the arrays that optimizer, clipping and averages get,
so it keeps every bit.  Where nothing below a layer is trained, nothing goes back there.
"""

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError, did_you_mean, shown


def frozen_parameters(architecture, names, called="frozen"):
    """The names of the parameters that ``names`` means, a set.

    Parameters
    ----------
    architecture : the Architecture.
    names : names of parameters (rnn1/Wh) and of parts of the model (rnn1, embedding).
    called : what a message calls them.

    Raises
    ------
    ArgumentError : a name that the model lacks, or nothing is left to train.
    """
    everything = list(architecture.shapes())
    parts = list(dict.fromkeys(name.split("/")[0] for name in everything))
    found = set()
    for name in arguments.items(called, names, "a list of names"):
        chosen = [full for full in everything if name in (full, full.split("/")[0])]
        if not chosen:
            raise ArgumentError(f"{called} must name parts of the model ({', '.join(parts)}) or its parameters "
                                f"({', '.join(everything)}), got {shown(repr(name))}"
                                f"{did_you_mean(str(name), [*parts, *everything])}")
        found.update(chosen)
    if len(found) == len(everything):
        raise ArgumentError(f"{called} must leave something to train, got all parts of the model: leave one out")
    return found


def what_trains(layers, output, packing):
    """Which layers need to go back.

    Parameters
    ----------
    layers : those below the output, from the ids on.
    output : the output layer, which may share memory with the embedding.
    packing : Packing, the memory of all of them.

    Returns
    -------
    lowest : the index of the lowest layer with a parameter that trains; their number if
        there is none.
    of_output : whether a parameter of the output trains.
    """

    def trains(layer):
        return any(np.may_share_memory(array, trained) for array in layer.params for trained in packing.params)

    return next((i for i, layer in enumerate(layers) if trains(layer)), len(layers)), trains(output)
