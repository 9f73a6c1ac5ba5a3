"""The gated recurrent unit as textbooks have it: the reset comes before the product."""

from __future__ import annotations

import numpy as np

from rnnlm.compute.functions import sigmoid
from rnnlm.layers.base import Layer
from rnnlm.layers.recurrent import TimeRecurrent


class TextbookGRU(Layer):
    """One time step of the gated recurrent unit as textbooks have it.

    It is that of Cho et al. (2014), with z as in Chung et al. (2014).

    z = sigmoid(x Wx_z + h_prev Wh_z + b_z)            update gate
    r = sigmoid(x Wx_r + h_prev Wh_r + b_r)            reset gate
    h_hat = tanh(x Wx_h + (r h_prev) Wh_h + b_h)       proposal
    h_next = (1 - z) h_prev + z h_hat

    GRU is the form that PyTorch, Keras and cuDNN have: it resets after the product, and
    its z is the 1 - z of this one.  The weights of one form mean something else in the
    other.

    TimeTextbookGRU does the same for a whole window.  This is the step to read.

    Parameters
    ----------
    Wx : (D, 3H), the weights of the input, columns in the order z, r, h_hat.
    Wh : (H, 3H), the weights of the previous state, in the same order.
    b : (3H,), the biases, in the same order.
    """

    param_names = ("Wx", "Wh", "b")

    def __init__(self, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray) -> None:
        super().__init__(Wx, Wh, b)

    def forward(self, x: np.ndarray, h_prev: np.ndarray) -> np.ndarray:  # (N, D), (N, H) -> (N, H)
        """The next state."""
        Wx, Wh, b = self.params
        H = Wh.shape[0]
        a = x @ Wx + b  # (N, 3H)
        z, r = np.split(sigmoid(a[:, : 2 * H] + h_prev @ Wh[:, : 2 * H]), 2, axis=1)
        h_hat = np.tanh(a[:, 2 * H :] + (r * h_prev) @ Wh[:, 2 * H :])
        h_next = (1 - z) * h_prev + z * h_hat
        self.cache = x, h_prev, z, r, h_hat
        return h_next

    def backward(self, dh_next: np.ndarray) -> tuple[np.ndarray, np.ndarray]:  # (N, H) -> (N, D), (N, H)
        """Gradients of the input and of the previous state."""
        x, h_prev, z, r, h_hat = self.cache
        Wx, Wh, _ = self.params
        dWx, dWh, db = self.grads
        H = Wh.shape[0]
        dz, dh_hat = dh_next * (h_hat - h_prev), dh_next * z  # h_next = (1 - z) h_prev + z h_hat
        dh_prev = dh_next * (1 - z)
        da_hat = dh_hat * (1 - h_hat**2)                      # h_hat = tanh(a_hat)
        dWh[:, 2 * H :] = (r * h_prev).T @ da_hat             # a_hat = ... + (r h_prev) Wh_h
        dreset = da_hat @ Wh[:, 2 * H :].T                    # of r h_prev
        dr = dreset * h_prev
        dh_prev += dreset * r
        da_zr = np.concatenate([dz * z * (1 - z), dr * r * (1 - r)], axis=1)  # z, r = sigmoid(a_z, a_r)
        dWh[:, : 2 * H] = h_prev.T @ da_zr                    # a_z, a_r = ... + h_prev Wh_z, h_prev Wh_r
        dh_prev += da_zr @ Wh[:, : 2 * H].T
        da = np.concatenate([da_zr, da_hat], axis=1)
        db[...] = da.sum(axis=0)                              # a = ... + b
        dWx[...] = x.T @ da                                   # a = x Wx + ...
        dx = da @ Wx.T
        return dx, dh_prev


class TimeTextbookGRU(TimeRecurrent):
    """A window of T steps of TextbookGRU.

    State, truncation and weight drop: see TimeRecurrent.

    Parameters
    ----------
    Wx : (D, 3H), the weights of the inputs, columns in the order z, r, h_hat.
    Wh : (H, 3H), the weights of the previous state, in the same order.
    b : (3H,), the biases, in the same order.
    stateful, weight_drop, grads : see TimeRecurrent.
    """

    input_blocks = state_blocks = 3

    def forward(self, xs: np.ndarray) -> np.ndarray:  # (N, T, D) -> (N, T, H)
        """All hidden states of the window."""
        Wx, _, b = self.params
        Wh = self._recurrent_weights()
        N, T, _ = self.window(xs, len(Wx))
        H = Wh.shape[0]
        Wh_zr, Wh_hat = Wh[:, : 2 * H], Wh[:, 2 * H :]
        As = (xs @ Wx + b).swapaxes(0, 1)  # (T, N, 3H): every step's input term in one product
        hs = self.xp.empty((T + 1, N, H), dtype=As.dtype)  # time first: a step is contiguous
        gates = self.xp.empty((T, 3, N, H), dtype=As.dtype)
        (hs[0],) = self._first_state(N)
        for t in range(T):
            z, r = np.split(sigmoid(As[t, :, : 2 * H] + hs[t] @ Wh_zr), 2, axis=1)
            h_hat = np.tanh(As[t, :, 2 * H :] + (r * hs[t]) @ Wh_hat)
            hs[t + 1] = (1 - z) * hs[t] + z * h_hat
            np.stack([z, r, h_hat], out=gates[t])
        self.h = hs[T].copy()
        self.cache = xs, Wh, hs, gates
        return hs[1:].swapaxes(0, 1)

    def backward(self, dhs: np.ndarray) -> np.ndarray:  # (N, T, H) -> (N, T, D)
        """Gradients of the inputs, from those of all the states."""
        xs, Wh, hs, gates = self.cache
        N, T, H = self.window(dhs, self.hidden_size, "H")
        # Copied as in TimeRNN.
        Wh_zr_transposed, Wh_hat_transposed = np.split(self.xp.ascontiguousarray(Wh.T), [2 * H])
        das = self.xp.empty((T, N, 3 * H), dtype=hs.dtype)
        dh = self.xp.zeros((N, H), dtype=hs.dtype)  # nothing comes from beyond the window: the truncation
        for t in reversed(range(T)):
            z, r, h_hat = gates[t]
            dh = dhs[:, t] + dh                           # h_t is used by the layer above and by the next step: sum
            dz, dh_hat = dh * (h_hat - hs[t]), dh * z     # h_t = (1 - z) h_{t-1} + z h_hat
            da_hat = dh_hat * (1 - h_hat**2)              # h_hat = tanh(a_hat)
            dreset = da_hat @ Wh_hat_transposed           # a_hat = ... + (r h_{t-1}) Wh_h
            dr = dreset * hs[t]
            np.concatenate([dz * z * (1 - z), dr * r * (1 - r), da_hat], axis=1, out=das[t])  # z, r = sigmoid(...)
            dh = dh * (1 - z) + dreset * r + das[t, :, : 2 * H] @ Wh_zr_transposed  # all that h_{t-1} was used for
        self.dh = dh
        dWh, h_prevs, rows = self.grads[1], hs[:-1].reshape(T * N, H), das.reshape(T * N, 3 * H)
        dWh[:, : 2 * H] = h_prevs.T @ rows[:, : 2 * H]
        dWh[:, 2 * H :] = (gates[:, 1] * hs[:-1]).reshape(T * N, H).T @ rows[:, 2 * H :]
        self._through_weight_drop()
        return self._through_inputs(xs, das)
