"""The gated recurrent unit: each unit decides how much of its state it replaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute.functions import sigmoid
from rnnlm.errors import ArgumentError
from rnnlm.layers.base import Layer
from rnnlm.layers.recurrent import TimeRecurrent

if TYPE_CHECKING:
    from rnnlm.layers.weight_drop import WeightDrop


def require_state_bias(layer, bh):
    """ArgumentError if bh is missing, or a bool: the next argument without bh."""
    if bh is None or isinstance(bh, bool):
        name = type(layer).__name__
        raise ArgumentError(f"{name} takes four arrays, Wx (D, 3H), Wh (H, 3H), b (3H,) and bh (H,), got no bh: add "
                            f"np.zeros(H); for the form without bh use {name.replace('GRU', 'TextbookGRU')}")


class GRU(Layer):
    """One time step of the gated recurrent unit, as PyTorch, Keras and cuDNN have it.

    z = sigmoid(x Wx_z + h_prev Wh_z + b_z)              update gate: what is kept
    r = sigmoid(x Wx_r + h_prev Wh_r + b_r)              reset gate
    n = tanh(x Wx_n + b_n + r (h_prev Wh_n + bh))        candidate, the new state
    h_next = (1 - z) n + z h_prev

    The unit is that of Cho et al. (2014), but for one thing: the reset comes after the
    product h_prev Wh.  So one product is enough for all gates.  TextbookGRU resets
    before it, as the paper does.

    TimeGRU does the same for a whole window.  This is the step to read.

    Parameters
    ----------
    Wx : (D, 3H), the weights of the input, columns in the order z, r, n.
    Wh : (H, 3H), the weights of the previous state, in the same order.
    b : (3H,), the biases, in the same order.
    bh : (H,), the candidate's bias inside the reset.
    """

    param_names = ("Wx", "Wh", "b", "bh")

    def __init__(self, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray, bh: np.ndarray | None = None) -> None:
        require_state_bias(self, bh)
        super().__init__(Wx, Wh, b, bh)

    def forward(self, x: np.ndarray, h_prev: np.ndarray) -> np.ndarray:  # (N, D), (N, H) -> (N, H)
        """The next state."""
        Wx, Wh, b, bh = self.params
        H = Wh.shape[0]
        a, u = x @ Wx + b, h_prev @ Wh  # (N, 3H) each
        z, r = np.split(sigmoid(a[:, : 2 * H] + u[:, : 2 * H]), 2, axis=1)
        v = u[:, 2 * H :] + bh
        n = np.tanh(a[:, 2 * H :] + r * v)
        h_next = (1 - z) * n + z * h_prev
        self.cache = x, h_prev, z, r, v, n
        return h_next

    def backward(self, dh_next: np.ndarray) -> tuple[np.ndarray, np.ndarray]:  # (N, H) -> (N, D), (N, H)
        """Gradients of the input and of the previous state."""
        x, h_prev, z, r, v, n = self.cache
        Wx, Wh, _, _ = self.params
        dWx, dWh, db, dbh = self.grads
        dn, dz = dh_next * (1 - z), dh_next * (h_prev - n)  # h_next = (1 - z) n + z h_prev
        da_n = dn * (1 - n**2)                              # n = tanh(a_n + r v)
        dr, dv = da_n * v, da_n * r                         # r v
        dbh[...] = dv.sum(axis=0)                           # v = u_n + bh
        da_z, da_r = dz * z * (1 - z), dr * r * (1 - r)     # z, r = sigmoid(a_z + u_z, a_r + u_r)
        du = np.concatenate([da_z, da_r, dv], axis=1)
        dWh[...] = h_prev.T @ du                            # u = h_prev Wh
        dh_prev = dh_next * z + du @ Wh.T                   # h_prev is used twice: sum
        da = np.concatenate([da_z, da_r, da_n], axis=1)
        db[...] = da.sum(axis=0)                            # a = ... + b
        dWx[...] = x.T @ da                                 # a = x Wx + ...
        dx = da @ Wx.T
        return dx, dh_prev


class TimeGRU(TimeRecurrent):
    """A window of T steps of GRU.

    State, truncation and weight drop: see TimeRecurrent.

    Parameters
    ----------
    Wx : (D, 3H), the weights of the inputs, columns in the order z, r, n.
    Wh : (H, 3H), the weights of the previous state, in the same order.
    b : (3H,), the biases, in the same order.
    bh : (H,), the candidate's bias inside the reset.
    stateful, weight_drop, grads : see TimeRecurrent.
    """

    param_names = ("Wx", "Wh", "b", "bh")
    input_blocks = state_blocks = 3

    def __init__(self, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray, bh: np.ndarray | None = None,
                 stateful: bool = False, *, weight_drop: WeightDrop | None = None,
                 grads: list[np.ndarray] | None = None) -> None:
        require_state_bias(self, bh)
        super().__init__(Wx, Wh, b, stateful, more=(bh,), weight_drop=weight_drop, grads=grads)

    def forward(self, xs: np.ndarray) -> np.ndarray:  # (N, T, D) -> (N, T, H)
        """All hidden states of the window."""
        Wx, _, b, bh = self.params
        Wh = self._recurrent_weights()
        N, T, _ = self.window(xs, len(Wx))
        H = Wh.shape[0]
        As = (xs @ Wx + b).swapaxes(0, 1)  # (T, N, 3H): every step's input term in one product
        hs = self.xp.empty((T + 1, N, H), dtype=As.dtype)  # time first: a step is contiguous
        gates = self.xp.empty((T, 4, N, H), dtype=As.dtype)
        (hs[0],) = self._first_state(N)
        for t in range(T):
            u = hs[t] @ Wh
            z, r = np.split(sigmoid(As[t, :, : 2 * H] + u[:, : 2 * H]), 2, axis=1)
            v = u[:, 2 * H :] + bh
            n = np.tanh(As[t, :, 2 * H :] + r * v)
            hs[t + 1] = (1 - z) * n + z * hs[t]
            np.stack([z, r, v, n], out=gates[t])
        self.h = hs[T].copy()
        self.cache = xs, Wh, hs, gates
        return hs[1:].swapaxes(0, 1)

    def backward(self, dhs: np.ndarray) -> np.ndarray:  # (N, T, H) -> (N, T, D)
        """Gradients of the inputs, from those of all the states."""
        xs, Wh, hs, gates = self.cache
        N, T, H = self.window(dhs, self.hidden_size, "H")
        Wh_transposed = self.xp.ascontiguousarray(Wh.T)  # copied as in TimeRNN
        das, dus = self.xp.empty((2, T, N, 3 * H), dtype=hs.dtype)
        dh = self.xp.zeros((N, H), dtype=hs.dtype)  # nothing comes from beyond the window: the truncation
        for t in reversed(range(T)):
            z, r, v, n = gates[t]
            dh = dhs[:, t] + dh                              # h_t is used by the layer above and by the next step: sum
            dn, dz = dh * (1 - z), dh * (hs[t] - n)          # h_t = (1 - z) n + z h_{t-1}
            da_n = dn * (1 - n**2)                           # n = tanh(a_n + r v)
            dr, dv = da_n * v, da_n * r                      # r v, v = u_n + bh
            da_z, da_r = dz * z * (1 - z), dr * r * (1 - r)  # z, r = sigmoid(a_z + u_z, a_r + u_r)
            np.concatenate([da_z, da_r, da_n], axis=1, out=das[t])
            np.concatenate([da_z, da_r, dv], axis=1, out=dus[t])
            dh = dh * z + dus[t] @ Wh_transposed             # u = h_{t-1} Wh; h_{t-1} is used twice: sum
        self.dh = dh
        _, dWh, _, dbh = self.grads
        rows = dus.reshape(T * N, 3 * H)
        dWh[...] = hs[:-1].reshape(T * N, H).T @ rows
        dbh[...] = rows[:, 2 * H :].sum(axis=0)
        self._through_weight_drop()
        return self._through_inputs(xs, das)
