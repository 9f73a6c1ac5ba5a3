"""The multiplicative RNN: the input scales what each unit lets in of the past."""

from __future__ import annotations

import numpy as np

from rnnlm.layers.rnn import RNN, TimeRNN


class MRNN(RNN):
    """One time step: h_next = tanh(x Wx_a + b_a + m (h_prev Wh)), m = 1 + x Wx_m + b_m.

    With Wx_m and b_m zero it is the RNN.

    The factors m make the step to the next state a different one for every input.
    Sutskever et al. (2011) have a second matrix after m, so that the number of factors
    is free.  Wu et al. (2016) make the factors of x Wx_a, with learnt gains.  They are
    not gates: nothing bounds them, and they may be negative.

    TimeMRNN does the same for a whole window, faster.  This is the step to read and to
    check by hand.

    Parameters
    ----------
    Wx : (D, 2H), the weights of the input, columns in the order a, m.
    Wh : (H, H), the weights of the previous state.
    b : (2H,), the biases, in the order a, m.
    activation : the function in place of tanh, by its name in ACTIVATIONS.
    """

    def forward(self, x: np.ndarray, h_prev: np.ndarray) -> np.ndarray:  # (N, D), (N, H) -> (N, H)
        """The next state."""
        Wx, Wh, b = self.params
        a, m = np.split(x @ Wx + b, 2, axis=1)
        m = 1 + m
        u = h_prev @ Wh
        h_next = self.function(a + m * u)
        self.cache = x, h_prev, m, u, h_next
        return h_next

    def backward(self, dh_next: np.ndarray) -> tuple[np.ndarray, np.ndarray]:  # (N, H) -> (N, D), (N, H)
        """Gradients of the input and of the previous state."""
        x, h_prev, m, u, h_next = self.cache
        Wx, Wh, _ = self.params
        dWx, dWh, db = self.grads
        da = dh_next * self.slope(h_next)            # h_next = tanh(a + m u)
        du, dm = da * m, da * u                      # m u
        dWh[...] = h_prev.T @ du                     # u = h_prev Wh
        dh_prev = du @ Wh.T
        dam = np.concatenate([da, dm], axis=1)
        db[...] = dam.sum(axis=0)                    # a, m = ... + b
        dWx[...] = x.T @ dam                         # a, m = x Wx + ...
        dx = dam @ Wx.T
        return dx, dh_prev


class TimeMRNN(TimeRNN):
    """A window of T steps of MRNN: h_t = tanh(a_t + m_t u_t), u_t = h_{t-1} Wh.

    State, truncation and weight drop: see TimeRecurrent.

    Parameters
    ----------
    Wx : (D, 2H), the weights of the inputs, columns in the order a, m.
    Wh : (H, H), the weights of the previous state.
    b : (2H,), the biases, in the order a, m.
    stateful, weight_drop, grads : see TimeRecurrent.
    activation : the function in place of tanh, by its name in ACTIVATIONS.
    """

    input_blocks = 2

    def forward(self, xs: np.ndarray) -> np.ndarray:  # (N, T, D) -> (N, T, H)
        """All hidden states of the window."""
        Wx, _, b = self.params
        Wh = self._recurrent_weights()
        N, T, _ = self.window(xs, len(Wx))
        As, ms = np.split((xs @ Wx + b).swapaxes(0, 1), 2, axis=2)  # (T, N, H) each
        ms = 1 + ms
        us = self.xp.empty(As.shape, dtype=As.dtype)
        hs = self.xp.empty((T + 1, *As.shape[1:]), dtype=As.dtype)
        (hs[0],) = self._first_state(N)
        for t in range(T):
            us[t] = hs[t] @ Wh
            self.function(As[t] + ms[t] * us[t], out=hs[t + 1])
        self.h = hs[T].copy()
        self.cache = xs, Wh, ms, us, hs
        return hs[1:].swapaxes(0, 1)

    def backward(self, dhs: np.ndarray) -> np.ndarray:  # (N, T, H) -> (N, T, D)
        """Gradients of the inputs, from those of all the states."""
        xs, Wh, ms, us, hs = self.cache
        N, T, H = self.window(dhs, self.hidden_size, "H")
        Wh_transposed = self.xp.ascontiguousarray(Wh.T)  # copied as in TimeRNN
        das, dus = self.xp.empty((2, T, N, H), dtype=hs.dtype)
        dh = self.xp.zeros((N, H), dtype=hs.dtype)  # nothing comes from beyond the window: the truncation
        for t in reversed(range(T)):
            das[t] = (dhs[:, t] + dh) * self.slope(hs[t + 1])  # h_t = tanh(a_t + m_t u_t); h_t is used twice: sum
            dus[t] = das[t] * ms[t]                            # m_t u_t
            dh = dus[t] @ Wh_transposed                        # u_t = h_{t-1} Wh
        self.dh = dh
        self.grads[1][...] = hs[:-1].reshape(T * N, H).T @ dus.reshape(T * N, H)
        self._through_weight_drop()
        return self._through_inputs(xs, np.concatenate([das, das * us], axis=2))
