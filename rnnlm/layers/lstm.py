"""Long short-term memory: gates decide what a cell adds up and what it forgets.

The cell is that of Hochreiter & Schmidhuber (1997), the forget gate that of Gers et al.
(2000).
"""

from __future__ import annotations

import numpy as np

from rnnlm.compute.functions import sigmoid
from rnnlm.layers.base import Layer
from rnnlm.layers.recurrent import TimeRecurrent


class LSTM(Layer):
    """One time step, with a forget gate (Gers et al., 2000).

    a = x Wx + h_prev Wh + b                      all four gates, next to each other
    f, i, o = sigmoid(a_f, a_i, a_o)              forget, input and output gate
    g = tanh(a_g)                                 what is to be added
    c_next = f c_prev + g i
    h_next = o tanh(c_next)

    TimeLSTM does the same for a whole window, faster.  This is the step to read and to
    check by hand.

    Parameters
    ----------
    Wx : (D, 4H), the weights of the input, columns in the order f, g, i, o.
    Wh : (H, 4H), the weights of the previous state, in the same order.
    b : (4H,), the biases, in the same order.
    """

    param_names = ("Wx", "Wh", "b")

    def __init__(self, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray) -> None:
        super().__init__(Wx, Wh, b)

    def forward(self, x: np.ndarray, h_prev: np.ndarray, c_prev: np.ndarray,  # (N, D), (N, H), (N, H)
                ) -> tuple[np.ndarray, np.ndarray]:                           # -> (N, H), (N, H)
        """The next state h and the next cell c."""
        Wx, Wh, b = self.params
        a = x @ Wx + h_prev @ Wh + b  # (N, 4H)
        f, g, i, o = np.split(a, 4, axis=1)
        f, g, i, o = sigmoid(f), np.tanh(g), sigmoid(i), sigmoid(o)
        c_next = f * c_prev + g * i
        tanh_c = np.tanh(c_next)
        h_next = o * tanh_c
        self.cache = x, h_prev, c_prev, f, g, i, o, tanh_c
        return h_next, c_next

    def backward(self, dh_next: np.ndarray, dc_next: np.ndarray,     # (N, H), (N, H)
                 ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:     # -> (N, D), (N, H), (N, H)
        """Gradients of the input, the previous state and the previous cell."""
        x, h_prev, c_prev, f, g, i, o, tanh_c = self.cache
        Wx, Wh, _ = self.params
        dWx, dWh, db = self.grads
        do = dh_next * tanh_c                            # h_next = o tanh(c_next)
        dc = dc_next + dh_next * o * (1 - tanh_c**2)     # c_next is used twice: sum
        df, dg, di = dc * c_prev, dc * i, dc * g         # c_next = f c_prev + g i
        dc_prev = dc * f
        da = np.concatenate([df * f * (1 - f),           # f = sigmoid(a_f)
                             dg * (1 - g**2),            # g = tanh(a_g)
                             di * i * (1 - i),           # i = sigmoid(a_i)
                             do * o * (1 - o)], axis=1)  # o = sigmoid(a_o)
        db[...] = da.sum(axis=0)                         # a = ... + b
        dWh[...] = h_prev.T @ da                         # a = ... + h_prev Wh
        dh_prev = da @ Wh.T
        dWx[...] = x.T @ da                              # a = x Wx + ...
        dx = da @ Wx.T
        return dx, dh_prev, dc_prev


class TimeLSTM(TimeRecurrent):
    """A window of T steps of LSTM; both h and c are carried from step to step.

    The gradient passes from c_t to c_{t-1} through a factor f alone.  So an open forget
    gate carries it over many steps, which a plain recurrent layer cannot do.

    State, truncation and weight drop: see TimeRecurrent.

    Parameters
    ----------
    Wx : (D, 4H), the weights of the inputs, columns in the order f, g, i, o.
    Wh : (H, 4H), the weights of the previous state, in the same order.
    b : (4H,), the biases, in the same order.
    stateful, weight_drop, grads : see TimeRecurrent.
    """

    input_blocks = state_blocks = 4
    state_names = ("h", "c")

    def set_state(self, h: np.ndarray | None, c: np.ndarray | None = None) -> None:
        """Start the next window from h and c, (N, H) each; None is zeros."""
        super().set_state(h, c)

    def forward(self, xs: np.ndarray) -> np.ndarray:  # (N, T, D) -> (N, T, H)
        """All hidden states of the window."""
        Wx, _, b = self.params
        Wh = self._recurrent_weights()
        N, T, _ = self.window(xs, len(Wx))
        H = Wh.shape[0]
        As = (xs @ Wx + b).swapaxes(0, 1)  # (T, N, 4H): every step's input term in one product
        hs, cs = self.xp.empty((2, T + 1, N, H), dtype=As.dtype)  # time first: a step is contiguous
        gates = self.xp.empty((T, 4, N, H), dtype=As.dtype)
        hs[0], cs[0] = self._first_state(N)
        for t in range(T):
            f, g, i, o = np.split(As[t] + hs[t] @ Wh, 4, axis=1)
            f, g, i, o = sigmoid(f), np.tanh(g), sigmoid(i), sigmoid(o)
            cs[t + 1] = f * cs[t] + g * i
            hs[t + 1] = o * np.tanh(cs[t + 1])
            np.stack([f, g, i, o], out=gates[t])
        self.h, self.c = hs[T].copy(), cs[T].copy()
        self.cache = xs, Wh, hs, cs, gates
        return hs[1:].swapaxes(0, 1)

    def backward(self, dhs: np.ndarray) -> np.ndarray:  # (N, T, H) -> (N, T, D)
        """Gradients of the inputs, from those of all the states h."""
        xs, Wh, hs, cs, gates = self.cache
        N, T, H = self.window(dhs, self.hidden_size, "H")
        Wh_transposed = self.xp.ascontiguousarray(Wh.T)  # as in TimeRNN
        das = self.xp.empty((T, N, 4 * H), dtype=hs.dtype)
        dh, dc = self.xp.zeros((2, N, H), dtype=hs.dtype)  # nothing comes from beyond the window: the truncation
        for t in reversed(range(T)):
            f, g, i, o = gates[t]
            tanh_c = np.tanh(cs[t + 1])
            dh = dhs[:, t] + dh                       # h_t is used twice, by the layer above and by the next step: sum
            do = dh * tanh_c                          # h_t = o tanh(c_t)
            dc = dc + dh * o * (1 - tanh_c**2)        # c_t is used twice: sum
            df, dg, di = dc * cs[t], dc * i, dc * g   # c_t = f c_{t-1} + g i
            dc = dc * f
            np.concatenate([df * f * (1 - f), dg * (1 - g**2), di * i * (1 - i), do * o * (1 - o)], axis=1, out=das[t])
            dh = das[t] @ Wh_transposed               # a_t = ... + h_{t-1} Wh
        self.dh, self.dc = dh, dc
        self.grads[1][...] = hs[:-1].reshape(T * N, H).T @ das.reshape(T * N, 4 * H)
        self._through_weight_drop()
        return self._through_inputs(xs, das)
