"""Penalties on the hidden states: layers that hand everything on, and add the slope of a penalty on the way back.

The loss that is reported stays the cross entropy alone.
"""

import numpy as np

from rnnlm.compute import arguments
from rnnlm.layers.base import Layer


class Penalty(Layer):
    """Hands the states on; subclasses say what they cost, and add that slope to the gradient."""

    def __init__(self, weight):
        super().__init__()
        self.weight = arguments.not_negative("weight", weight)

    def forward(self, hs):  # (N, T, H) -> (N, T, H)
        """The states as they are."""
        self.cache = hs
        return hs


class TimeActivationPenalty(Penalty):
    """Activation regularisation: weight * mean of h^2 over all values of the window (Merity et al., 2017)."""

    def penalty(self):
        """What the loss is larger by, for the states of the last forward."""
        return self.weight * float(np.mean(self.cache**2))

    def backward(self, dhs):  # (N, T, H) -> (N, T, H)
        """d(weight * mean h^2) / dh = 2 weight h / (N T H), added to the gradient."""
        hs = self.cache
        out = hs * hs.dtype.type(2 * self.weight / hs.size)
        out += dhs
        return out


class TimeSlownessPenalty(Penalty):
    """Temporal activation regularisation: weight * mean of (h_t - h_{t-1})^2, t = 2 ... T (Merity et al., 2017)."""

    def penalty(self):
        """What the loss is larger by, for the states of the last forward; 0 for a window of one step."""
        hs = self.cache
        return self.weight * float(np.mean((hs[:, 1:] - hs[:, :-1]) ** 2)) if hs.shape[1] > 1 else 0.0

    def backward(self, dhs):  # (N, T, H) -> (N, T, H)
        """Each difference d_t = h_t - h_{t-1} pulls h_t down and h_{t-1} up by 2 weight d_t / (N (T - 1) H)."""
        hs = self.cache
        out = np.array(dhs)
        if hs.shape[1] > 1:
            slope = hs[:, 1:] - hs[:, :-1]
            slope *= hs.dtype.type(2 * self.weight / slope.size)
            out[:, 1:] += slope
            out[:, :-1] -= slope
        return out
