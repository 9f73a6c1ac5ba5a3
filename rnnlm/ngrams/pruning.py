"""Pruning: an n-gram model with fewer n-grams.

Every n-gram that is kept has its first and its last words kept, too: the n-grams
without its last and without its first word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.ngrams.smoothing import context_blocks
from rnnlm.ngrams.storage import Storage, let_go
from rnnlm.ngrams.tables import Order, Tables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rnnlm.ngrams.counts import Counts

BLOCK = 1 << 22  # n-grams in memory at a time

Kept = np.ndarray | None  # which n-grams of one order are kept, (m,) bool; None: all


def prune_by_entropy(tables: Tables, counts: Counts, kept: Sequence[Kept], threshold: float,
                     on_block: Callable[[], object] = lambda: None) -> list[Kept]:
    """Which n-grams are kept (Stolcke, 1998); the back-offs change to match.

    An n-gram is pruned where the model without it, all others kept, would have a
    perplexity that is higher by a share below the threshold.  With p = p(w | h),
    q = p(w | h'), the back-off b of h and the frequency f of h in the text::

        ln of the rise = -f (p (ln q + ln b' - ln p) + (ln b' - ln b) b rest)
        rest = 1 - sum of q over the words kept after h
        b' = (b rest + p) / (rest + q)

    The highest order is pruned first, and what it needs of lower orders is kept.

    Parameters
    ----------
    tables : Tables of the n-grams that were counted; back_offs are replaced.
    counts : their Counts.
    kept : which are kept so far, by order.
    threshold : such as 1e-8; 0 prunes nothing.
    on_block : function, called when a block of n-grams is done.
    """
    kept = [*kept]
    tokens = counts.orders[0].counts.sum()
    needed = None
    for n in range(len(tables.orders) - 1, 0, -1):
        mask = np.ones(tables.orders[n].keys.size, bool) if kept[n] is None else kept[n].copy()
        _prune_order(tables, counts, n, mask, needed, threshold, tokens, on_block)
        kept[n] = mask
        needed = _needed(counts, n, mask)
    return kept


def _needed(counts, n, mask):
    """Which n-grams of the order below are the first or last words of one kept."""
    counted, needed = counts.orders[n], np.zeros(counts.orders[n - 1].keys.size, bool)
    for first in range(0, mask.size, BLOCK):
        part = slice(first, first + BLOCK)
        needed[counted.keys[part][mask[part]] // counts.vocab_size] = True
        needed[counted.suffixes[part][mask[part]]] = True
        let_go(counted.keys, counted.suffixes)
    return needed


def _prune_order(tables, counts, n, mask, needed, threshold, tokens, on_block):
    """Prune one order: change ``mask`` and the back-offs of the order below."""
    order, below, counted = tables.orders[n], tables.orders[n - 1], counts.orders[n]
    for part, contexts, first in context_blocks(order.keys, counts.vocab_size):
        had, histories, sizes = mask[part], contexts[first], np.diff(first, append=contexts.size)
        log_p = order.log_probs[part].astype(np.float64)
        log_q = below.log_probs[counted.suffixes[part]].astype(np.float64)
        p, q = np.exp(log_p), np.exp(log_q)
        log_b = below.back_offs[histories].astype(np.float64)
        rest = np.maximum(0, 1 - np.add.reduceat(np.where(had, q, 0), first))
        mass = np.exp(log_b) * rest
        log_new = np.log((np.repeat(mass, sizes) + p) / (np.repeat(rest, sizes) + q))
        loss = p * (log_q + log_new - log_p) + (log_new - np.repeat(log_b, sizes)) * np.repeat(mass, sizes)
        frequency = counts.orders[n - 1].counts[histories] / tokens
        pruned = had & (np.expm1(-np.repeat(frequency, sizes) * loss) < threshold)
        if needed is not None:
            pruned &= ~needed[part]
        mask[part] = had & ~pruned
        lost_p, lost_q = (np.add.reduceat(np.where(pruned, values, 0), first) for values in (p, q))
        (changed,) = np.nonzero(np.add.reduceat(pruned, first, dtype=np.int64))
        below.back_offs[histories[changed]] = np.log(
            (mass[changed] + lost_p[changed]) / (rest[changed] + lost_q[changed]))
        let_go(order.keys, order.log_probs, counted.suffixes)
        on_block()


def filtered(tables: Tables, kept: Sequence[Kept], storage: Storage) -> Tables:
    """Tables of the n-grams that are kept."""
    if all(mask is None for mask in kept):
        return tables
    orders, index = [], None
    for order, mask in zip(tables.orders, kept, strict=True):
        mask = np.ones(order.keys.size, bool) if mask is None else mask
        columns = [order.keys, order.log_probs, *([] if order.back_offs is None else [order.back_offs])]
        blocks = _chosen(columns, mask, index, tables.vocab_size)
        orders.append(Order(*storage.joined(blocks, tuple(column.dtype for column in columns))))
        index = np.cumsum(mask) - 1
    return Tables(orders)


def _chosen(columns, mask, index, vocab_size):
    """Yield the rows that are kept, their contexts by the new index of each."""
    for first in range(0, mask.size, BLOCK):
        part = slice(first, first + BLOCK)
        keys, *values = (column[part][mask[part]] for column in columns)
        if index is not None:
            keys = index[keys // vocab_size] * vocab_size + keys % vocab_size
        yield keys, *values
        let_go(*columns)
