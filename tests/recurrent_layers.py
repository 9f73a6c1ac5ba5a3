"""The recurrent layers that several tests go through, and random ones of each."""

import sys

import numpy as np

from rnnlm.layers import WeightDrop
from rnnlm.models import CELLS as TABLE
from rnnlm.models import UNGATED


def _case(cell, **options):
    """Step, plain window, fast window or None, options of a cell of the table."""
    plain, fast = TABLE[cell].plain, TABLE[cell].fast
    step = plain.__name__.removeprefix("Time")
    assert step in vars(sys.modules[plain.__module__]), f"{plain.__module__} has no {step} next to {plain.__name__}"
    return getattr(sys.modules[plain.__module__], step), plain, fast, options


CELLS = {"tanh" if cell == "rnn" else cell: _case(cell) for cell in TABLE}
CELLS |= {"relu" if cell == "rnn" else f"relu {cell}": _case(cell, activation="relu") for cell in UNGATED}
KINDS = [(cell, kind) for cell, case in CELLS.items() for kind in (1, 2) if case[kind]]  # plain, fast where there is
FAST = [cell for cell, case in CELLS.items() if case[2]]


class SameMask(WeightDrop):
    """A weight drop that draws the same mask for every window."""

    def forward(self, Wh):
        self.rng = np.random.default_rng(7)
        return super().forward(Wh)


def random_arrays(cell, D, H, rng, dtype=np.float64):
    """A layer's arrays; most ReLU units are alive, multiplicative factors around 1."""
    shapes = CELLS[cell][1].param_shapes(D, H)
    arrays = {name: rng.normal(size=shape) / (2 if name == "Wh" else 1) for name, shape in shapes.items()}
    if "mrnn" in cell:
        for array in (arrays["Wx"], arrays["b"]):
            array[..., H:] /= 4
    if "relu" in cell:
        arrays["b"] += 1
    return [array.astype(dtype) for array in arrays.values()]


def states(layer, prefix=""):
    """The layer's state, or with the prefix "d" its gradient, as a tuple."""
    return tuple(getattr(layer, prefix + name) for name in layer.state_names)
