"""The multiplicative RNN for speed: one product a step, on memory allocated once."""

import numpy as np

from rnnlm.layers.fast.products import step_product
from rnnlm.layers.fast.recurrent import FastRecurrent, by_block
from rnnlm.layers.fast.rows import batch_view, time_rows
from rnnlm.layers.mrnn import TimeMRNN


class FastMRNN(FastRecurrent, TimeMRNN):
    """What TimeMRNN computes: h_t = tanh(a_t + m_t u_t), u_t = h_{t-1} Wh.

    In place of tanh, any function of ACTIVATIONS.
    """

    def forward(self, xs):  # (N, T, D) -> (N, T, H)
        """All hidden states of the window."""
        N, T, _ = self.window(xs, len(self.params[0]))
        rows, Wh, As, hs = self._begin(xs)
        us = self.buffer("us", hs[1:].shape, Wh.dtype)
        As, ms = by_block(As, 2)  # (T, N, H) each
        ms += 1  # in place: every window's are computed anew

        def read(streams):
            multiply = step_product(Wh, streams.stop - streams.start, T)
            steps = zip(hs[:-1, streams], As[:, streams], ms[:, streams], us[:, streams], hs[1:, streams], strict=True)
            for h_prev, a, m, u, h_next in steps:
                u[...] = multiply(h_prev)
                np.multiply(u, m, out=h_next)
                np.add(h_next, a, out=h_next)
                self.function(h_next, out=h_next)

        self._each_stream(read, N)
        self.h = hs[T].copy()
        self.cache = rows, Wh, ms, us, hs
        return batch_view(hs[1:], N, T)

    def backward(self, dhs):  # (N, T, H) -> (N, T, D)
        """Gradients of the inputs, from those of all the states."""
        rows, Wh, ms, us, hs = self.cache
        N, T, H = self.window(dhs, self.hidden_size, "H")
        dhs = time_rows(dhs).reshape(T, N, H)
        slopes = self.slope(hs[1:], out=self.buffer("slopes", (T, N, H), hs.dtype))
        dams, dus = self.buffer("dams", (T, N, 2 * H), hs.dtype), self.buffer("dus", (T, N, H), hs.dtype)
        das, dms = by_block(dams, 2)
        self.dh = np.empty((N, H), hs.dtype)

        def read(streams):
            multiply = step_product(Wh.T, streams.stop - streams.start)
            dh = 0  # nothing comes from beyond the window: the truncation
            steps = zip(*(array[::-1, streams] for array in (dhs, slopes, ms, das, dus)), strict=True)
            for dh_t, slope, m, da, du in steps:
                np.add(dh_t, dh, out=da)  # h_t is used twice, by the layer above and by the next step: sum
                np.multiply(da, slope, out=da)
                np.multiply(da, m, out=du)  # m_t u_t
                dh = multiply(du)         # u_t = h_{t-1} Wh
            self.dh[streams] = dh
            np.multiply(das[:, streams], us[:, streams], out=dms[:, streams])  # m_t u_t, for all steps at once

        self._each_stream(read, N)
        return self._gradients(rows, dams, (hs[:-1], dus, slice(None)))
