"""The recurrent layer for speed: three NumPy calls a step, on contiguous memory."""

import numpy as np

from rnnlm.layers.fast.products import step_product
from rnnlm.layers.fast.recurrent import FastRecurrent
from rnnlm.layers.fast.rows import batch_view, time_rows
from rnnlm.layers.rnn import TimeRNN


class FastRNN(FastRecurrent, TimeRNN):
    """What TimeRNN computes: h_t = tanh(x_t Wx + h_{t-1} Wh + b), t = 1 ... T.

    In place of tanh, any function of ACTIVATIONS.
    """

    def forward(self, xs):  # (N, T, D) -> (N, T, H)
        """All hidden states of the window."""
        N, T, _ = self.window(xs, len(self.params[0]))
        rows, Wh, As, hs = self._begin(xs)

        def read(streams):
            multiply = step_product(Wh, streams.stop - streams.start, T)
            for h_prev, a, h_next in zip(hs[:-1, streams], As[:, streams], hs[1:, streams], strict=True):
                np.add(multiply(h_prev), a, out=h_next)
                self.function(h_next, out=h_next)

        self._each_stream(read, N)
        self.h = hs[T].copy()
        self.cache = rows, Wh, hs
        return batch_view(hs[1:], N, T)

    def backward(self, dhs):  # (N, T, H) -> (N, T, D)
        """Gradients of the inputs, from those of all the states."""
        rows, Wh, hs = self.cache
        N, T, H = self.window(dhs, self.hidden_size, "H")
        dhs = time_rows(dhs).reshape(T, N, H)
        slopes = self.slope(hs[1:], out=self.buffer("slopes", (T, N, H), hs.dtype))
        das = self.buffer("As", (T, N, H), hs.dtype)  # the input terms have done their work
        self.dh = np.empty((N, H), hs.dtype)

        def read(streams):
            multiply = step_product(Wh.T, streams.stop - streams.start)
            dh = 0  # nothing comes from beyond the window: the truncation
            for dh_t, slope, da in zip(dhs[::-1, streams], slopes[::-1, streams], das[::-1, streams], strict=True):
                np.add(dh_t, dh, out=da)  # h_t is used twice, by the layer above and by the next step: sum
                np.multiply(da, slope, out=da)
                dh = multiply(da)
            self.dh[streams] = dh

        self._each_stream(read, N)
        return self._gradients(rows, das, (hs[:-1], das, slice(None)))
