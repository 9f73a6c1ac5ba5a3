"""Interpolated modified Kneser-Ney smoothing (Chen & Goodman, 1998), by arrays.

The probability of a word w after the words h, with h' the words h without the first::

    p(w | h) = (a(hw) - D(a(hw))) / a(h) + g(h) p(w | h')
    a(h)     = sum over all words v of a(hv)
    g(h)     = sum over all words v of D(a(hv)) / a(h)

a(hw) is how often the n-gram occurs, in the highest order and after the start of a
line.  Otherwise it is the number of different words that come before hw.  D(a) is the
discount of the order, see ``rnnlm.ngrams.discounts``.  Below the unigrams, every word
of the vocabulary has 1 / V.  So a word that the text lacks has a share of g / V, <unk>
like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.ngrams.discounts import Discounts, discounts_of
from rnnlm.ngrams.storage import Storage, let_go
from rnnlm.ngrams.tables import Order, Tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rnnlm.ngrams.counts import Counted, Counts

BLOCK = 1 << 22  # n-grams in memory at a time


@dataclass
class Smoothed:
    """The n-grams of a text with their probabilities.

    Attributes
    ----------
    tables : Tables of all n-grams that were counted.
    kept : for each order, which of them were not pruned by count, (m,) bool; None: all.
    discounts : list of Discounts, the unigrams' first.
    lost : the share of the unigrams' probability that no word has: above 0 only without
        interpolation, where the vocabulary has no word that the text lacks.
    """

    tables: Tables
    kept: list[np.ndarray | None]
    discounts: list[Discounts]
    lost: float = 0.0


def smoothed(counts: Counts, prune: Sequence[int] = (), interpolate_unigrams: bool = True,
             on_block: Callable[[int, int], object] = lambda ngrams, of: None) -> Smoothed:
    """Modified Kneser-Ney probabilities and back-offs of counted n-grams.

    Parameters
    ----------
    counts : Counts of a text.
    prune : a threshold for each order, the unigrams' first and 0, none smaller than the
        one before; the last one is that of all higher orders, too.  An n-gram that
        occurs no more often than its threshold is pruned: its share goes to the shorter
        context.
    interpolate_unigrams : whether what the discounts take from unigrams is shared by
        all words; otherwise it is shared by the words that the text lacks.
    on_block : function of two numbers, called when so many n-grams of an order were
        smoothed: these, and how many the order has.
    """
    limits = [*prune, *[prune[-1] if prune else 0] * len(counts.orders)][: len(counts.orders)]
    adjusted = _adjusted(counts)
    discounts = [discounts_of(_count_of_counts(a)) for a in adjusted]
    probs, lost = _unigrams(adjusted[0], discounts[0], interpolate_unigrams)
    on_block(probs.size, probs.size)
    orders, kept = [Order(counts.orders[0].keys, _logs(probs))], [None]
    for n, counted in enumerate(counts.orders[1:], 1):
        kept.append(counted.counts > limits[n] if limits[n] else None)
        one = _Order(counted, adjusted[n], discounts[n].table(), kept[n], probs, counts.vocab_size, counts.storage)
        probs, log_probs, orders[-1].back_offs = one.smoothed(n == len(counts.orders) - 1, on_block)
        orders.append(Order(counted.keys, log_probs))
        adjusted[n] = None
    return Smoothed(Tables(orders), kept, discounts, lost)


def _adjusted(counts):
    """a of all n-grams, an array for each order."""
    arrays = []
    for order, above, start in zip(counts.orders, counts.orders[1:], counts.starts()[:-1], strict=False):
        a = np.zeros(order.keys.size, np.int32)
        for first in range(0, above.suffixes.size, BLOCK):
            np.add.at(a, above.suffixes[first : first + BLOCK], np.int32(1))  # thirty times as fast as with 1
            let_go(above.suffixes)
        if arrays:  # a unigram <eos> is the end of a line, not its start
            a[start] = np.minimum(order.counts[start], np.iinfo(a.dtype).max)
        arrays.append(a)
    return [*arrays, counts.orders[-1].counts]


def _count_of_counts(a):
    """n_1 ... n_4: how many n-grams occur once to four times."""
    found = np.zeros(6, np.int64)
    for first in range(0, a.size, BLOCK):
        found += np.bincount(np.minimum(a[first : first + BLOCK], 5), minlength=6)
        let_go(a)
    return found[1:5]


def _unigrams(a, discounts, interpolate):
    """The probabilities (V,) of unigrams, and what is lost."""
    total = a.sum()
    if not total:
        return np.full(a.size, 1 / a.size), 0.0
    taken = discounts.table()[np.minimum(a, 3)]
    probs, rest = (a - taken) / total, taken.sum() / total
    sharing = np.ones(a.size, bool) if interpolate else a == 0
    if not sharing.any():
        return probs, float(rest)
    probs[sharing] += rest / sharing.sum()
    return probs, 0.0


@dataclass
class _Order:
    """One order above the unigrams, and what its probabilities come from.

    counted : Counted, m n-grams.
    a : (m,), the count of each; taken : (4,), the discount by min(a, 3).
    kept : (m,) bool, which are not pruned; None: all.
    below : the probabilities of the order below, float64.
    """

    counted: Counted
    a: np.ndarray
    taken: np.ndarray
    kept: np.ndarray | None
    below: np.ndarray
    vocab_size: int
    storage: Storage

    def smoothed(self, last, on_block):
        """The probabilities (None if ``last``), their logs, the back-offs below."""
        keys = self.counted.keys
        back_offs = np.zeros(self.below.size, np.float32)
        probs = None if last else self.storage.empty(keys.size, np.float64)
        log_probs = self.storage.empty(keys.size, np.float32)
        for part, contexts, first in context_blocks(keys, self.vocab_size):
            values, weights = self._part(part, first)
            back_offs[contexts[first]] = _logs(weights)
            log_probs[part] = _logs(values)
            if probs is not None:
                probs[part] = values
            let_go(keys, self.a, self.counted.suffixes, self.counted.counts, probs, log_probs)
            on_block(part.stop - part.start, keys.size)
        return probs, log_probs, back_offs

    def _part(self, part, first):
        """p (m,) of a block's n-grams, and g (c,) of its contexts; see above."""
        a = self.a[part]
        discounts = self.taken[np.minimum(a, 3)]
        sizes = np.diff(first, append=a.size)
        total = np.add.reduceat(a, first, dtype=np.int64)
        taken = discounts if self.kept is None else np.where(self.kept[part], discounts, a)
        weights = np.add.reduceat(taken, first) / total
        below = self.below[self.counted.suffixes[part]]
        return (a - discounts) / np.repeat(total, sizes) + np.repeat(weights, sizes) * below, weights


def context_blocks(keys: np.ndarray, vocab_size: int, size: int = BLOCK
                   ) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    """Yield the n-grams of one order in blocks that leave contexts whole.

    Each is (which, a slice; the context of each n-gram; where in the block each context
    begins).
    """
    start = 0
    while start < keys.size:
        last = keys[min(start + size, keys.size) - 1]
        stop = int(np.searchsorted(keys, (last // vocab_size + 1) * vocab_size))
        contexts = keys[start:stop] // vocab_size
        (first,) = np.nonzero(np.append(True, contexts[1:] != contexts[:-1]))
        yield slice(start, stop), contexts, first
        start = stop


def _logs(values):
    """ln, as float32; of 0 it is -inf."""
    with np.errstate(divide="ignore"):
        return np.log(values).astype(np.float32)
