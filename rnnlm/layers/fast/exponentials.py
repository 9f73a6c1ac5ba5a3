"""Sums of exponentials of scores, mostly without a pass for the largest score.

Softmax usually subtracts the maximum of a row's scores first, which costs a pass.  Here
that is done only where a sum overflows or is nearly zero: then everything is computed
again with it.
"""

import numpy as np

LARGEST_SUM = 1e30  # sums beyond this or below its inverse are computed again with the maximum taken out


def exponentiate(rows, blocks, scores, ones, workers):
    """Exponentiate the scores of all blocks, where they lie.

    Parameters
    ----------
    rows : (M, H).
    blocks : list of Blocks of the vocabulary.
    scores : a function (rows, block, shift) that returns the block's scores (M, words)
        minus the shift (M,), in memory that may be written over; a shift of None: as
        they are.
    ones : (V,), of 1.
    workers : Workers that share the blocks.

    Returns
    -------
    log_probs : (M,), ln p of the targets.
    sums : (M,), of the exponentials.
    shift : (M,), what was subtracted from the scores first; None: nothing.
    """
    shift = None
    log_probs, sums = _sum_up(rows, blocks, scores, shift, ones, workers)
    # Not a number is caught, too.
    if not (np.minimum.reduce(sums) > 1 / LARGEST_SUM and np.maximum.reduce(sums) < LARGEST_SUM):
        shift = _maxima(rows, blocks, scores, workers)
        log_probs, sums = _sum_up(rows, blocks, scores, shift, ones, workers)
    return log_probs, sums, shift


def log_sums(scores, ones, workers):  # (m, n), (n,) -> (m, 1)
    """ln of the sum of exp over each row, in memory of this thread."""
    by_word = scores.flags.f_contiguous
    exps = workers.scratch("exps", (scores.T if by_word else scores).shape, scores.dtype)
    exps = exps.T if by_word else exps  # they lie as the scores do
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.exp(scores, out=exps) @ ones  # a quarter of the time of exps.sum(axis=1)
        if 1 / LARGEST_SUM < sums.min(initial=1) <= sums.max(initial=1) < LARGEST_SUM:
            return np.log(sums)[:, np.newaxis]
        maxima = scores.max(axis=1, keepdims=True)
        np.exp(np.subtract(scores, maxima, out=exps), out=exps)
        return maxima + np.log(exps @ ones)[:, np.newaxis]


def _sum_up(rows, blocks, scores, shift, ones, workers):
    """ln p of the targets and the sums of the exponentials, (M,) each."""
    target_scores = np.empty(len(rows), rows.dtype)
    sums = np.empty((len(blocks), len(rows)), rows.dtype)

    def read(i):
        block = blocks[i]
        e = scores(rows, block, shift)
        target_scores[block.here] = e[block.here, block.columns]
        np.exp(e, out=e)
        np.matmul(e, ones[block.words], out=sums[i])  # half the time of e.sum(axis=1)

    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # the caller looks at the sums
        workers.each(read, range(len(blocks)))
        sums = sums.sum(axis=0)
        # Rounding can leave a certain word a probability just above 1.
        return np.minimum(target_scores - np.log(sums), 0), sums


def _maxima(rows, blocks, scores, workers):
    """The largest score of each row (M,)."""
    maxima = np.empty((len(blocks), len(rows)), rows.dtype)
    workers.each(lambda i: np.max(scores(rows, blocks[i], None), axis=1, out=maxima[i]), range(len(blocks)))
    return maxima.max(axis=0)
