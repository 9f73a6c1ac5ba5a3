"""Attention to the last words of a text: how much each resembles the present one.

A text is T steps behind K words that were read before them.  The K + T entries are in
the order of the text: entry j < K is a word read before, and entry K + t is the word
that came after step t.  So step t sees the entries t to t + K - 1, the last K before
its own word:

    p_t(j) = exp(theta q_t . k_j + decay j) / sum over the entries i that step t sees

q_t is the state at step t, and k_j that from which word j was predicted.  With a decay
an older word counts less, by exp(-decay) for each word after it.  The products
of a block of steps with all entries that any of them sees are one matrix product; in
it, what a step does not see are two corners.

As in the output layer, the maximum of a row is subtracted only where a sum overflows or
is nearly zero: that saves two passes over all products.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute.threads import slices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnnlm.compute.threads import Workers

BLOCK = 128          # steps of a product
EMPTY, TO_COME = -1, -2  # no words: an entry that holds none, and one whose word is not known yet
LARGEST_SUM = 1e30   # sums beyond this or below its inverse are computed again with the maximum taken out


def target_probs(queries: np.ndarray | None, keys: np.ndarray | None, words: np.ndarray, ts: np.ndarray,
                 thetas: Sequence[float], workers: Workers, decays: Sequence[float] = (0.0,)) -> np.ndarray:
    """The probability of each target in the words that its step sees.

    Parameters
    ----------
    queries : (T, H), states; None: all entries are alike.
    keys : (K + T, H); None where the queries are None.
    words : (K + T,), ids, or EMPTY or TO_COME.
    ts : (T,), ids.
    thetas, decays : all pairs of them are computed.
    workers : Workers that share the blocks.

    Returns
    -------
    (len(thetas), len(decays), T), of the type of the queries; nan where a step sees no
    word.
    """
    T = len(ts)
    steps, entries = _same_words(words, ts)
    found = np.empty((len(thetas), len(decays), T), np.float32 if queries is None else queries.dtype)

    def read(block):
        seen = _Block(queries, keys, words, block, T, workers)
        mine = slice(*np.searchsorted(steps, [block.start, block.stop]))
        here = steps[mine] - block.start, entries[mine] - block.start
        for k, theta in enumerate(thetas):
            e = seen.exps(theta)
            of_targets = e[here]
            for j, decay in enumerate(decays):
                factors = seen.factors(decay)
                found[k, j, block] = _over(np.bincount(here[0], of_targets * factors[here[1]], len(e)), e @ factors)

    workers.each(read, slices(T, BLOCK))
    return found


def word_probs(queries: np.ndarray | None, keys: np.ndarray | None, words: np.ndarray, T: int, block: slice,
               theta: float, decay: float, workers: Workers) -> tuple[np.ndarray, np.ndarray]:
    """The probabilities of all words that a block of steps sees.

    Parameters
    ----------
    queries, keys, words, workers : see ``target_probs``.
    T : the number of steps.
    block : of at most BLOCK of them.
    theta, decay : of all of them.

    Returns
    -------
    ids : (U,), in rising order; at least one.
    probs : (B, U); nan where a step sees no word.
    """
    entries = _Block(queries, keys, words, block, T, workers)
    e = entries.exps(theta)
    e *= entries.factors(decay)
    seen = words[block.start : block.start + e.shape[1]]
    order = np.argsort(seen, kind="stable")
    order = order[np.searchsorted(seen[order], 0) :]
    if not order.size:
        return np.zeros(1, np.int64), np.full((len(e), 1), np.nan, e.dtype)
    ids, starts = np.unique(seen[order], return_index=True)
    return ids, _over(np.add.reduceat(e[:, order], starts, axis=1), e.sum(axis=1, keepdims=True))


class _Block:
    """A block of steps, and the entries that any of them sees."""

    def __init__(self, queries, keys, words, block, T, workers):
        self.B, self.K, self.workers = block.stop - block.start, len(words) - T, workers
        here = slice(block.start, block.stop + self.K - 1)
        self.queries, self.keys = (None, None) if queries is None else (queries[block], keys[here])
        self.dtype = np.dtype(np.float32) if queries is None else queries.dtype
        self.no_words = words[here] < 0
        self.products = self.theta = None

    def exps(self, theta):
        """exp(theta q . k) (B, K + B - 1); 0 for what is not seen.

        A row may be divided by its largest.  In memory of this thread, filled anew by
        the next call.
        """
        scores = self._scores(theta)
        with np.errstate(over="ignore"):  # it is seen in the sums
            e = np.exp(scores, out=scores)
        self._hide(e, 0)
        sums = e @ np.ones(e.shape[1], e.dtype)
        if not 1 / LARGEST_SUM < sums.min() <= sums.max() < LARGEST_SUM:  # not a number is caught, too
            scores = self._scores(theta)
            self._hide(scores, -np.inf)
            maxima = scores.max(axis=1, keepdims=True)
            scores -= np.where(np.isfinite(maxima), maxima, 0)
            e = np.exp(scores, out=scores)
        return e

    def factors(self, decay):
        """What the age of each entry multiplies, 1 for the newest one: (K + B - 1,)."""
        width = self.B + self.K - 1
        return np.exp(decay * np.arange(1 - width, 1, dtype=np.float64)).astype(self.dtype)

    def _scores(self, theta):
        """theta q . k."""
        shape = self.B, self.B + self.K - 1
        if self.queries is None:
            scores = self.workers.scratch("attention", shape, np.float32)
            scores[...] = 0
            return scores
        scores, dtype = self.workers.scratch("attention", shape, self.dtype), self.dtype
        if self.theta is None:  # the first theta, which mostly is the only one
            self.theta = theta
            return np.matmul(self.queries * dtype.type(theta), self.keys.T, out=scores)
        if self.products is None:
            self.products = np.matmul(self.queries, self.keys.T, out=self.workers.scratch("products", shape, dtype))
        return np.multiply(self.products, dtype.type(theta), out=scores)

    def _hide(self, array, value):
        """Write a value to where a step does not see the entry."""
        later = np.arange(self.B) >= np.arange(self.B)[:, np.newaxis]  # (step, entry of the corner)
        np.copyto(array[:, : self.B], value, where=~later)                  # older than K words
        np.copyto(array[:, self.K :], value, where=later[:, : self.B - 1])  # its own word, and those after it
        if self.no_words.any():
            array[:, self.no_words] = value


def _over(parts, sums):
    """parts / sums; nan where a sum is 0."""
    with np.errstate(invalid="ignore"):
        return parts / sums


def _same_words(words, ts):
    """(steps, entries): the pairs of a step and an entry it sees that holds its target.

    Both (P,), in the order of the steps.
    """
    T, L = len(ts), len(words)
    order = np.argsort(words, kind="stable")
    numbers = words[order].astype(np.int64) * L + order  # in rising order
    firsts = ts.astype(np.int64) * L + np.arange(T)
    starts, ends = np.searchsorted(numbers, firsts), np.searchsorted(numbers, firsts + (L - T))
    counts = ends - starts
    steps = np.repeat(np.arange(T), counts)
    return steps, order[np.arange(len(steps)) + np.repeat(starts - (np.cumsum(counts) - counts), counts)]
