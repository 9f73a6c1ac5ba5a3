"""Finding n-grams in tables: of many words at once, by one search an order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnnlm.ngrams.tables import Order

NOT_THERE = -1
MANY = 1 << 9  # n-grams from which on sorting them first pays: 700,000 take a fifth of the time


def find(keys: np.ndarray, contexts: np.ndarray, words: np.ndarray, vocab_size: int) -> np.ndarray:
    """Where each n-gram stands in the table of its order.

    Parameters
    ----------
    keys : (m,) int64, those of an Order above the unigrams.
    contexts : where the n-gram without its last word stands in the order below;
        NOT_THERE is allowed.
    words : the last words, of the same shape.
    vocab_size : V.

    Returns
    -------
    int64, of the same shape: NOT_THERE where the table lacks it.
    """
    if not keys.size:
        return np.full(contexts.shape, NOT_THERE, np.int64)
    wanted = contexts * np.int64(vocab_size) + words  # below 0 where there is no context
    found = np.searchsorted(keys, wanted) if wanted.size < MANY else _find_sorted(keys, wanted)
    np.minimum(found, len(keys) - 1, out=found)
    return np.where(keys[found] == wanted, found, NOT_THERE)


def _find_sorted(keys, wanted):
    """np.searchsorted, which goes through the table in order."""
    order = np.argsort(wanted, axis=None)
    found = np.empty(wanted.size, np.int64)
    found[order] = np.searchsorted(keys, wanted.ravel()[order])
    return found.reshape(wanted.shape)


def children(order: Order, contexts: np.ndarray, vocab_size: int) -> tuple[np.ndarray, np.ndarray]:
    """The n-grams that continue each of r contexts, which are one slice for each.

    Parameters
    ----------
    order : of the n-grams.
    contexts : (r,), where the contexts stand in the order below, or NOT_THERE.

    Returns
    -------
    rows : (c,), the number of the context of each n-gram.
    found : (c,), where each n-gram stands in its order.
    """
    starts = np.searchsorted(order.keys, contexts * np.int64(vocab_size))  # without a context both are 0
    sizes = np.searchsorted(order.keys, (contexts + 1) * np.int64(vocab_size)) - starts
    rows = np.repeat(np.arange(len(contexts)), sizes)
    ends = np.cumsum(sizes)
    return rows, np.arange(len(rows)) + np.repeat(starts - (ends - sizes), sizes)


def at(values: np.ndarray, index: np.ndarray, otherwise: np.ndarray | float) -> np.ndarray:
    """values[index], or ``otherwise`` where the index is NOT_THERE."""
    if not values.size:
        return np.full(index.shape, otherwise)
    return np.where(index >= 0, values[index], otherwise)


def log_probs_of(orders: Sequence[Order], contexts: np.ndarray, words: np.ndarray) -> np.ndarray:
    """ln p of each word after its context, float64; see rnnlm/ngrams/tables.py.

    Parameters
    ----------
    orders : the unigrams first.
    contexts : (..., orders - 1), at k - 1 where the last k words of the context stand
        in the table of order k, or NOT_THERE.
    words : (...).
    """
    unigrams, *longer = orders
    V = unigrams.keys.size
    found, below = unigrams.log_probs[words].astype(np.float64), unigrams
    for k, order in enumerate(longer):
        found += at(below.back_offs, contexts[..., k], 0)
        found = at(order.log_probs, find(order.keys, contexts[..., k], words, V), found)
        below = order
    return found
