"""The GRU for speed: one product a step, and backwards one factor for each sum, made for all steps at once."""

import numpy as np

from rnnlm.layers.fast.products import step_product
from rnnlm.layers.fast.recurrent import FastRecurrent, by_block
from rnnlm.layers.fast.rows import batch_view, time_rows
from rnnlm.layers.gru import TimeGRU


class FastGRU(FastRecurrent, TimeGRU):
    """What TimeGRU computes: z, r = sigmoid(a + u), n = tanh(a + r v), h_t = n + z (h_{t-1} - n)."""

    def forward(self, xs):  # (N, T, D) -> (N, T, H)
        """All hidden states of the window."""
        N, T, _ = self.window(xs, len(self.params[0]))
        H, bh = self.hidden_size, self.params[3]
        rows, Wh, As, hs = self._begin(xs)  # As (T, N, 3H): each step turns its own into z, r, n
        vs = self.buffer("vs", (T, N, H), Wh.dtype)  # h_{t-1} Wh_n + bh

        def read(streams):
            multiply = step_product(Wh, streams.stop - streams.start)
            steps = zip(hs[:-1, streams], As[:, streams, : 2 * H], *by_block(As[:, streams], 3), vs[:, streams],
                        hs[1:, streams], strict=True)
            for h_prev, zr, z, r, n, v, h_next in steps:
                u = multiply(h_prev)
                np.add(u[:, : 2 * H], zr, out=zr)
                np.multiply(zr, 0.5, out=zr)  # sigmoid(a) = tanh(a / 2) / 2 + 1 / 2
                np.tanh(zr, out=zr)
                np.multiply(zr, 0.5, out=zr)
                np.add(zr, 0.5, out=zr)  # from here on z and r, which are views of it
                np.add(u[:, 2 * H :], bh, out=v)
                np.multiply(r, v, out=h_next)
                np.add(n, h_next, out=n)
                np.tanh(n, out=n)
                np.subtract(h_prev, n, out=h_next)
                np.multiply(z, h_next, out=h_next)
                np.add(h_next, n, out=h_next)  # h_t = n + z (h_{t-1} - n)

        self._each_stream(read, N)
        self.h = hs[T].copy()
        self.cache = rows, Wh, hs, vs, As
        return batch_view(hs[1:], N, T)

    def backward(self, dhs):  # (N, T, H) -> (N, T, D)
        """Gradients of the inputs, from those of all the states."""
        rows, Wh, hs, vs, gates = self.cache
        N, T, H = self.window(dhs, self.hidden_size, "H")
        dhs = time_rows(dhs).reshape(T, N, H)
        # dv, da_z, da_r, da_n: the first three are of the products with Wh, the last three of those with Wx.
        sums = self.buffer("sums", (T, N, 4 * H), hs.dtype)
        self.dh = np.empty((N, H), hs.dtype)

        def read(streams):
            z, r, n = by_block(gates[:, streams], 3)
            factors = by_block(sums[:, streams], 4)
            self._factors(z, r, n, vs[:, streams], hs[:-1, streams], factors)
            multiply = step_product(np.concatenate([Wh.T[2 * H :], Wh.T[: 2 * H]]), streams.stop - streams.start)
            dh_t = np.empty_like(self.dh[streams])
            dh = 0  # nothing comes from beyond the window: the truncation
            for t in reversed(range(T)):
                np.add(dhs[t, streams], dh, out=dh_t)  # h_t is used by the layer above and by the next step: sum
                np.multiply(factors[:, t], dh_t, out=factors[:, t])
                dh = multiply(sums[t, streams, : 3 * H])  # u = h_{t-1} Wh
                np.multiply(dh_t, z[t], out=dh_t)         # h_t = ... + z h_{t-1}
                np.add(dh, dh_t, out=dh)
            self.dh[streams] = dh

        self._each_stream(read, N)
        zr, n = slice(0, 2 * H), slice(2 * H, None)
        dvs = sums[:, :, :H]
        np.matmul(np.ones(T * N, hs.dtype), dvs.reshape(T * N, H), out=self.grads[3])
        return self._gradients(rows, sums[:, :, H:], (hs[:-1], sums[:, :, H : 3 * H], zr), (hs[:-1], dvs, n))

    @staticmethod
    def _factors(z, r, n, v, h_prev, out):  # (T, N, H) each -> (4, T, N, H)
        """What dh_t is multiplied by to become dv, da_z, da_r and da_n, for all steps at once."""
        dv, da_z, da_r, da_n = out
        taken = np.subtract(1, z, out=da_r)
        np.subtract(h_prev, n, out=da_z)         # h_t = n + z (h_{t-1} - n)
        np.multiply(da_z, z, out=da_z)           # z = sigmoid(a_z + u_z)
        np.multiply(da_z, taken, out=da_z)
        np.multiply(n, n, out=da_n)              # n = tanh(a_n + r v)
        np.subtract(1, da_n, out=da_n)
        np.multiply(da_n, taken, out=da_n)
        np.multiply(da_n, r, out=dv)             # r v
        np.subtract(1, r, out=da_r)              # r = sigmoid(a_r + u_r), whose slope is r (1 - r)
        np.multiply(da_r, dv, out=da_r)
        np.multiply(da_r, v, out=da_r)
