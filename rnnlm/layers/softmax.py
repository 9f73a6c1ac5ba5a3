"""The loss: how surprised the model is by the word that came."""

from __future__ import annotations

import numpy as np

from rnnlm.layers.base import Layer, require_ids, require_targets


class TimeSoftmaxWithLoss(Layer):
    """Cross entropy of softmax(xs): the mean of -log p(target), in nats per token.

    Targets equal to ``ignore_label`` do not count, neither in the mean nor in the
    gradient.  If none counts, the loss is 0.
    """

    ignore_label = -1

    def forward(self, xs: np.ndarray, ts: np.ndarray) -> float:  # scores (N, T, V), ids (N, T)
        """The mean loss over the targets that count."""
        N, T, V = self.window(xs, letter="V")
        require_targets(ts, N, T)
        scores, targets = xs.reshape(N * T, V), ts.reshape(N * T)
        counts = targets != self.ignore_label
        require_ids(np.where(counts, targets, 0), V, "targets")
        total = max(int(counts.sum()), 1)
        exps = self.buffer("exps", scores.shape, scores.dtype)
        np.subtract(scores, scores.max(axis=1, keepdims=True), out=exps)  # no exponent above 0: no overflow
        picked = exps[np.arange(N * T), np.where(counts, targets, 0)]
        np.exp(exps, out=exps)
        sums = exps.sum(axis=1)
        self.cache = exps, sums, targets, counts, total, (N, T, V), picked
        self.handed_out = False
        # -log softmax(x)[target] = log sum exp(x) - x[target]; ignored targets are
        # dropped before the sum
        return float((np.log(sums) - picked)[counts].sum(dtype=np.float64) / total)

    def target_log_probs(self) -> np.ndarray:  # -> (N, T)
        """ln p of the targets of the last forward; ignored ones mean nothing."""
        _, sums, *_, (N, T, _), picked = self.cache
        return (picked - np.log(sums)).reshape(N, T)

    def backward(self, dout: float = 1) -> np.ndarray:  # -> (N, T, V)
        """d(-log softmax(x)[target]) / dx = softmax(x) - onehot(target).

        It is multiplied by dout / number of targets that count.
        """
        exps, sums, targets, counts, total, shape, _ = self.cache
        scale = (counts * (dout / total)).astype(exps.dtype)
        # The buffer is handed out once: a second backward must not change what the
        # first returned.
        dxs = np.empty_like(exps) if self.handed_out else self.buffer("dxs", exps.shape, exps.dtype)
        self.handed_out = True
        np.multiply(exps, (scale / sums)[:, np.newaxis], out=dxs)
        dxs[np.arange(len(targets)), np.where(counts, targets, 0)] -= scale
        return dxs.reshape(shape)
