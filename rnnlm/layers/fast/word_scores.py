"""Scores of words for speed: what the output layer says without a gradient to come.

For probabilities alone, the biases stay out of the scores, so that no pass adds them.
With a_iv = x_i W_v and the target t of row i:

    ln p_i = a_it + b_t - ln sum_v exp(a_iv) exp(b_v)

The sum is a product with the vector exp(b).

Entropies, ranks and the most probable words need all scores of a row.  Each thread
takes some rows, and from their product on it works on as few of them at a time as stay
near the core.
"""

import numpy as np

from rnnlm.compute.threads import slices
from rnnlm.compute.word_scores import WordScores, word_scores

LARGEST_BIAS = 30     # a larger one, or a smaller one than its negative, is not taken out of the scores
LARGEST_SUM = 1e15    # sums beyond this or below its inverse may have lost words to an overflow or underflow
PRODUCT = 1024        # rows of a product: its scores of 1,250 words are 5 MB
SCORES = 1 << 22      # scores of a product, 17 MB in each thread
LEAST_ROWS = 16       # of a product, however large the vocabulary
NEAR = 1 << 18        # scores, 1 MB: what stays near the core from one pass to the next
GROUPS = 500          # whose highest scores tell where the most probable words begin


def unshifted_log_probs(rows, owners, ts, words, W, b, workers):
    """ln p of the targets (M,), or None where a sum is too large or too small.

    Parameters
    ----------
    rows : (R, H).
    owners : (M,), for each target the row that predicts it.
    ts : (M,), ids.
    words : list of slices of the vocabulary.
    W, b : the weights (H, V) and biases (V,).
    workers : Workers that share the products.
    """
    if not -LARGEST_BIAS < b.min() <= b.max() < LARGEST_BIAS:
        return None
    order = np.argsort(owners, kind="stable")
    owners, ts = owners[order], ts[order]
    of_targets, sums = _targets_and_sums(rows, owners, ts, words, W, np.exp(b), workers)
    if not 1 / LARGEST_SUM < sums.min() <= sums.max() < LARGEST_SUM:  # not a number is caught, too
        return None
    log_probs = np.empty_like(of_targets)
    # Rounding can leave a certain word a probability just above 1.
    log_probs[order] = np.minimum(of_targets + b[ts] - np.log(sums)[owners], 0)
    return log_probs


def _targets_and_sums(rows, owners, ts, words, W, weights, workers):
    """a_it of the targets (M,), and for each row (R,) sum_v exp(a_iv) times weights.

    The owners are in rising order.
    """
    of_targets, sums = np.empty(len(ts), rows.dtype), np.empty((len(words), len(rows)), rows.dtype)

    def read(item):
        k, part = item
        block, mine = words[k], slice(*np.searchsorted(owners, [part.start, part.stop]))
        here = mine.start + np.flatnonzero((ts[mine] >= block.start) & (ts[mine] < block.stop))
        e = workers.scratch("scores", (part.stop - part.start, block.stop - block.start), rows.dtype)
        np.matmul(rows[part], W[:, block], out=e)
        of_targets[here] = e[owners[here] - part.start, ts[here] - block.start]
        np.exp(e, out=e)
        np.matmul(e, weights[block], out=sums[k, part])

    items = [(k, part) for part in slices(len(rows), PRODUCT) for k in range(len(words))]
    with np.errstate(over="ignore", invalid="ignore"):  # it is seen in the sums
        workers.each(read, items)
        return of_targets, sums.sum(axis=0)


