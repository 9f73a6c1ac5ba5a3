"""Attention to the last words of a text: how much each resembles the present one.

A text is T steps behind K words that were read before them.  The K + T entries are in
the order of the text: entry j < K is a word read before, and entry K + t is the word
that came after step t.  So step t sees the entries t to t + K - 1, the last K before
its own word:

    p_t(j) = exp(theta q_t . k_j) / sum over the entries i that step t sees

q_t is the state at step t, and k_j that from which word j was predicted.  The products
of a block of steps with all entries that any of them sees are one matrix product; in
it, what a step does not see are two corners.
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
LEAST_THETA = 1e-30  # 0 times the -inf of what is not seen would be no number


def target_probs(queries: np.ndarray | None, keys: np.ndarray | None, words: np.ndarray, ts: np.ndarray,
                 thetas: Sequence[float], workers: Workers) -> np.ndarray:
    """The probability of each target in the words that its step sees.

    Parameters
    ----------
    queries : (T, H), states; None: all entries are alike.
    keys : (K + T, H); None where the queries are None.
    words : (K + T,), ids, or EMPTY or TO_COME.
    ts : (T,), ids.
    thetas : of each a row of the result.
    workers : Workers that share the blocks.

    Returns
    -------
    (len(thetas), T), of the type of the queries; nan where a step sees no word.
    """
    T = len(ts)
    dtype = np.float32 if queries is None else queries.dtype
    found = np.empty((len(thetas), T), dtype)
    steps, entries = _same_words(words, ts)

    def read(block):
        scores = _scores(queries, keys, words, block, T, workers, dtype)
        mine = slice(*np.searchsorted(steps, [block.start, block.stop]))
        here = steps[mine] - block.start, entries[mine] - block.start
        ones = np.ones(scores.shape[1], dtype)
        for k, theta in enumerate(thetas):
            e = _exps(scores, theta, workers)
            sums = np.bincount(here[0], e[here], len(e))
            found[k, block] = _over(sums, e @ ones)

    workers.each(read, slices(T, BLOCK))
    return found


def word_probs(queries: np.ndarray | None, keys: np.ndarray | None, words: np.ndarray, T: int, block: slice,
               theta: float, workers: Workers) -> tuple[np.ndarray, np.ndarray]:
    """The probabilities of all words that a block of steps sees.

    Parameters
    ----------
    queries, keys, words, workers : see ``target_probs``.
    T : the number of steps.
    block : of at most BLOCK of them.
    theta : of all of them.

    Returns
    -------
    ids : (U,), in rising order; at least one.
    probs : (B, U); nan where a step sees no word.
    """
    dtype = np.float32 if queries is None else queries.dtype
    e = _exps(_scores(queries, keys, words, block, T, workers, dtype), theta, workers)
    seen = words[block.start : block.start + e.shape[1]]
    order = np.argsort(seen, kind="stable")
    order = order[np.searchsorted(seen[order], 0) :]
    if not order.size:
        return np.zeros(1, np.int64), np.full((len(e), 1), np.nan, dtype)
    ids, starts = np.unique(seen[order], return_index=True)
    return ids, _over(np.add.reduceat(e[:, order], starts, axis=1), e.sum(axis=1)[:, np.newaxis])


def _scores(queries, keys, words, block, T, workers, dtype):
    """q . k less the row's maximum for a block: (B, K + B - 1), -inf where not seen."""
    B, K = block.stop - block.start, len(words) - T
    here = slice(block.start, block.stop + K - 1)
    scores = workers.scratch("attention", (B, B + K - 1), dtype)
    if queries is None:
        scores[...] = 0
    else:
        np.matmul(queries[block], keys[here].T, out=scores)
    later = np.arange(B) >= np.arange(B)[:, np.newaxis]  # (step, entry of the corner)
    scores[:, :B][~later] = -np.inf             # older than K words
    scores[:, K:][later[:, : B - 1]] = -np.inf  # its own word, and those after it
    no_words = words[here] < 0
    if no_words.any():
        scores[:, no_words] = -np.inf
    maxima = scores.max(axis=1, keepdims=True)
    scores -= np.where(np.isfinite(maxima), maxima, 0)
    return scores


def _exps(scores, theta, workers):
    """exp(theta scores), in memory of this thread."""
    e = np.multiply(scores, max(theta, LEAST_THETA), out=workers.scratch("exps", scores.shape, scores.dtype))
    return np.exp(e, out=e)


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
