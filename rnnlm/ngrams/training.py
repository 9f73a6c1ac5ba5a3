"""An n-gram model from a text: count, smooth, prune."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError
from rnnlm.ngrams.counts import MEMORY, MOST_ORDERS, count_ngrams
from rnnlm.ngrams.pruning import filtered, prune_by_entropy
from rnnlm.ngrams.smoothing import smoothed
from rnnlm.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    from rnnlm.ngrams.discounts import Discounts
    from rnnlm.ngrams.tables import Tables


@dataclass
class TrainedNgrams:
    """An n-gram model, and how it came about.

    Attributes
    ----------
    tables : Tables, its n-grams.
    counted : list of int, the n-grams of each order before pruning.
    discounts : list of Discounts, one for each order.
    lost : the share of the unigrams' probability that no word has; see Smoothed.
    """

    tables: Tables
    counted: list[int]
    discounts: list[Discounts]
    lost: float

    @property
    def sizes(self) -> list[int]:
        """The n-grams of each order."""
        return [order.keys.size for order in self.tables.orders]


def train_ngrams(ids: np.ndarray, vocabulary: Vocabulary, order: int = 5, *, prune: Sequence[int] = (),
                 prune_entropy: float = 0.0, interpolate_unigrams: bool = True, memory: int = MEMORY,
                 on_piece: Callable[[float], object] = lambda tokens: None) -> TrainedNgrams:
    """Train an n-gram model with interpolated modified Kneser-Ney smoothing.

    Parameters
    ----------
    ids : (n,) int32, the text as ids of the vocabulary.
    vocabulary : Vocabulary.
    order : the longest n-grams, from 1 to 6.
    prune : thresholds of counts by order; see ``smoothed``.
    prune_entropy : threshold of the relative rise in perplexity; see
        ``prune_by_entropy``.
    interpolate_unigrams : see ``smoothed``.
    memory : bytes that counting may take; see ``count_ngrams``.
    on_piece : function of a number of tokens, called ``2 * order`` times for each
        token, as it is counted and smoothed; and with 0 now and then.

    Returns
    -------
    TrainedNgrams
    """
    arguments.whole("order", order, 1)
    if order > MOST_ORDERS:
        raise ArgumentError(f"order must be from 1 to {MOST_ORDERS}, got {order}")
    require_thresholds("prune", prune, order)
    counts = count_ngrams(ids, vocabulary.eos_id, len(vocabulary), order, memory, on_piece)

    def on_block(ngrams, of):
        on_piece(len(ids) * ngrams / of)

    model = smoothed(counts, prune, interpolate_unigrams, on_block)
    kept = model.kept
    if prune_entropy:
        kept = prune_by_entropy(model.tables, counts, kept, prune_entropy, lambda: on_piece(0))
    tables = filtered(model.tables, kept, counts.storage)
    return TrainedNgrams(tables, [one.keys.size for one in counts.orders], model.discounts, model.lost)


def require_thresholds(name: str, prune: Sequence[int], order: int) -> None:
    """ArgumentError unless thresholds of counts begin with 0, never fall, and fit."""
    rule = f"{name} must be at most {order} whole numbers, 0 for the unigrams first, none smaller than the one before"
    for value in prune:
        arguments.whole(name, value, 0)
    if len(prune) > order or any(prune[:1]) or list(prune) != sorted(prune):
        raise ArgumentError(f"{rule}, got {' '.join(map(str, prune))}")
