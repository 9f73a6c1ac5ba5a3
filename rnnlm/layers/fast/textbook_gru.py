"""The textbook GRU for speed: two products a step, on memory allocated once."""

from functools import partial

import numpy as np

from rnnlm.compute.functions import sigmoid_slope, tanh_slope
from rnnlm.layers.fast.products import step_product
from rnnlm.layers.fast.recurrent import FastRecurrent, by_block
from rnnlm.layers.fast.rows import batch_view, time_rows
from rnnlm.layers.textbook_gru import TimeTextbookGRU


class FastTextbookGRU(FastRecurrent, TimeTextbookGRU):
    """What TimeTextbookGRU computes: z, r = sigmoid(a), h_hat = tanh(a).

    h_t = h_{t-1} + z (h_hat - h_{t-1}), which is (1 - z) h_{t-1} + z h_hat.
    """

    def forward(self, xs):  # (N, T, D) -> (N, T, H)
        """All hidden states of the window."""
        N, T, _ = self.window(xs, len(self.params[0]))
        H = self.hidden_size
        rows, Wh, As, hs = self._begin(xs)  # As (T, N, 3H): each step turns its own into the gates
        kept = self.buffer("kept", (T, N, H), Wh.dtype)  # r h_{t-1}

        def read(streams):
            times_zr, times_hat = (step_product(W, streams.stop - streams.start, T)
                                   for W in (Wh[:, : 2 * H], Wh[:, 2 * H :]))
            steps = zip(hs[:-1, streams], As[:, streams, : 2 * H], *by_block(As[:, streams], 3), kept[:, streams],
                        hs[1:, streams], strict=True)
            for h_prev, zr, z, r, h_hat, rh, h_next in steps:
                np.add(times_zr(h_prev), zr, out=zr)
                np.multiply(zr, 0.5, out=zr)  # sigmoid(a) = tanh(a / 2) / 2 + 1 / 2
                np.tanh(zr, out=zr)
                np.multiply(zr, 0.5, out=zr)
                np.add(zr, 0.5, out=zr)  # from here on z and r, which are views of it
                np.multiply(r, h_prev, out=rh)
                np.add(times_hat(rh), h_hat, out=h_hat)
                np.tanh(h_hat, out=h_hat)
                np.subtract(h_hat, h_prev, out=h_next)
                np.multiply(z, h_next, out=h_next)
                np.add(h_next, h_prev, out=h_next)  # h_t = h_{t-1} + z (h_hat - h_{t-1})

        self._each_stream(read, N)
        self.h = hs[T].copy()
        self.cache = rows, Wh, hs, kept, As
        return batch_view(hs[1:], N, T)

    def backward(self, dhs):  # (N, T, H) -> (N, T, D)
        """Gradients of the inputs, from those of all the states."""
        rows, _, hs, kept, _ = self.cache
        N, T, H = self.window(dhs, self.hidden_size, "H")
        dhs = time_rows(dhs).reshape(T, N, H)
        das = self.buffer("das", (T, N, 3 * H), hs.dtype)
        held = self.buffer("held", (T, N, H), hs.dtype)
        self.dh = np.empty((N, H), hs.dtype)
        self._each_stream(partial(self._read_back, dhs, das, held), N)
        zr, hat = slice(0, 2 * H), slice(2 * H, None)
        return self._gradients(rows, das, (hs[:-1], das[:, :, zr], zr), (kept, das[:, :, hat], hat))

    def _read_back(self, dhs, das, held, streams):
        """All steps backward, for a slice of the streams."""
        _, Wh, hs, _, gates = self.cache
        H = self.hidden_size
        z, r, h_hat = by_block(gates[:, streams], 3)
        dz, dr, dh_hat = dgates = by_block(das[:, streams], 3)
        h_prev, change = hs[:-1, streams], held[:, streams]
        # For all steps at once, what dh_t and d(r h_{t-1}) are multiplied by, in the
        # memory of the products.
        np.subtract(h_hat, h_prev, out=change)
        np.multiply(sigmoid_slope(z, out=dz), change, out=dz)      # h_t = h_{t-1} + z (h_hat - h_{t-1})
        np.multiply(tanh_slope(h_hat, out=dh_hat), z, out=dh_hat)
        np.multiply(sigmoid_slope(r, out=dr), h_prev, out=dr)      # r h_{t-1}
        hold = np.subtract(1, z, out=change)

        times_zr, times_hat = (step_product(W, streams.stop - streams.start) for W in (Wh.T[: 2 * H], Wh.T[2 * H :]))
        dh_t, part = np.empty((2, *self.dh[streams].shape), hs.dtype)
        dh = 0  # nothing comes from beyond the window: the truncation
        for t in reversed(range(len(dhs))):
            np.add(dhs[t, streams], dh, out=dh_t)    # h_t is used by the layer above and by the next step: sum
            np.multiply(dgates[::2, t], dh_t, out=dgates[::2, t])  # z and h_hat
            drh = times_hat(dh_hat[t])               # a_hat = ... + (r h_{t-1}) Wh_hat
            np.multiply(dr[t], drh, out=dr[t])
            dh = times_zr(das[t, streams, : 2 * H])  # a_z, a_r = ... + h_{t-1} Wh_zr
            np.multiply(drh, r[t], out=part)         # r h_{t-1}
            np.add(dh, part, out=dh)
            np.multiply(dh_t, hold[t], out=part)     # h_t = (1 - z) h_{t-1} + ...
            np.add(dh, part, out=dh)
        self.dh[streams] = dh
