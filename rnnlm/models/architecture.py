"""Which language models there are: the cells, and what sizes and outputs go together."""

from contextlib import suppress

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import shown
from rnnlm.layers import TimeGRU, TimeLSTM, TimeMRNN, TimeRNN
from rnnlm.layers.fast import FastGRU, FastLSTM, FastMRNN, FastRNN

MOST_LAYERS = 500  # so that no model file can keep its reader busy for long; the deepest in use have a dozen
CELLS = {"rnn": (TimeRNN, FastRNN), "mrnn": (TimeMRNN, FastMRNN), "lstm": (TimeLSTM, FastLSTM),
         "gru": (TimeGRU, FastGRU)}  # to read, and fast
UNGATED = tuple(name for name, (kind, _) in CELLS.items() if kind.state_blocks == 1)
RNN_ACTIVATIONS = ("tanh", "relu")  # that these have
CHOICES = {"activation": "tanh", "tied": False, "projection": False}  # what early files do not have
RATIOS = ("dropout", "input_dropout")
SIZES = ("vocab_size", "wordvec_size", "hidden_size", "layers")


def checked(architecture):
    """The architecture, a dict, with values that go into a model file. ArgumentError unless there is such a model."""
    a = dict(architecture)
    arguments.one_of("cell", a["cell"], tuple(CELLS))
    arguments.one_of("activation", a["activation"], RNN_ACTIVATIONS)
    for name in SIZES:
        a[name] = arguments.whole(name, a[name], 1, MOST_LAYERS if name == "layers" else None)
    for name in ("tied", "projection"):
        a[name] = arguments.yes_or_no(name, a[name])
    a["projection"] = a["projection"] or (a["tied"] and a["wordvec_size"] != a["hidden_size"])
    return a


def float_type(dtype):
    """The NumPy type of a model's numbers: float32, or float64 for comparisons."""
    if isinstance(dtype, type | np.dtype | str):
        with suppress(TypeError):
            if np.dtype(dtype) in (np.float32, np.float64):
                return np.dtype(dtype)
    raise arguments.wrong("dtype", "numpy.float32 or numpy.float64", dtype)


def param_shapes(cell, vocab_size, wordvec_size, hidden_size, layers, activation="tanh", tied=False, projection=False):
    """Names and shapes of the parameters of such a model, in the order of its ``params``."""
    V, D, H, kind = vocab_size, wordvec_size, hidden_size, CELLS[cell][0]
    k, j = kind.input_blocks, kind.state_blocks
    shapes = {"embedding/W": (V, D)}
    for i in range(1, layers + 1):
        shapes |= {f"{cell}{i}/Wx": (D if i == 1 else H, k * H), f"{cell}{i}/Wh": (H, j * H), f"{cell}{i}/b": (k * H,)}
    if projection:
        shapes |= {"projection/W": (H, D), "projection/b": (D,)}
    return shapes | ({} if tied else {"affine/W": (D if projection else H, V)}) | {"affine/b": (V,)}


def declared_shapes(architecture):
    """Names and shapes of the parameters of an architecture; ValueError unless a model of that size may be built."""
    return param_shapes(**declared(architecture))


def declared(architecture):
    """An architecture as keyword arguments of LanguageModel; ValueError unless a model of that size may be built.

    The dropout ratios that early files hold are of no use to a model that is not trained.
    """
    if not isinstance(architecture, dict) or architecture.get("cell") not in tuple(CELLS):
        raise ValueError(f"architecture must be an object with one of the cells {', '.join(CELLS)}, "
                         f"got {shown(architecture)}")
    if not {"cell", *SIZES} <= architecture.keys() <= {"cell", *SIZES, *CHOICES, *RATIOS}:
        raise ValueError(f"architecture must have the keys {', '.join(['cell', *SIZES])} and may have "
                         f"{', '.join(CHOICES)}, got {shown(architecture)}")
    own = {key: value for key, value in architecture.items() if key not in RATIOS}
    if checked(CHOICES | own)["projection"] != own.get("projection", False):
        raise ValueError(f"tied needs a projection where the sizes differ, got {shown(architecture)}")
    return own
