"""Frozen parameters: parts of a model that training leaves as they are.

A frozen parameter is no part of the arrays that optimizer, clipping and averages get,
so it keeps every bit.  Where nothing below a layer is trained, nothing goes back there.
"""

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


def what_trains(layers, tied, packing, frozen):
    """Which layers need to go back.

    Parameters
    ----------
    layers : those below the output, from the ids on.
    tied : whether the output weights are the word vectors.
    packing : Packing, the parameters.
    frozen : the names of the frozen ones.

    Returns
    -------
    lowest : the index of the lowest layer with a parameter that trains; their number if
        there is none.
    output : whether a parameter of the output trains.
    """
    trained = {id(param) for name, param in packing.param.items() if name not in frozen}
    by_layer = [{id(param) for param in layer.params} & trained for layer in layers]
    lowest = next((i for i, found in enumerate(by_layer) if found), len(layers))
    return lowest, bool(trained - set().union(*by_layer)) or (tied and "embedding/W" not in frozen)
