"""The output of the model as one layer: scores for every word, and the loss.

The loss tells how little the scores expected the words that came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute.functions import log_softmax
from rnnlm.compute.word_scores import WordScores, word_scores
from rnnlm.errors import ArgumentError
from rnnlm.layers.affine import TimeAffine
from rnnlm.layers.base import Layer, require_ids, require_targets
from rnnlm.layers.softmax import TimeSoftmaxWithLoss

if TYPE_CHECKING:
    from collections.abc import Callable


class TimeOutput(Layer):
    """TimeAffine, then TimeSoftmaxWithLoss.

    Parameters
    ----------
    W : (H, V), the weights.
    b : (V,), the biases.
    grads : [dW, db], the memory of the gradients; None: new arrays.
    """

    param_names = ("W", "b")

    def __init__(self, W: np.ndarray, b: np.ndarray, *, grads: list[np.ndarray] | None = None) -> None:
        self.affine, self.loss = TimeAffine(W, b, grads=grads), TimeSoftmaxWithLoss()

    @property
    def params(self) -> list[np.ndarray]:
        """W and b, which are the affine layer's."""
        return self.affine.params

    @property
    def grads(self) -> list[np.ndarray]:
        """Their gradients."""
        return self.affine.grads

    @property
    def biases(self) -> np.ndarray:
        """What adds to ``products_by_word``, (V,)."""
        return self.params[1]

    def scores(self, xs: np.ndarray) -> np.ndarray:  # (N, T, H) -> (N, T, V)
        """The scores (logits) of every word at every step."""
        return self.affine.forward(xs)

    def products_by_word(self, rows: np.ndarray) -> np.ndarray:  # (n, H) -> (V, n)
        """The scores of every word for each row of states, without the biases."""
        return (rows @ self.params[0]).T.copy()

    def log_probs(self, xs: np.ndarray, ts: np.ndarray) -> np.ndarray:  # (N, T, H), ids (N, T) -> (N, T)
        """ln p of every target."""
        require_targets(ts, *self.window(xs, len(self.params[0]), "H")[:2])
        require_ids(ts, self.params[1].size, "targets")
        return np.take_along_axis(log_softmax(self.scores(xs)), ts[..., np.newaxis], axis=-1)[..., 0]

    def word_scores(self, rows: np.ndarray, ts: np.ndarray, details: bool = False, top: int = 0,
                    owners: np.ndarray | None = None) -> WordScores:
        """The WordScores of targets.

        Parameters
        ----------
        rows : (R, H), hidden states.
        ts : (M,), the targets, ids.
        details, top : see ``rnnlm.compute.word_scores.word_scores``.
        owners : (M,), for each target the row that predicts it; None: each row has one.
        """
        owners = require_owners(owners, rows, ts)
        require_ids(ts, self.params[1].size, "targets")
        return word_scores(self.scores(rows[np.newaxis])[0][owners], ts, details, top)

    def forward(self, xs: np.ndarray, ts: np.ndarray) -> float:  # (N, T, H), ids (N, T)
        """The mean of -ln p over the targets, in nats."""
        return self.loss.forward(self.affine.forward(xs), ts)

    def target_log_probs(self) -> np.ndarray:  # -> (N, T)
        """ln p of the targets of the last forward; ignored ones mean nothing."""
        return self.loss.target_log_probs()

    def backward(self, dout: float = 1) -> np.ndarray:  # -> (N, T, H)
        """The gradient of the hidden states, and those of W and b."""
        dxs = self.backward_states(dout)
        self.backward_weights()
        return dxs

    def backward_states(self, dout: float = 1) -> np.ndarray:  # -> (N, T, H)
        """The gradient of the hidden states."""
        return self.affine.backward_states(self.loss.backward(dout))

    def backward_weights(self) -> None:
        """The gradients of W and b."""
        self.affine.backward_weights()

    def weight_work(self) -> list[Callable[[], None]]:
        """``backward_weights`` as a list of functions: here a single one."""
        return [self.backward_weights]


def require_owners(owners, rows, ts):
    """The owners (M,) of the targets; ArgumentError unless there is one for each."""
    owners = np.arange(len(rows)) if owners is None else owners
    if ts.shape != owners.shape:
        raise ArgumentError(f"the targets must be one for each owner, shape {owners.shape}, got {ts.shape}")
    return owners
