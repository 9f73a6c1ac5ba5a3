"""What the fast recurrent layers share: products of all steps at once, and threads."""

import numpy as np

from rnnlm.compute.threads import SERIAL, slices
from rnnlm.layers.fast.products import workers_for
from rnnlm.layers.fast.rows import batch_view, time_rows

LARGE_STEP = 5_000_000      # multiplications of a step from which on threads that share the streams are faster


class FastRecurrent:
    """The first base of a fast layer, before the plain one.

    Subclasses write the loops over the steps.

    Parameters
    ----------
    workers : Workers that share the streams and the products.
    args, options : those of the plain layer.
    """

    def __init__(self, *args, workers=SERIAL, **options):
        super().__init__(*args, **options)
        self.workers = workers

    def _begin(self, xs):
        """What forward starts from.

        Returns
        -------
        rows : (T * N, D), the inputs, time-major.
        Wh : as this window uses it.
        As : (T, N, kH), x_t Wx + b of all steps.
        states : (T + 1, N, H) for each of ``state_names``; the first step is filled.
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
        """x_t Wx + b of all steps in one product: what needs no state."""
        Wx, _, b = self.params[:3]
        out = self.buffer("As", (T * N, len(b)), b.dtype)
        self._affine(rows, Wx, b, out)
        return out.reshape(T, N, len(b))

    def _affine(self, rows, W, b, out):
        """Fill out with rows @ W + b.

        Where W has an axis of gates, (k, D, H), out is (k, T * N, H).
        """
        workers = workers_for(len(rows) * W.size, self.workers)

        def multiply(part):
            terms = out[..., part, :]
            np.matmul(rows[part], W, out=terms)
            terms += b

        workers.each(multiply, slices(len(rows), -(-len(rows) // workers.threads)))

    def uses_all_threads(self, N):
        """Whether the steps of N streams are large enough to be divided."""
        return self.workers.threads > 1 and N * self.params[1].size >= LARGE_STEP

    def _each_stream(self, read, N):
        """read(streams) for slices of the batch, which threads share.

        Streams do not depend on each other.
        """
        shared = self.workers.threads if self.uses_all_threads(N) else 1
        self.workers.each(read, slices(N, -(-N // shared)))

    def _gradients(self, rows, das, *recurrent):
        """Fill ``grads``; return the gradients of the inputs (N, T, D).

        Parameters
        ----------
        rows : (T * N, D), the inputs.
        das : (T, N, kH), the gradients of x_t Wx + b.
        recurrent : for each product with Wh a triple: the states (T, N, H), the
            gradients of the product, and which columns of Wh it used.
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
    """The blocks of the last axis, one for each gate or other sum, as views."""
    T, N, width = a.shape
    return np.moveaxis(a.reshape(T, N, k, width // k), 2, 0)
