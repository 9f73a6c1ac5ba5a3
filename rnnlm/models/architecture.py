"""Which language models there are: the cells, and what sizes and outputs go together."""

from contextlib import suppress
from typing import NamedTuple

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import shown
from rnnlm.layers import TimeGRU, TimeLSTM, TimeMRNN, TimeRNN, TimeTextbookGRU
from rnnlm.layers.fast import FastGRU, FastLSTM, FastMRNN, FastRNN, FastTextbookGRU

MOST_LAYERS = 500  # so that no model file can keep its reader busy for long; the deepest in use have a dozen


class Cell(NamedTuple):
    """A row of CELLS: what there is to know of a recurrent layer, beside its arrays (param_shapes)."""

    plain: type  # the layer to read
    fast: type   # the layer to run
    title: str   # what a reader of the screen calls it
    prefix: str  # of its arrays' names in files: gru1/Wx


CELLS = {
    "rnn": Cell(TimeRNN, FastRNN, "RNN", "rnn"),
    "mrnn": Cell(TimeMRNN, FastMRNN, "multiplicative RNN", "mrnn"),
    "lstm": Cell(TimeLSTM, FastLSTM, "LSTM", "lstm"),
    "gru": Cell(TimeGRU, FastGRU, "GRU", "gru"),
    "gru-textbook": Cell(TimeTextbookGRU, FastTextbookGRU, "textbook GRU", "gru"),
}
EARLIER = {"gru": "gru-textbook"}  # names in earlier files, from before another cell took the name over, and today's
UNGATED = tuple(name for name, cell in CELLS.items() if cell.plain.state_blocks == 1)
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


def from_earlier(values):
    """An architecture or options (a dict) of an earlier file, with the cell's name of today."""
    cell = values.get("cell")
    return values | {"cell": EARLIER[cell]} if isinstance(cell, str) and cell in EARLIER else values


def to_earlier(architecture):
    """The architecture with the cell's earlier name; None if files of that time do not know the cell."""
    names = {today: before for before, today in EARLIER.items()}
    cell = architecture["cell"]
    return None if cell in EARLIER else architecture | {"cell": names.get(cell, cell)}


def float_type(dtype):
    """The NumPy type of a model's numbers: float32, or float64 for comparisons."""
    if isinstance(dtype, type | np.dtype | str):
        with suppress(TypeError):
            if np.dtype(dtype) in (np.float32, np.float64):
                return np.dtype(dtype)
    raise arguments.wrong("dtype", "numpy.float32 or numpy.float64", dtype)


def param_shapes(cell, vocab_size, wordvec_size, hidden_size, layers, activation="tanh", tied=False, projection=False):
    """Names and shapes of the parameters of such a model, in the order of its ``params``."""
    V, D, H, kind = vocab_size, wordvec_size, hidden_size, CELLS[cell]
    shapes = {"embedding/W": (V, D)}
    for i in range(1, layers + 1):
        of_layer = kind.plain.param_shapes(D if i == 1 else H, H)
        shapes |= {f"{kind.prefix}{i}/{name}": shape for name, shape in of_layer.items()}
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
