"""Which language models there are: the cells, and what sizes and outputs go together."""

from contextlib import suppress

import numpy as np

from rnnlm import arguments
from rnnlm.layers import TimeGRU, TimeLSTM, TimeMRNN, TimeRNN
from rnnlm.layers.fast import FastGRU, FastLSTM, FastMRNN, FastRNN

MOST_LAYERS = 500  # so that no model file can keep its reader busy for long; the deepest in use have a dozen
CELLS = {"rnn": (TimeRNN, FastRNN), "mrnn": (TimeMRNN, FastMRNN), "lstm": (TimeLSTM, FastLSTM),
         "gru": (TimeGRU, FastGRU)}  # to read, and fast
UNGATED = tuple(name for name, (kind, _) in CELLS.items() if kind.state_blocks == 1)
RNN_ACTIVATIONS = ("tanh", "relu")  # that these have
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
