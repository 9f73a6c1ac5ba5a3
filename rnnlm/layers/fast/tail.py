"""A cluster of the adaptive softmax for speed: what ``TimeTail`` computes.

It is a FastOutput over the cluster's words.  Its rows are those whose target is one of
them, times P; only they go through its products.
"""

from functools import partial

import numpy as np

from rnnlm.compute.threads import SERIAL, slices
from rnnlm.layers.base import Layer
from rnnlm.layers.fast.output import BLOCK, LARGE, FastOutput

KEPT_FROM = 32  # numbers of a word from which on its exponentials are kept from forward to backward
BLOCK_SCORES = 1 << 18  # scores of a block, 1 MB: few rows get wide blocks
PASSES = 50  # multiplications that take as long as the passes over a score


class FastTailWords(FastOutput):
    """A FastOutput without biases, for few rows and small ones.

    Parameters
    ----------
    W : (d, n), the weights of a cluster's words, best in Fortran order.
    workers : Workers that share the blocks of the words.
    grads : [dW], the memory of the gradient; None: a new array.
    """

    def __init__(self, W, workers=SERIAL, *, grads=None):
        none = np.zeros(W.shape[1], W.dtype)
        super().__init__(W, none, workers, grads=None if grads is None else [*grads, none.copy()])

    def _weights(self, block, d):
        _, scaled = self.slopes
        np.matmul(d.T, scaled, out=self.grads[0].T[block.words])

    def _keep(self, blocks, M):
        """Keep exponentials only if the products that make them again take longer."""
        if len(self.params[0]) >= KEPT_FROM:
            super()._keep(blocks, M)

    def _scores(self, rows, words, out):
        np.matmul(rows, self.params[0][:, words], out=out)

    def _words(self, M):
        """The words in slices: here exponentials take longer than products."""
        d, n = self.params[0].shape
        shared = M * n * (d + PASSES) >= LARGE
        return slices(n, min(max(BLOCK, BLOCK_SCORES // max(M, 1)), -(-n // self.workers.threads)) if shared else n)


class FastTail(Layer):
    """What TimeTail computes.

    Parameters
    ----------
    P : (D, d), from the states to their cluster's size.
    W, workers : see FastTailWords.
    grads : [dP, dW], the memory of the gradients; None: new arrays.
    """

    param_names = ("P", "W")

    def __init__(self, P, W, workers=SERIAL, *, grads=None):
        self.projection = Layer(P, grads=None if grads is None else grads[:1])
        self.words = FastTailWords(W, workers, grads=None if grads is None else grads[1:])

    @property
    def params(self):
        """P and W."""
        return [self.projection.params[0], self.words.params[0]]

    @property
    def grads(self):
        """Their gradients."""
        return [self.projection.grads[0], self.words.grads[0]]

    def forward(self, xs, ts):  # (m, D), indices in the cluster (m,) -> float
        """The sum of -ln p over the targets, in nats."""
        self.cache = xs
        if not len(xs):
            return 0.0
        return len(xs) * self.words.forward((xs @ self.params[0])[:, np.newaxis], ts[:, np.newaxis])

    def backward_states(self, dout=1):  # float -> (m, D)
        """The gradient of the states."""
        m = len(self.cache)
        if not m:
            return self.cache
        self.slopes = self.words.backward_states(dout * m)[:, 0]  # of xs P; its loss is a mean
        return self.slopes @ self.params[0].T

    def weight_work(self):
        """The gradients of P and W in pieces; zeros without rows."""
        dP, dW = self.grads
        if not len(self.cache):
            return [partial(dP.fill, 0), partial(dW.fill, 0)]
        return [partial(np.matmul, self.cache.T, self.slopes, out=dP), *self.words.weight_work()]

    def log_probs(self, xs, ts, owners):  # (R, D), indices in the cluster (m,), (m,) -> (m,)
        """ln p of each target, given that it is one of the cluster, by its owner."""
        mine, owners = np.unique(owners, return_inverse=True)
        return self.words.log_probs_of_rows(xs[mine] @ self.params[0], ts, owners)
