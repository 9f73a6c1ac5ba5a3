"""The LSTM for speed: one tanh for all gates of a step.

Whatever needs no recurrence is computed outside the loops, for all steps at once.
"""

from functools import partial

import numpy as np

from rnnlm.compute.functions import sigmoid_slope, tanh_slope
from rnnlm.layers.fast.products import step_product
from rnnlm.layers.fast.recurrent import FastRecurrent, by_block
from rnnlm.layers.fast.rows import batch_view, time_rows
from rnnlm.layers.lstm import TimeLSTM


class FastLSTM(FastRecurrent, TimeLSTM):
    """What TimeLSTM computes: f, i, o = sigmoid(a), g = tanh(a).

    c_t = f c_{t-1} + g i, h_t = o tanh(c_t).
    """

    def forward(self, xs):  # (N, T, D) -> (N, T, H)
        """All hidden states of the window."""
        N, T, _ = self.window(xs, len(self.params[0]))
        H = self.hidden_size
        rows, Wh, As, hs, cs = self._begin(xs)  # As (T, N, 4H): each step turns its own into the gates
        tanh_cs = self.buffer("tanh_cs", (T, N, H), Wh.dtype)
        # One tanh makes all gates: sigmoid(a) = tanh(a / 2) / 2 + 1 / 2.
        scale, shift = np.repeat(np.array([[0.5, 1, 0.5, 0.5], [0.5, 0, 0.5, 0.5]], Wh.dtype), H, axis=1)

        def read(streams):
            multiply = step_product(Wh, streams.stop - streams.start, T)
            product = np.empty_like(cs[0, streams])
            steps = zip(hs[:-1, streams], As[:, streams], *by_block(As[:, streams], 4), cs[:-1, streams],
                        cs[1:, streams], tanh_cs[:, streams], hs[1:, streams], strict=True)
            for h_prev, a, f, g, i, o, c_prev, c_next, tanh_c, h_next in steps:
                np.add(multiply(h_prev), a, out=a)
                np.multiply(a, scale, out=a)
                np.tanh(a, out=a)
                np.multiply(a, scale, out=a)
                np.add(a, shift, out=a)  # from here on f, g, i, o, which are views of a
                np.multiply(f, c_prev, out=c_next)
                np.multiply(g, i, out=product)
                np.add(c_next, product, out=c_next)
                np.tanh(c_next, out=tanh_c)
                np.multiply(o, tanh_c, out=h_next)

        self._each_stream(read, N)
        self.h, self.c = hs[T].copy(), cs[T].copy()
        self.cache = rows, Wh, hs, cs, tanh_cs, As
        return batch_view(hs[1:], N, T)

    def backward(self, dhs):  # (N, T, H) -> (N, T, D)
        """Gradients of the inputs, from those of all the states h."""
        rows, _, hs, *_ = self.cache
        N, T, H = self.window(dhs, self.hidden_size, "H")
        dhs = time_rows(dhs).reshape(T, N, H)
        das = self.buffer("das", (T, N, 4 * H), hs.dtype)
        by_h = self.buffer("by_h", (T, N, H), hs.dtype)  # the part of dc_t that comes through h_t
        self.dh, self.dc = np.empty((2, N, H), hs.dtype)
        self._each_stream(partial(self._read_back, dhs, das, by_h), N)
        return self._gradients(rows, das, (hs[:-1], das, slice(None)))

    def _read_back(self, dhs, das, by_h, streams):
        """All steps backward, for a slice of the streams."""
        _, Wh, _, cs, tanh_cs, gates = self.cache
        f, g, i, o = by_block(gates[:, streams], 4)
        df, dg, di, do = dgates = by_block(das[:, streams], 4)
        tanh_c, part = tanh_cs[:, streams], by_h[:, streams]
        # For all steps at once, what dh_t and dc_t are multiplied by, in the memory of
        # the products.
        np.multiply(tanh_slope(tanh_c, out=part), o, out=part)           # h_t = o tanh(c_t)
        np.multiply(sigmoid_slope(o, out=do), tanh_c, out=do)
        np.multiply(sigmoid_slope(f, out=df), cs[:-1, streams], out=df)  # c_t = f c_{t-1} + g i
        np.multiply(tanh_slope(g, out=dg), i, out=dg)
        np.multiply(sigmoid_slope(i, out=di), g, out=di)

        multiply = step_product(Wh.T, streams.stop - streams.start)
        dh_t, dc = np.empty_like(self.dh[streams]), np.zeros_like(self.dc[streams])
        dh = 0  # nothing comes from beyond the window: the truncation
        for t in reversed(range(len(dhs))):
            np.add(dhs[t, streams], dh, out=dh_t)  # h_t is used twice, by the layer above and by the next step: sum
            np.multiply(part[t], dh_t, out=part[t])
            np.add(dc, part[t], out=dc)            # c_t is used twice, by h_t and by the next step: sum
            np.multiply(do[t], dh_t, out=do[t])
            np.multiply(dgates[:3, t], dc, out=dgates[:3, t])  # f, g and i
            np.multiply(dc, f[t], out=dc)
            dh = multiply(das[t, streams])
        self.dh[streams], self.dc[streams] = dh, dc