def detailed_scores(score, V, rows, owners, ts, workers, details, top, b=None):
    """What ``word_scores`` gives for the scores of the owners, in little memory.

    Parameters
    ----------
    score : a function (some rows, out) that writes their scores into out (r, V).
    V : the number of words.
    rows : (R, H).
    owners : (M,), for each target the row that predicts it.
    ts : (M,), ids.
    b : (V,), what is then added to the scores of a row; None: nothing.
    workers : Workers that share the rows.
    details, top : see ``word_scores``.
    """
    R = len(rows)
    order = np.argsort(owners, kind="stable")
    found, owners, ts = _memory(len(order), V, rows.dtype, details, top), owners[order], ts[order]

    def read(part):
        scores = workers.scratch("scores", (part.stop - part.start, V), rows.dtype)
        score(rows[part], scores)
        for near in slices(len(scores), max(1, NEAR // V)):
            some, first = scores[near], part.start + near.start
            if b is not None:
                some += b
            mine = slice(*np.searchsorted(owners, [first, first + len(some)]))
            _fill(found, order[mine], some, owners[mine] - first, ts[mine], workers)

    most = max(LEAST_ROWS, SCORES // V)
    with np.errstate(over="ignore", invalid="ignore"):  # callers look at the results
        workers.each(read, slices(R, min(most, -(-R // workers.threads))))
    return found


def _memory(M, V, dtype, details, top):
    """WordScores to be filled."""
    found = WordScores(np.empty(M, dtype))
    if details:
        found.entropies, found.ranks = np.empty(M, dtype), np.empty(M, np.int32)
    if top:
        k = min(top, V)
        found.top, found.top_log_probs = np.empty((M, k), np.int32), np.empty((M, k), dtype)
    return found


def _fill(found, mine, scores, owners, ts, workers):
    """The WordScores ``mine`` of targets, from the scores (r, V) of their owners."""
    maxima = scores.max(axis=1)
    k = 0 if found.top is None else found.top.shape[1]
    if not np.isfinite(maxima).all():
        for part in slices(len(ts), len(scores)):
            plain = word_scores(scores[owners[part]], ts[part], found.ranks is not None, k)
            for name, array in plain.arrays().items():
                getattr(found, name)[mine[part]] = array
        return
    of_targets = scores[owners, ts]
    if found.ranks is not None:
        found.ranks[mine] = _ranks(scores, owners, of_targets, workers)
    if k:
        words = _most_probable(scores, k, workers)
        found.top[mine] = words[owners]
        of_words = np.take_along_axis(scores, words, axis=1) - maxima[:, np.newaxis]
    scores -= maxima[:, np.newaxis]
    e = np.exp(scores, out=workers.scratch("exps", scores.shape, scores.dtype))
    sums = e.sum(axis=1)
    log_sums = np.log(sums)
    found.log_probs[mine] = of_targets - maxima[owners] - log_sums[owners]
    if k:
        found.top_log_probs[mine] = (of_words - log_sums[:, np.newaxis])[owners]
    if found.ranks is not None:
        found.entropies[mine] = (log_sums - _dots(e, scores) / sums)[owners]  # ln p is the score less log_sums


def _ranks(scores, owners, of_targets, workers):
    """The ranks (m,) of targets; at a time of as many as there are rows of scores."""
    ranks, flags = np.empty(len(owners), np.int32), workers.scratch("flags", scores.shape, bool)
    one_each = np.array_equal(owners, np.arange(len(scores)))
    for part in slices(len(owners), len(scores)):
        rows = scores if one_each else scores[owners[part]]
        higher = np.greater(rows, of_targets[part, np.newaxis], out=flags[: len(rows)])
        # A third of the time of count_nonzero.
        ranks[part] = 1 + np.bitwise_count(np.packbits(higher, axis=1)).sum(axis=1, dtype=np.int32)
    return ranks


def _dots(e, scores):
    """The sum of e times its logarithm, for each row."""
    dots = np.matmul(e[:, np.newaxis], scores[..., np.newaxis])  # more exact than np.einsum
    if not np.isfinite(dots).all():
        dots = np.matmul(e[:, np.newaxis], np.where(e > 0, scores, 0)[..., np.newaxis])  # 0 ln 0 = 0
    return dots[:, 0, 0]


def _most_probable(scores, k, workers):  # (r, V) -> ids (r, k)
    """The k words with the highest scores, ties in order of ids.

    The words are divided into groups.  In k of them the highest score is at least as
    high as the k-th highest of all groups' highest scores.  So all words that are
    wanted reach that one, and few others do.
    """
    r, V = scores.shape
    if V < 4 * GROUPS or 4 * k > GROUPS:
        return np.argsort(-scores, axis=1, kind="stable")[:, :k]
    highest = scores[:, : V - V % GROUPS].reshape(r, -1, GROUPS).max(axis=1)
    reached = np.partition(highest, GROUPS - k, axis=1)[:, GROUPS - k, np.newaxis]
    flags = np.greater_equal(scores, reached, out=workers.scratch("flags", scores.shape, bool))
    found = np.flatnonzero(flags)
    order = found[np.lexsort((-scores.ravel()[found], found // V))]  # stable: ties stay in order of ids
    starts = np.searchsorted(order // V, np.arange(r))
    return order[starts[:, np.newaxis] + np.arange(k)] % V
