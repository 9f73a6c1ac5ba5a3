"""Weights of a mixture that follow the text: they go to the parts that lately did well.

    r_k = w_k p_k / sum_j w_j p_j      how much of the word that came part k predicted
    m_k <- m_k + (r_k - m_k) / N       its mean, in which older words count less
    w_k  = KEPT w0_k + (1 - KEPT) m_k  the weight for the next word

Dynamic interpolation goes back to Kneser & Steinbiss (1993).  KEPT brings back a part
that did badly for a while, as the fixed share of Herbster & Warmuth (1998) does.  A
weight depends on words that were read, never on the one that it helps to predict.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike

KEPT = 0.2  # of the given weights; 0.1 to 0.3 were within 0.1 % on Penn Treebank, for N from 20 to 50


class FollowingWeights:
    """The weights of K predictors of one text.

    Parameters
    ----------
    weights : w0, (K,); they add up to 1.
    words : N, after how many words a mean has mostly forgotten what was before.

    Attributes
    ----------
    means : m, (K,), after what was read.
    """

    def __init__(self, weights: ArrayLike, words: int) -> None:
        self.given, self.words = np.array(weights, np.float64), arguments.whole("words", words)
        self.means = self.given.copy()

    @contextmanager
    def fresh(self) -> Iterator[None]:
        """A block that starts from the given weights; afterwards all is as before."""
        before, self.means = self.means, self.given.copy()
        try:
            yield
        finally:
            self.means = before

    def take(self, log_probs: np.ndarray) -> np.ndarray:
        """The weights with which each of the next T words is predicted.

        Parameters
        ----------
        log_probs : (K, T), ln p of these words under the parts.

        Returns
        -------
        (K, T); their columns add up to 1.
        """
        log_probs = np.where(self.given[:, np.newaxis] > 0, log_probs, -np.inf)  # others move nothing
        probs = np.exp(log_probs - _finite(log_probs.max(axis=0)))
        weights = np.empty(probs.shape)
        for t, of_word in enumerate(probs.T):
            weights[:, t] = w = KEPT * self.given + (1 - KEPT) * self.means
            shares = w * of_word
            total = shares.sum()
            if total > 0:  # not so for a word that no part expects, nor for one that is not a number
                self.means = self.means + (shares / total - self.means) / self.words
        return weights


class Follows:
    """What a predictor is besides, where its weights may follow the text.

    It is the first base of such a class; the other one is a predictor.

    Attributes
    ----------
    following : FollowingWeights; None: the weights stay.
    """

    following: FollowingWeights | None = None

    @property
    def can_be_set(self) -> bool:
        """Whether all inside has states that can be set, and the weights stay."""
        return self.following is None and super().can_be_set

    @contextmanager
    def fresh_state(self) -> Iterator[None]:
        """A block in which all starts afresh; afterwards everything is as before."""
        with super().fresh_state(), self.following.fresh() if self.following else nullcontext():
            yield


def words_needed() -> ArgumentError:
    """The error of what asks for words before they are known."""
    return ArgumentError("weights that follow a text give the probabilities of its words alone: entropies, ranks and "
                         "new text need weights that stay")


def _finite(highest):
    """0 where all are -inf, for which any shift will do."""
    return np.where(np.isneginf(highest), 0, highest)
