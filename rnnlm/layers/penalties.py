"""Penalties on the hidden states: layers that add a penalty's slope to the gradient.

They pass the states on unchanged.  The reported loss is still the cross entropy alone.
"""

from __future__ import annotations

import numpy as np

from rnnlm.compute import arguments
from rnnlm.layers.base import Layer


class Penalty(Layer):
    """Passes the states on; a subclass has the penalty, and adds its slope.

    Parameters
    ----------
    weight : a number of at least 0, the factor of the penalty.

    Attributes
    ----------
    columns : the Columns of the batch that the layer gets, whose slope is then that of
        a mean over the whole batch; None: all.
    """

    columns = None

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = arguments.not_negative("weight", weight)

    def forward(self, hs: np.ndarray) -> np.ndarray:  # (N, T, H) -> (N, T, H)
        """The states as they are."""
        self.cache = hs
        return hs

    def _slope(self, count):
        """That of the mean of so many squares, over the values."""
        share = 1 if self.columns is None else self.columns.share
        return self.cache.dtype.type(2 * self.weight * share / count)


class TimeActivationPenalty(Penalty):
    """Activation regularisation: weight * mean of h^2 (Merity et al., 2017).

    The mean is over all values of the window.
    """

    def penalty(self) -> float:
        """The penalty on the states of the last forward, in nats."""
        return self.weight * float(np.mean(self.cache**2))

    def backward(self, dhs: np.ndarray) -> np.ndarray:  # (N, T, H) -> (N, T, H)
        """d(weight * mean h^2) / dh = 2 weight h / (N T H), added to the gradient."""
        hs = self.cache
        out = hs * self._slope(hs.size)
        out += dhs
        return out


class TimeSlownessPenalty(Penalty):
    """Temporal activation regularisation: weight * mean of (h_t - h_{t-1})^2.

    The mean is over t = 2 ... T and all values (Merity et al., 2017).
    """

    def penalty(self) -> float:
        """The penalty on the states of the last forward; 0 for a window of one step."""
        hs = self.cache
        return self.weight * float(np.mean((hs[:, 1:] - hs[:, :-1]) ** 2)) if hs.shape[1] > 1 else 0.0

    def backward(self, dhs: np.ndarray) -> np.ndarray:  # (N, T, H) -> (N, T, H)
        """The slope of the penalty, added to the gradient.

        Each difference d_t = h_t - h_{t-1} adds 2 weight d_t / (N (T - 1) H) to that of
        h_t, and takes it from that of h_{t-1}.
        """
        hs = self.cache
        out = dhs.copy()
        if hs.shape[1] > 1:
            slope = hs[:, 1:] - hs[:, :-1]
            slope *= self._slope(slope.size)
            out[:, 1:] += slope
            out[:, :-1] -= slope
        return out
