"""The recurrent layer for speed: three NumPy calls a step, on memory that lies side by side."""

import numpy as np

from rnnlm.layers.fast.rows import batch_view, time_rows
from rnnlm.layers.rnn import TimeRNN
from rnnlm.workers import SERIAL, slices

SMALL_PRODUCT = 1_000_000   # multiplications up to which OpenBLAS takes a faster way
NARROW = 16                 # columns: a block with fewer is no gain, however large the batch
LARGE_STEP = 5_000_000      # multiplications of a step from which on sharing the streams out to threads pays
LARGE_PRODUCT = 20_000_000  # the same for the products of all steps at once


class FastRNN(TimeRNN):
    """What TimeRNN computes: h_t = tanh(x_t Wx + h_{t-1} Wh + b), t = 1 ... T."""

    def __init__(self, Wx, Wh, b, stateful=False, workers=SERIAL):
        super().__init__(Wx, Wh, b, stateful)
        self.workers = workers

    def forward(self, xs):  # (N, T, D) -> (N, T, H)
        """All hidden states of the window."""
        _, Wh, _ = self.params
        N, T, _ = xs.shape
        H = Wh.shape[0]
        rows = time_rows(xs)
        As = self.buffer("As", (T, N, H), Wh.dtype)  # every step's input term in one product
        hs = self.buffer("hs", (T + 1, N, H), Wh.dtype)
        self._input_terms(rows, As.reshape(T * N, H))
        hs[0] = 0
        if self.stateful and self.h is not None:
            self.check_state(N)
            hs[0] = self.h

        def read(streams):
            multiply = step_product(Wh, streams.stop - streams.start)
            for h_prev, a, h_next in zip(hs[:-1, streams], As[:, streams], hs[1:, streams], strict=True):
                np.add(multiply(h_prev), a, out=h_next)
                np.tanh(h_next, out=h_next)

        self.workers.each(read, self._streams(N))
        self.h = hs[T].copy()
        self.cache = rows, hs
        return batch_view(hs[1:], N, T)

    def backward(self, dhs):  # (N, T, H) -> (N, T, D)
        """Gradients of the inputs, from those of all the states."""
        rows, hs = self.cache
        Wx, Wh, _ = self.params
        dWx, dWh, db = self.grads
        N, T, H = dhs.shape
        dhs = time_rows(dhs).reshape(T, N, H)
        slopes = self.buffer("slopes", (T, N, H), hs.dtype)
        np.multiply(hs[1:], hs[1:], out=slopes)
        np.subtract(1, slopes, out=slopes)  # tanh'(a_t) = 1 - h_t^2
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

        self.workers.each(read, self._streams(N))
        das = das.reshape(T * N, H)
        drows = np.empty_like(rows)
        products = [(rows.T, das, dWx),  # each weight was used in every step: its gradients add up
                    (hs[:-1].reshape(T * N, H).T, das, dWh),
                    (das, Wx.T, drows),
                    (np.ones(T * N, das.dtype), das, db)]  # a sum over the rows, in a third of the time of np.sum
        self._workers_for(das.size * H).each(lambda product: np.matmul(*product[:2], out=product[2]), products)
        return batch_view(drows, N, T)

    def _input_terms(self, rows, out):
        """rows Wx + b, the part of every step that needs no state."""
        Wx, _, b = self.params
        workers = self._workers_for(len(rows) * Wx.size)

        def multiply(part):
            np.matmul(rows[part], Wx, out=out[part])
            out[part] += b

        workers.each(multiply, slices(len(rows), -(-len(rows) // workers.threads)))

    def _workers_for(self, multiplications):
        return self.workers if multiplications >= LARGE_PRODUCT else SERIAL

    def _streams(self, N):
        """The streams of the batch in parts: they know nothing of each other, so threads can share them."""
        shared = self.workers.threads if N * self.params[1].size >= LARGE_STEP else 1
        return slices(N, -(-N // shared))


def step_product(W, N):
    """A function that returns h @ W for h (N, H), in an array that its next call fills anew.

    W (H, H) is copied in blocks of columns, so that each product is a small one and each block lies side by
    side in memory: 1.1 to 1.5 times as fast at H = 650.  (The view Wh.T itself would cost twice the product.)
    """
    H = W.shape[0]
    count = -(-N * W.size // SMALL_PRODUCT)
    if count == 1 or NARROW * count > H:
        W, out = np.ascontiguousarray(W), np.empty((N, H), W.dtype)
        return lambda h: np.matmul(h, W, out=out)
    width = -(-H // count)
    blocks = np.zeros((count, H, width), W.dtype)  # the last one is filled up with zeros
    for i, block in enumerate(blocks):
        columns = W[:, i * width : (i + 1) * width]
        block[:, : columns.shape[1]] = columns
    padded = np.empty((N, count * width), W.dtype)
    by_block = padded.reshape(N, count, width).swapaxes(0, 1)

    def multiply(h):
        np.matmul(h, blocks, out=by_block)
        return padded[:, :H]

    return multiply
