"""What a distribution over words says of the word that came.

With p the distribution before the word t came, natural logarithms throughout:

    log_prob = ln p_t
    entropy  = -sum_v p_v ln p_v       how uncertain the model was before the word
    rank     = 1 + number of words with p_v > p_t
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute.functions import log_softmax

if TYPE_CHECKING:
    from typing import Any, Self


@dataclass
class WordScores:
    """Scores of M words.

    Attributes
    ----------
    log_probs : (M,), ln p of each word, nats.
    entropies : (M,), of the distribution before each word, nats; None: not asked for.
    ranks : (M,) int32, 1 for the most probable word; None: not asked for.
    top : (M, k) int32, the ids of the k most probable words, the most probable first,
        ties in order of ids; None: not asked for.
    top_log_probs : (M, k), ln p of each of them; None: not asked for.
    states : (M, H), the hidden states from which each word was predicted; None: not
        asked for.
    """

    log_probs: np.ndarray
    entropies: np.ndarray | None = None
    ranks: np.ndarray | None = None
    top: np.ndarray | None = None
    top_log_probs: np.ndarray | None = None
    states: np.ndarray | None = None

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays that were asked for, by name."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: array for name, array in named.items() if array is not None}

    def at(self, which: Any) -> Self:
        """The scores of some of the words: an index, a slice or an array of either."""
        return type(self)(**{name: array[which] for name, array in self.arrays().items()})

    def spread(self, where: np.ndarray) -> Self:
        """The same scores where ``where`` (n,) is True, and nan or -1 elsewhere."""
        if where.all():
            return self
        found = {}
        for name, array in self.arrays().items():
            found[name] = np.full((len(where), *array.shape[1:]), np.nan if array.dtype.kind == "f" else -1,
                                  array.dtype)
            found[name][where] = array
        return type(self)(**found)

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        """The scores of all parts (at least one), in order."""
        return cls(**{name: np.concatenate([part.arrays()[name] for part in parts]) for name in parts[0].arrays()})

    @classmethod
    def empty(cls, details: bool = False, top: int = 0) -> Self:
        """The scores of no word."""
        found = cls(np.empty(0))
        if details:
            found.entropies, found.ranks = np.empty(0), np.empty(0, np.int32)
        if top:
            found.top, found.top_log_probs = np.empty((0, top), np.int32), np.empty((0, top))
        return found


def word_scores(scores: np.ndarray, ts: np.ndarray, details: bool = False, top: int = 0, *,
                are_log_probs: bool = False) -> WordScores:
    """The WordScores of the targets ts, from the scores (logits) of every word.

    Parameters
    ----------
    scores : (M, V).
    ts : (M,), ids.
    details : whether entropies and ranks are wanted.
    top : how many of the most probable words are wanted; at most V are there.
    are_log_probs : whether the scores are ln p already, whatever their sum.
    """
    log_probs = scores if are_log_probs else log_softmax(scores)
    of_targets = np.take_along_axis(log_probs, ts[:, np.newaxis], axis=1)
    found = WordScores(of_targets[:, 0])
    if details:
        probs = np.exp(log_probs)
        found.entropies = -np.sum(probs * np.where(probs > 0, log_probs, 0), axis=1)  # 0 ln 0 = 0
        found.ranks = 1 + np.count_nonzero(scores > np.take_along_axis(scores, ts[:, np.newaxis], axis=1), axis=1)
        found.ranks = found.ranks.astype(np.int32)
    if top:
        order = np.argsort(-scores, axis=1, kind="stable")[:, :top]
        found.top, found.top_log_probs = order.astype(np.int32), np.take_along_axis(log_probs, order, axis=1)
    return found


def rows_and_owners(hs: np.ndarray, wanted: np.ndarray,
                    repeats: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The rows of hs (N, T, H) that predict the M wanted words.

    Parameters
    ----------
    hs : (N, T, H), hidden states.
    wanted, repeats : (N, T) bool, see ``LanguageModel.word_scores``.

    Returns
    -------
    rows : (R, H), those that are wanted and repeat none above.
    owners : (M,), for each word that wanted, row after row, the one that predicts it.
    """
    if repeats is None:
        return hs[wanted], np.arange(np.count_nonzero(wanted))
    firsts = wanted & ~repeats
    numbers = np.cumsum(firsts).reshape(firsts.shape) - 1
    first_above = np.maximum.accumulate(np.where(repeats, 0, np.arange(len(hs))[:, np.newaxis]), axis=0)
    return hs[firsts], np.take_along_axis(numbers, first_above, axis=0)[wanted]
