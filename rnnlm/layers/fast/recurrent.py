"""What the fast recurrent layers share: the products of a step and of all steps at once, and who makes them."""

import numpy as np

from rnnlm.compute.threads import SERIAL, slices
from rnnlm.layers.fast.products import workers_for
from rnnlm.layers.fast.rows import batch_view, time_rows

LARGE_STEP = 5_000_000      # multiplications of a step from which on sharing the streams out to threads pays


class FastRecurrent:
    """Stands before the plain layer among the bases; subclasses write the loops over the steps."""

    def __init__(self, *args, workers=SERIAL, **options):
        super().__init__(*args, **options)
        self.workers = workers

    def _begin(self, xs):  # (N, T, D) -> rows (T * N, D), Wh, (T, N, kH), (T + 1, N, H) for each of state_names
        """What forward starts from: the inputs, Wh as it is used, x_t Wx + b of all steps, and memory for the states,
        in which the first ones stand.
        """
        Wh = self._recurrent_weights()
        N, T, _ = xs.shape
        rows = time_rows(xs)
        shape = T + 1, N, len(Wh)
        states = [self.buffer(name + "s", shape, Wh.dtype) for name in self.state_names]
        for array, first in zip(states, self._first_state(N), strict=True):
            array[0] = first
        return rows, Wh, self._input_terms(rows, N, T), *states

    def _input_terms(self, rows, N, T):  # (T * N, D) -> (T, N, kH)
        """x_t Wx + b of all steps in one product, the part of every step that needs no state."""
        Wx, _, b = self.params[:3]
        out = self.buffer("As", (T * N, len(b)), b.dtype)
        self._affine(rows, Wx, b, out)
        return out.reshape(T, N, len(b))

    def _affine(self, rows, W, b, out):
        """Fill out with rows @ W + b; where W is one of several gates (k, D, H), out is (k, T * N, H)."""
        workers = workers_for(len(rows) * W.size, self.workers)

        def multiply(part):
            terms = out[..., part, :]
            np.matmul(rows[part], W, out=terms)
            terms += b

        workers.each(multiply, slices(len(rows), -(-len(rows) // workers.threads)))

    def uses_all_threads(self, N):
        """Whether the steps of N streams are large enough to be shared out."""
        return self.workers.threads > 1 and N * self.params[1].size >= LARGE_STEP

    def _each_stream(self, read, N):
        """read(streams) for the batch in parts: they know nothing of each other, so threads can share them."""
        shared = self.workers.threads if self.uses_all_threads(N) else 1
        self.workers.each(read, slices(N, -(-N // shared)))

    def _gradients(self, rows, das, *recurrent):  # (T * N, D), (T, N, kH) -> (N, T, D)
        """Fill grads from those of all steps' x_t Wx + b, das; return those of the inputs.

        recurrent: triples of states (T, N, H), the gradients of their products with Wh, and the columns of Wh that
        they were multiplied by.
        """
        Wx, (dWx, dWh, db) = self.params[0], self.grads[:3]
        T, N, width = das.shape
        das = das.reshape(T * N, width)
        drows = np.empty_like(rows)
        products = [(rows.T, das, dWx),  # each weight was used in every step: its gradients add up
                    *((hs.reshape(T * N, -1).T, dus.reshape(T * N, -1), dWh[:, columns])
                      for hs, dus, columns in recurrent),
                    (das, Wx.T, drows),
                    (np.ones((1, T * N), das.dtype), das, db[None])]  # a third of the time of np.sum
        workers = workers_for(das.size * len(dWh), self.workers)
        parts = [(a[part], b, out[part]) for a, b, out in products
                 for part in slices(len(out), -(-len(out) // workers.threads))]
        workers.each(lambda product: np.matmul(*product[:2], out=product[2]), parts)
        self._through_weight_drop()
        return batch_view(drows, N, T)


def by_block(a, k):  # (T, N, kH) -> (k, T, N, H)
    """The blocks that stand side by side, one a gate or other sum, as views."""
    T, N, width = a.shape
    return np.moveaxis(a.reshape(T, N, k, width // k), 2, 0)
