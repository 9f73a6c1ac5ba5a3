"""The recurrent layers that several tests go through, and random ones of each."""

import numpy as np

from rnnlm.layers import GRU, LSTM, MRNN, RNN, TimeGRU, TimeLSTM, TimeMRNN, TimeRNN, WeightDrop
from rnnlm.layers.fast import FastGRU, FastLSTM, FastMRNN, FastRNN

RELU = {"activation": "relu"}
CELLS = {"tanh": (RNN, TimeRNN, FastRNN, {}), "relu": (RNN, TimeRNN, FastRNN, RELU),
         "mrnn": (MRNN, TimeMRNN, FastMRNN, {}), "relu mrnn": (MRNN, TimeMRNN, FastMRNN, RELU),
         "lstm": (LSTM, TimeLSTM, FastLSTM, {}), "gru": (GRU, TimeGRU, FastGRU, {})}  # step, plain, fast, options
BLOCKS = {"tanh": (1, 1), "relu": (1, 1), "mrnn": (2, 1), "relu mrnn": (2, 1), "lstm": (4, 4), "gru": (3, 3)}  # Wx, Wh


class SameMask(WeightDrop):
    """A weight drop that draws the same mask for every window."""

    def forward(self, Wh):
        self.rng = np.random.default_rng(7)
        return super().forward(Wh)


def random_arrays(cell, D, H, rng, dtype=np.float64):
    """Wx, Wh, b; those of a ReLU such that most units are alive, the factors of a multiplicative RNN around 1."""
    k, j = (blocks * H for blocks in BLOCKS[cell])
    Wx, Wh, b = rng.normal(size=(D, k)), rng.normal(size=(H, j)) / 2, rng.normal(size=k)
    if "mrnn" in cell:
        for array in (Wx, b):
            array[..., H:] /= 4
    return [array.astype(dtype) for array in (Wx, Wh, b + 1 if "relu" in cell else b)]


def states(layer, prefix=""):
    """The layer's state, or with the prefix "d" its gradient, as a tuple."""
    return tuple(getattr(layer, prefix + name) for name in layer.state_names)
