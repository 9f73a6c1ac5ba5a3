"""The recurrent layer: the state of one step is an input of the next (Elman, 1990)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute.functions import activation_by_name
from rnnlm.layers.base import Layer
from rnnlm.layers.recurrent import TimeRecurrent

if TYPE_CHECKING:
    from rnnlm.layers.weight_drop import WeightDrop


class RNN(Layer):
    """One time step: h_next = tanh(x Wx + h_prev Wh + b).

    TimeRNN does the same for a whole window, faster.  This is the step to read and to
    check by hand.

    Parameters
    ----------
    Wx : (D, H), the weights of the input.
    Wh : (H, H), the weights of the previous state.
    b : (H,), the biases.
    activation : the function in place of tanh, by its name in ACTIVATIONS.
    """

    param_names = ("Wx", "Wh", "b")

    def __init__(self, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray, activation: str = "tanh") -> None:
        super().__init__(Wx, Wh, b)
        self.function, self.slope = activation_by_name(activation)

    def forward(self, x: np.ndarray, h_prev: np.ndarray) -> np.ndarray:  # (N, D), (N, H) -> (N, H)
        """The next state."""
        Wx, Wh, b = self.params
        h_next = self.function(x @ Wx + h_prev @ Wh + b)
        self.cache = x, h_prev, h_next
        return h_next

    def backward(self, dh_next: np.ndarray) -> tuple[np.ndarray, np.ndarray]:  # (N, H) -> (N, D), (N, H)
        """Gradients of the input and of the previous state."""
        x, h_prev, h_next = self.cache
        Wx, Wh, _ = self.params
        dWx, dWh, db = self.grads
        da = dh_next * self.slope(h_next)  # h_next = tanh(a): tanh'(a) = 1 - h_next^2
        db[...] = da.sum(axis=0)           # a = ... + b
        dWh[...] = h_prev.T @ da           # a = ... + h_prev Wh
        dh_prev = da @ Wh.T
        dWx[...] = x.T @ da                # a = x Wx + ...
        dx = da @ Wx.T
        return dx, dh_prev


class TimeRNN(TimeRecurrent):
    """A window of T steps: h_t = tanh(x_t Wx + h_{t-1} Wh + b), t = 1 ... T.

    State, truncation and weight drop: see TimeRecurrent.

    Parameters
    ----------
    Wx : (D, H), the weights of the inputs.
    Wh : (H, H), the weights of the previous state.
    b : (H,), the biases.
    stateful, weight_drop, grads : see TimeRecurrent.
    activation : the function in place of tanh, by its name in ACTIVATIONS.
    """

    def __init__(self, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray, stateful: bool = False, *,
                 activation: str = "tanh", weight_drop: WeightDrop | None = None,
                 grads: list[np.ndarray] | None = None) -> None:
        super().__init__(Wx, Wh, b, stateful, weight_drop=weight_drop, grads=grads)
        self.function, self.slope = activation_by_name(activation)

    def forward(self, xs: np.ndarray) -> np.ndarray:  # (N, T, D) -> (N, T, H)
        """All hidden states of the window."""
        Wx, _, b = self.params
        Wh = self._recurrent_weights()
        N, T, _ = self.window(xs, len(Wx))
        As = (xs @ Wx + b).swapaxes(0, 1)  # (T, N, H): every step's input term in one product
        hs = self.xp.empty((T + 1, N, Wh.shape[0]), dtype=As.dtype)  # time first: a step is contiguous
        (hs[0],) = self._first_state(N)
        for t in range(T):
            self.function(As[t] + hs[t] @ Wh, out=hs[t + 1])
        self.h = hs[T].copy()
        self.cache = xs, Wh, hs
        return hs[1:].swapaxes(0, 1)

    def backward(self, dhs: np.ndarray) -> np.ndarray:  # (N, T, H) -> (N, T, D)
        """Gradients of the inputs, from those of all the states."""
        xs, Wh, hs = self.cache
        N, T, H = self.window(dhs, self.hidden_size, "H")
        # A view Wh.T costs twice the product: OpenBLAS takes the slow kernel for it.
        Wh_transposed = self.xp.ascontiguousarray(Wh.T)
        das = self.xp.empty((T, N, H), dtype=hs.dtype)
        dh = self.xp.zeros((N, H), dtype=hs.dtype)  # nothing comes from beyond the window: the truncation
        for t in reversed(range(T)):
            das[t] = (dhs[:, t] + dh) * self.slope(hs[t + 1])  # h_t = tanh(a_t); h_t is used twice: sum
            dh = das[t] @ Wh_transposed                        # a_t = ... + h_{t-1} Wh
        self.dh = dh
        self.grads[1][...] = hs[:-1].reshape(T * N, H).T @ das.reshape(T * N, H)
        self._through_weight_drop()
        return self._through_inputs(xs, das)
