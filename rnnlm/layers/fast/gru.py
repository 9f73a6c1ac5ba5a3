"""The GRU for speed: one product a step for all gates, each gate's numbers together."""

from functools import partial

import numpy as np

from rnnlm.layers.fast.products import gate_products
from rnnlm.layers.fast.recurrent import FastRecurrent, by_block
from rnnlm.layers.fast.rows import batch_view, time_rows
from rnnlm.layers.gru import TimeGRU


class FastGRU(FastRecurrent, TimeGRU):
    """What TimeGRU computes: z, r = sigmoid(a + u), n = tanh(a + r v).

    h_t = n + z (h_{t-1} - n), which is (1 - z) n + z h_{t-1} with one product less.
    """

    def _input_terms(self, rows, N, T):  # (T * N, D) -> (3, T, N, H)
        """x_t Wx + b of all steps, one gate after the other."""
        Wx, _, b, _ = self.params
        H = self.hidden_size
        out = self.buffer("As", (3, T * N, H), b.dtype)
        self._affine(rows, by_gate(Wx), b.reshape(3, 1, H), out)
        return out.reshape(3, T, N, H)

    def forward(self, xs):  # (N, T, D) -> (N, T, H)
        """All hidden states of the window."""
        N, T, _ = self.window(xs, len(self.params[0]))
        rows, Wh, As, hs = self._begin(xs)  # As (3, T, N, H): each step turns its own into z, r, n
        vs = self.buffer("vs", hs[1:].shape, Wh.dtype)  # h_{t-1} Wh_n + bh
        self._each_stream(partial(self._read, Wh, As, hs, vs), N)
        self.h = hs[T].copy()
        self.cache = rows, Wh, hs, vs, As
        return batch_view(hs[1:], N, T)

    def _read(self, Wh, As, hs, vs, streams):
        """All steps forward, for a slice of the streams."""
        multiply = gate_products(by_gate(Wh), streams.stop - streams.start, len(vs))
        bias = np.empty_like(vs[0, streams])
        bias[...] = self.params[3]
        steps = zip(hs[:-1, streams], As[:2, :, streams].swapaxes(0, 1), *As[:, :, streams], vs[:, streams],
                    hs[1:, streams], strict=True)
        for h_prev, zr, z, r, n, v, h_next in steps:
            u = multiply(h_prev)
            np.add(zr, u[:2], out=zr)
            np.multiply(zr, 0.5, out=zr)  # sigmoid(a) = tanh(a / 2) / 2 + 1 / 2
            np.tanh(zr, out=zr)
            np.multiply(zr, 0.5, out=zr)
            np.add(zr, 0.5, out=zr)  # from here on z and r, which are views of it
            np.add(u[2], bias, out=v)
            np.multiply(r, v, out=h_next)
            np.add(n, h_next, out=n)
            np.tanh(n, out=n)
            np.subtract(h_prev, n, out=h_next)
            np.multiply(z, h_next, out=h_next)
            np.add(h_next, n, out=h_next)  # h_t = n + z (h_{t-1} - n)

    def backward(self, dhs):  # (N, T, H) -> (N, T, D)
        """Gradients of the inputs, from those of all the states."""
        rows, Wh, hs, *_ = self.cache
        N, T, H = self.window(dhs, self.hidden_size, "H")
        dhs = time_rows(dhs).reshape(T, N, H)
        # dv, da_z, da_r, da_n next to each other: the first three are of products with
        # Wh, the last three of products with Wx.
        sums = self.buffer("sums", (T, N, 4 * H), hs.dtype)
        Wh_transposed = np.stack([W.T for W in (by_gate(Wh)[g] for g in (2, 0, 1))])
        self.dh = np.empty((N, H), hs.dtype)
        self._each_stream(partial(self._read_back, Wh_transposed, dhs, sums), N)
        dvs, zr, n = sums[:, :, :H], slice(0, 2 * H), slice(2 * H, None)
        np.matmul(np.ones(T * N, hs.dtype), dvs.reshape(T * N, H), out=self.grads[3])
        return self._gradients(rows, sums[:, :, H:], (hs[:-1], sums[:, :, H : 3 * H], zr), (hs[:-1], dvs, n))

    def _read_back(self, Wh_transposed, dhs, sums, streams):
        """All steps backward, for a slice of the streams."""
        _, _, hs, vs, gates = self.cache
        multiply = gate_products(Wh_transposed, streams.stop - streams.start)
        dh_t, taken, part, da = np.empty((4, *self.dh[streams].shape), hs.dtype)
        by_sum = by_block(sums[:, streams], 4).swapaxes(0, 1)  # (T, 4, N, H)
        steps = zip(*(array[::-1] for array in (
            dhs[:, streams], hs[:-1, streams], vs[:, streams], gates[:, :, streams].swapaxes(0, 1),
            by_sum[:, :3, np.newaxis], by_sum)), strict=True)
        dh = 0  # nothing comes from beyond the window: the truncation
        for dh_above, h_prev, v, (z, r, n), du, (dv, da_z, da_r, da_n) in steps:
            np.add(dh_above, dh, out=dh_t)       # h_t is used by the layer above and by the next step: sum
            np.subtract(1, z, out=taken)
            np.multiply(dh_t, taken, out=part)   # h_t = (1 - z) n + ...
            np.multiply(n, n, out=da)            # n = tanh(a_n + r v)
            np.subtract(1, da, out=da)
            np.multiply(da, part, out=da)
            da_n[...] = da
            np.multiply(da, r, out=part)         # r v
            dv[...] = part
            np.multiply(part, v, out=part)
            np.subtract(1, r, out=da)            # r = sigmoid(a_r + u_r), whose slope is r (1 - r)
            np.multiply(part, da, out=da_r)
            np.multiply(dh_t, z, out=dh_t)       # h_t = ... + z h_{t-1}
            np.subtract(h_prev, n, out=part)     # h_t = n + z (h_{t-1} - n)
            np.multiply(part, taken, out=part)   # z = sigmoid(a_z + u_z), whose slope is z (1 - z)
            np.multiply(part, dh_t, out=da_z)
            first, second, third = multiply(du)  # u = h_{t-1} Wh
            np.add(first, second, out=first)
            np.add(third, dh_t, out=third)
            dh = np.add(first, third, out=first)
        self.dh[streams] = dh


def by_gate(W):  # (K, 3H) -> (3, K, H)
    """The blocks of columns one after the other, as a view."""
    K, width = W.shape
    return W.reshape(K, 3, width // 3).swapaxes(0, 1)
