"""Tables from n-grams in any order, such as a file has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.ngrams.lookup import NOT_THERE, find, log_probs_of
from rnnlm.ngrams.tables import Order, Tables, rising

if TYPE_CHECKING:
    from collections.abc import Sequence

AT_A_TIME = 1 << 18  # n-grams that are looked for: what it takes is small next to a long table


class Building:
    """Makes Tables, one order after another.

    The tables know an n-gram by its first words and its last one.  Where a pruned file
    lacks the first words, they are put into the order below, with the probability that
    it gives them anyway and a back-off weight of 1: no score changes.

    Parameters
    ----------
    unigrams : Order.

    Attributes
    ----------
    orders : list of Order, so far.
    added : how many n-grams were put in.
    """

    def __init__(self, unigrams: Order) -> None:
        self.orders, self.added = [unigrams], 0
        self.vocab_size = unigrams.keys.size

    def add(self, ids: Sequence[np.ndarray], log_probs: np.ndarray, back_offs: np.ndarray) -> int | None:
        """Add the n-grams of the next order.

        Parameters
        ----------
        ids : n arrays (m,), the first words, the second ones, and so on.
        log_probs, back_offs : (m,) float32, nats.

        Returns
        -------
        int : the second of two that are the same, then nothing was added; or None.
        """
        keys = self._keys(ids)
        missing = np.flatnonzero(keys == NOT_THERE)
        if missing.size:
            self._add_first_words(np.stack([column[missing] for column in ids[:-1]]))
            keys = self._keys(ids)
        if not rising(keys):
            order = np.argsort(keys)
            keys, log_probs, back_offs = keys[order], log_probs[order], back_offs[order]
            if not rising(keys):
                first = np.flatnonzero(keys[1:] == keys[:-1])[0]
                return int(order[first : first + 2].max())
        self.orders.append(Order(keys, log_probs, back_offs))
        return None

    def tables(self) -> Tables:
        """The Tables, without orders at the end that are empty."""
        while len(self.orders) > 1 and not self.orders[-1].keys.size:
            self.orders.pop()
        self.orders[-1].back_offs = None
        return Tables(self.orders)

    def _keys(self, ids):
        """The key of each n-gram; NOT_THERE where its first words are no n-gram."""
        keys = np.empty(len(ids[-1]), np.int64)
        for start in range(0, len(keys), AT_A_TIME):
            *first, last = (column[start : start + AT_A_TIME] for column in ids)
            contexts = self._index(first)
            keys[start : start + AT_A_TIME] = np.where(
                contexts == NOT_THERE, NOT_THERE, contexts * np.int64(self.vocab_size) + last)
        return keys

    def _index(self, ids):  # n of (m,) -> (m,)
        """Where n-grams stand in their order."""
        index = ids[0].astype(np.int64)
        for order, words in zip(self.orders[1:], ids[1:], strict=False):
            index = find(order.keys, index, words, self.vocab_size)
        return index

    def _add_first_words(self, ids):  # (n, m)
        for size in range(2, len(ids) + 1):
            contexts, words = self._index(ids[: size - 1]), ids[size - 1]
            keys = contexts * np.int64(self.vocab_size) + words
            keys, firsts = np.unique(keys, return_index=True)
            lacking = find(self.orders[size - 1].keys, contexts[firsts], words[firsts], self.vocab_size) == NOT_THERE
            if lacking.any():
                self._insert(size, keys[lacking], self._log_probs(ids[:size, firsts[lacking]]))

    def _log_probs(self, ids):  # (n, m) -> (m,)
        """ln p of the last word after the others, as the tables give it so far."""
        context, words = ids[:-1], ids[-1]
        contexts = [self._index(context[-size:]) for size in range(1, len(context) + 1)]
        return log_probs_of(self.orders[: len(ids)], np.stack(contexts, axis=-1), words)

    def _insert(self, size, keys, log_probs):
        """Put n-grams into the order of their size; the one above refers to it."""
        order, positions = self.orders[size - 1], np.searchsorted(self.orders[size - 1].keys, keys)
        if size < len(self.orders):
            above = self.orders[size]
            contexts, words = np.divmod(above.keys, self.vocab_size)
            contexts += np.searchsorted(positions, contexts, side="right")
            above.keys = contexts * self.vocab_size + words
        order.keys = np.insert(order.keys, positions, keys)
        order.log_probs = np.insert(order.log_probs, positions, log_probs.astype(np.float32))
        order.back_offs = np.insert(order.back_offs, positions, np.float32(0))
        self.added += len(keys)
