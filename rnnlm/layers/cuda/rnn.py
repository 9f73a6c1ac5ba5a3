"""The recurrent layer for a GPU: one kernel for all steps of a window."""

import numpy as np

from rnnlm.compute.functions import ACTIVATIONS
from rnnlm.layers.cuda.recurrent import CudaRecurrent
from rnnlm.layers.rnn import TimeRNN


def forward_twin(As, b, Wh, h_first, hs, h_last, exchanged, counters, activation, carried, T, N, first, count, H,
                 *division):
    """h_t = activation(a_t + b + h_{t-1} Wh) for all steps; see recurrent.cu.

    Parameters
    ----------
    As : (T, N, H), the inputs' terms a_t.
    b : (H,), the biases.
    Wh : (H, H), the weights of the previous state.
    h_first : (N, H), the state before the window, if ``carried`` is 1.
    hs : (T + 1, N, H), takes all states, the first included.
    h_last : (N, H), takes the last state.
    exchanged, counters, division : what blocks need.
    first, count : which of the N streams are read.
    activation : the index of a function in ACTIVATIONS.
    """
    function, _ = list(ACTIVATIONS.values())[activation]
    streams = slice(first, first + count)
    hs[0, streams] = h_first[streams] if carried else 0
    for t in range(T):
        function(As[t, streams] + b + hs[t, streams] @ Wh, out=hs[t + 1, streams])
    h_last[streams] = hs[T, streams]


def backward_twin(dhs, Wh, hs, das, dh, exchanged, counters, activation, T, N, first, count, H, *division):
    """The gradients of a_t, and of the state before the window.

    Parameters
    ----------
    dhs : (T * N, H), the gradients of all states from above.
    Wh : (H, H).
    hs : (T + 1, N, H), the states.
    das : (T, N, H), to fill.
    dh : (N, H), to fill.
    exchanged, counters, division : what blocks need.
    first, count : which of the N streams are read.
    activation : the index of a function in ACTIVATIONS.
    """
    _, slope = list(ACTIVATIONS.values())[activation]
    streams = slice(first, first + count)
    dhs, hs, das, dh = dhs.reshape(hs[1:].shape)[:, streams], hs[:, streams], das[:, streams], dh[streams]
    dh[...] = 0  # nothing comes from beyond the window: the truncation
    for t in reversed(range(T)):
        das[t] = (dhs[t] + dh) * slope(hs[t + 1])  # h_t is used twice: sum
        np.matmul(das[t], Wh.T, out=dh)


class CudaRNN(CudaRecurrent, TimeRNN):
    """What TimeRNN computes: h_t = tanh(x_t Wx + h_{t-1} Wh + b), t = 1 ... T.

    In place of tanh, any function of ACTIVATIONS.
    """

    def __init__(self, *args, activation="tanh", **options):
        super().__init__(*args, activation=activation, **options)
        self.activation = list(ACTIVATIONS).index(activation)

    def _read(self, xs, N, T):
        rows, Wh, As, first, carried, states, last = self._begin(xs, N, T)
        self._launch("rnn_forward", forward_twin, [As, self.params[2], Wh, *first, *states, *last], N, T,
                     self.activation, carried)
        (hs,), (self.h,) = states, last
        self.cache = rows, Wh, hs
        return hs[1:].swapaxes(0, 1)

    def _read_back(self, dhs, N, T, H):
        rows, Wh, hs = self.cache
        das = self.buffer("As", (T, N, H), hs.dtype)  # the input terms have done their work
        self.dh = self.xp.empty((N, H), hs.dtype)
        self._launch("rnn_backward", backward_twin, [dhs, Wh, hs, das, self.dh], N, T, self.activation)
        return self._gradients(rows, hs, das)
