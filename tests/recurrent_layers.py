"""The recurrent layers that several tests go through, and random ones of each."""

import numpy as np

from rnnlm.layers import GRU, LSTM, RNN, TimeGRU, TimeLSTM, TimeRNN, WeightDrop
from rnnlm.layers.fast import FastGRU, FastLSTM, FastRNN

RELU = {"activation": "relu"}
CELLS = {"tanh": (RNN, TimeRNN, FastRNN, {}), "relu": (RNN, TimeRNN, FastRNN, RELU),
         "lstm": (LSTM, TimeLSTM, FastLSTM, {}), "gru": (GRU, TimeGRU, FastGRU, {})}  # step, plain, fast, options
GATES = {"tanh": 1, "relu": 1, "lstm": 4, "gru": 3}


class SameMask(WeightDrop):
    """A weight drop that draws the same mask for every window."""

    def forward(self, Wh):
        self.rng = np.random.default_rng(7)
        return super().forward(Wh)


def random_arrays(cell, D, H, rng, dtype=np.float64):
    """Wx, Wh, b; those of a ReLU such that most units are alive."""
    width = GATES[cell] * H
    Wx, Wh, b = rng.normal(size=(D, width)), rng.normal(size=(H, width)) / 2, rng.normal(size=width)
    return [array.astype(dtype) for array in (Wx, Wh, b + 1 if cell == "relu" else b)]


def states(layer, prefix=""):
    """The layer's state, or with the prefix "d" its gradient, as a tuple."""
    return tuple(getattr(layer, prefix + name) for name in layer.state_names)
