"""The output layer: from a hidden state to one score for every word."""

from __future__ import annotations

import numpy as np

from rnnlm.layers.base import Layer


class TimeAffine(Layer):
    """xs W + b at every step: (N, T, H) -> (N, T, V).

    Parameters
    ----------
    W : (H, V), the weights.
    b : (V,), the biases.
    grads : [dW, db], the memory of the gradients; None: new arrays.
    """

    param_names = ("W", "b")

    def __init__(self, W: np.ndarray, b: np.ndarray, *, grads: list[np.ndarray] | None = None) -> None:
        super().__init__(W, b, grads=grads)

    def forward(self, xs: np.ndarray) -> np.ndarray:  # (N, T, H) -> (N, T, V)
        """All steps in one product."""
        W, b = self.params
        N, T, H = self.window(xs, len(W), "H")
        self.cache = xs
        scores = self.buffer("scores", (N * T, W.shape[1]), W.dtype)  # by far the largest array of the network
        np.matmul(xs.reshape(N * T, H), W, out=scores)
        scores += b
        return scores.reshape(N, T, W.shape[1])

    def backward(self, dout: np.ndarray) -> np.ndarray:  # (N, T, V) -> (N, T, H)
        """The gradient of the inputs, and those of W and b."""
        dxs = self.backward_states(dout)
        self.backward_weights()
        return dxs

    def backward_states(self, dout: np.ndarray) -> np.ndarray:  # (N, T, V) -> (N, T, H)
        """The gradient of the inputs."""
        N, T, H = self.cache.shape
        W, _ = self.params
        self.slopes = rows = dout.reshape(N * T, dout.shape[2])
        return (rows @ W.T).reshape(N, T, H)

    def backward_weights(self) -> None:
        """Gradients summed over batch and time, as W and b serve every step."""
        xs, rows = self.cache, self.slopes
        dW, db = self.grads
        db[...] = rows.sum(axis=0)
        dW[...] = xs.reshape(len(rows), len(dW)).T @ rows
