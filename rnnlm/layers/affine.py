"""The output layer: from a hidden state to one score for every word."""

import numpy as np

from rnnlm.layers.base import Layer


class TimeAffine(Layer):
    """xs W + b at every step: (N, T, H) -> (N, T, V).  W (H, V), b (V,)."""

    def __init__(self, W, b):
        super().__init__(W, b)

    def forward(self, xs):  # (N, T, H) -> (N, T, V)
        """All steps in one product."""
        W, b = self.params
        N, T, H = self.window(xs, len(W), "H")
        self.cache = xs
        scores = self.buffer("scores", (N * T, W.shape[1]), W.dtype)  # by far the largest array of the network
        np.matmul(xs.reshape(N * T, H), W, out=scores)
        scores += b
        return scores.reshape(N, T, -1)

    def backward(self, dout):  # (N, T, V) -> (N, T, H)
        """Gradients summed over batch and time, as W and b serve every step."""
        xs = self.cache
        W, _ = self.params
        dW, db = self.grads
        N, T, H = xs.shape
        rows = dout.reshape(N * T, -1)
        db[...] = rows.sum(axis=0)
        dW[...] = xs.reshape(N * T, H).T @ rows
        return (rows @ W.T).reshape(N, T, H)
