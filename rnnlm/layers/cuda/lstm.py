"""The LSTM for a GPU: one kernel for all steps of a window."""

import numpy as np

from rnnlm.compute.functions import sigmoid, sigmoid_slope, tanh_slope
from rnnlm.layers.cuda.recurrent import CudaRecurrent
from rnnlm.layers.lstm import TimeLSTM


def forward_twin(gates, b, Wh, h_first, c_first, hs, cs, h_last, c_last, exchanged, counters, carried, T, N, first,
                 count, H, *division):
    """f, g, i, o of all steps from a_t + b + h_{t-1} Wh, and the states.

    c_t = f c_{t-1} + g i, h_t = o tanh(c_t); see recurrent.cu.

    Parameters
    ----------
    gates : (T, N, 4H), the inputs' terms a_t, in whose place come f, g, i, o.
    b : (4H,), the biases.
    Wh : (H, 4H), the weights of the previous state.
    h_first, c_first : (N, H), the states before the window, if bit 0 or 1 of
        ``carried`` is set.
    hs, cs : (T + 1, N, H), take all states, the first included.
    h_last, c_last : (N, H), take the last states.
    exchanged, counters, division : what blocks need.
    first, count : which of the N streams are read.
    """
    streams = slice(first, first + count)
    gates, hs, cs = gates[:, streams], hs[:, streams], cs[:, streams]
    hs[0], cs[0] = h_first[streams] if carried & 1 else 0, c_first[streams] if carried & 2 else 0
    for t in range(T):
        f, g, i, o = np.split(gates[t], 4, axis=1)  # views
        gates[t] += b + hs[t] @ Wh
        np.tanh(g, out=g)
        for gate in (f, i, o):
            sigmoid(gate, out=gate)
        cs[t + 1] = f * cs[t] + g * i
        hs[t + 1] = o * np.tanh(cs[t + 1])
    h_last[streams], c_last[streams] = hs[T], cs[T]


def backward_twin(dhs, Wh, gates, cs, das, dh, dc, exchanged, counters, T, N, first, count, H, *division):
    """The gradients of a_t, and of the states before the window.

    Parameters
    ----------
    dhs : (T * N, H), the gradients of all states h from above.
    Wh : (H, 4H).
    gates : (T, N, 4H), f, g, i, o.
    cs : (T + 1, N, H), the states c.
    das : (T, N, 4H), to fill.
    dh, dc : (N, H), to fill.
    exchanged, counters, division : what blocks need.
    first, count : which of the N streams are read.
    """
    streams = slice(first, first + count)
    dhs, gates, cs = dhs.reshape(cs[1:].shape)[:, streams], gates[:, streams], cs[:, streams]
    das, dh, dc = das[:, streams], dh[streams], dc[streams]
    dh[...], dc[...] = 0, 0  # nothing comes from beyond the window: the truncation
    for t in reversed(range(T)):
        f, g, i, o = np.split(gates[t], 4, axis=1)
        tanh_c = np.tanh(cs[t + 1])
        dh += dhs[t]                               # h_t is used twice, above and by the next step: sum
        dc += dh * o * tanh_slope(tanh_c)          # h_t = o tanh(c_t); c_t is used twice: sum
        da = [dc * cs[t] * sigmoid_slope(f), dc * i * tanh_slope(g), dc * g * sigmoid_slope(i),
              dh * tanh_c * sigmoid_slope(o)]      # c_t = f c_{t-1} + g i
        np.concatenate(da, axis=1, out=das[t])
        dc *= f
        np.matmul(das[t], Wh.T, out=dh)


class CudaLSTM(CudaRecurrent, TimeLSTM):
    """What TimeLSTM computes: f, i, o = sigmoid(a), g = tanh(a).

    c_t = f c_{t-1} + g i, h_t = o tanh(c_t).
    """

    def _read(self, xs, N, T):
        rows, Wh, gates, first, carried, states, last = self._begin(xs, N, T)
        self._launch("lstm_forward", forward_twin, [gates, self.params[2], Wh, *first, *states, *last], N, T, carried)
        (hs, cs), (self.h, self.c) = states, last
        self.cache = rows, Wh, hs, cs, gates
        return hs[1:].swapaxes(0, 1)

    def _read_back(self, dhs, N, T, H):
        rows, Wh, hs, cs, gates = self.cache
        das = self.buffer("das", (T, N, 4 * H), hs.dtype)
        self.dh, self.dc = self.xp.empty((N, H), hs.dtype), self.xp.empty((N, H), hs.dtype)
        self._launch("lstm_backward", backward_twin, [dhs, Wh, gates, cs, das, self.dh, self.dc], N, T)
        return self._gradients(rows, hs, das)
