"""The recurrent layer: the hidden state of one step is an input of the next (Elman, 1990)."""

import numpy as np

from rnnlm.layers.base import Layer


class RNN(Layer):
    """One time step: h_next = tanh(x Wx + h_prev Wh + b).

    Wx (D, H), Wh (H, H), b (H,).  TimeRNN does the same for a whole window, faster; this is the
    step to read and to check by hand.
    """

    def __init__(self, Wx, Wh, b):
        super().__init__(Wx, Wh, b)

    def forward(self, x, h_prev):  # (N, D), (N, H) -> (N, H)
        """The next state."""
        Wx, Wh, b = self.params
        h_next = np.tanh(x @ Wx + h_prev @ Wh + b)
        self.cache = x, h_prev, h_next
        return h_next

    def backward(self, dh_next):  # (N, H) -> (N, D), (N, H)
        """Gradients of the input and of the previous state."""
        x, h_prev, h_next = self.cache
        Wx, Wh, _ = self.params
        dWx, dWh, db = self.grads
        da = dh_next * (1 - h_next**2)  # h_next = tanh(a)
        db[...] = da.sum(axis=0)        # a = ... + b
        dWh[...] = h_prev.T @ da        # a = ... + h_prev Wh
        dh_prev = da @ Wh.T
        dWx[...] = x.T @ da             # a = x Wx + ...
        dx = da @ Wx.T
        return dx, dh_prev


class TimeRNN(Layer):
    """A window of T steps: h_t = tanh(x_t Wx + h_{t-1} Wh + b), t = 1 ... T.

    Wx (D, H), Wh (H, H), b (H,).  stateful=True keeps h from one window to the next; the gradient
    is always cut at the window's edge: truncated backpropagation through time (Williams & Peng, 1990).

    After ``forward``, ``h`` (N, H) is the last state.  After ``backward``, ``dh`` (N, H) is the
    gradient of the state that came into the window: what is cut off.
    """

    state_names = ("h",)  # what set_state takes and a checkpoint holds

    def __init__(self, Wx, Wh, b, stateful=False):
        super().__init__(Wx, Wh, b)
        self.stateful = stateful
        self.h = None
        self.dh = None

    def set_state(self, h):
        """Start the next window from h (N, H)."""
        self.h = h

    def reset_state(self):
        """Start the next window from zeros."""
        self.h = None

    def check_state(self, N):
        """ValueError unless the state is that of N streams: one row would be spread over the batch unseen."""
        shape = N, self.params[1].shape[0]
        if self.h.shape != shape:
            raise ValueError(f"state must have shape {shape}, got {self.h.shape}: call reset_state first")

    def forward(self, xs):  # (N, T, D) -> (N, T, H)
        """All hidden states of the window."""
        Wx, Wh, b = self.params
        N, T, _ = xs.shape
        As = (xs @ Wx + b).swapaxes(0, 1)  # (T, N, H): every step's input term in one product
        hs = np.zeros((T + 1, N, Wh.shape[0]), dtype=As.dtype)  # time first: a step is contiguous
        if self.stateful and self.h is not None:
            self.check_state(N)
            hs[0] = self.h
        for t in range(T):
            np.tanh(As[t] + hs[t] @ Wh, out=hs[t + 1])
        self.h = hs[T].copy()
        self.cache = xs, hs
        return hs[1:].swapaxes(0, 1)

    def backward(self, dhs):  # (N, T, H) -> (N, T, D)
        """Gradients of the inputs, from those of all the states."""
        xs, hs = self.cache
        Wx, Wh, _ = self.params
        N, T, H = dhs.shape
        # A view Wh.T costs twice the product: OpenBLAS takes the slow kernel for it.
        Wh_transposed = np.ascontiguousarray(Wh.T)
        das = np.empty((T, N, H), dtype=hs.dtype)
        dh = np.zeros((N, H), dtype=hs.dtype)  # nothing comes from beyond the window: the truncation
        for t in reversed(range(T)):
            das[t] = (dhs[:, t] + dh) * (1 - hs[t + 1] ** 2)  # h_t = tanh(a_t); h_t is used twice: sum
            dh = das[t] @ Wh_transposed                       # a_t = ... + h_{t-1} Wh
        self.dh = dh
        dWx, dWh, db = self.grads
        rows = das.reshape(T * N, H)  # each weight was used in every step: its gradients add up
        dWx[...] = xs.swapaxes(0, 1).reshape(T * N, -1).T @ rows
        dWh[...] = hs[:-1].reshape(T * N, H).T @ rows
        db[...] = rows.sum(axis=0)
        return (rows @ Wx.T).reshape(T, N, -1).swapaxes(0, 1)
