"""The loss: how surprised the model is by the word that came."""

import numpy as np

from rnnlm.functions import log_softmax
from rnnlm.layers.base import Layer


class TimeSoftmaxWithLoss(Layer):
    """Cross entropy of softmax(xs) against the targets: the mean of -log p(target), in nats per token.

    Targets equal to ``ignore_label`` do not count, neither in the mean nor in the gradient.  If none
    counts, the loss is 0.
    """

    ignore_label = -1

    def forward(self, xs, ts):  # scores (N, T, V), ids (N, T) -> float
        """The mean loss over the targets that count."""
        N, T, V = xs.shape
        targets = ts.reshape(N * T)
        counts = targets != self.ignore_label
        log_probs = log_softmax(xs.reshape(N * T, V))
        picked = log_probs[np.arange(N * T), np.where(counts, targets, 0)]
        total = max(int(counts.sum()), 1)
        self.cache = log_probs.reshape(N, T, V), targets, counts, total
        # where, not a product: an ignored score of -inf must not turn 0 * inf into nan
        return float(-np.where(counts, picked, 0).sum(dtype=np.float64) / total)

    def backward(self, dout=1):  # float -> (N, T, V)
        """d(-log softmax(x)[target]) / dx = softmax(x) - onehot(target), times dout / number of targets."""
        log_probs, targets, counts, total = self.cache
        N, T, V = log_probs.shape
        dxs = np.exp(log_probs).reshape(N * T, V)
        dxs[np.arange(N * T), np.where(counts, targets, 0)] -= 1
        dxs *= (counts * (dout / total)).astype(dxs.dtype)[:, np.newaxis]
        return dxs.reshape(N, T, V)
