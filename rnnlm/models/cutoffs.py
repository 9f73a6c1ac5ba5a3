"""Where the clusters of an adaptive softmax begin: the cutoffs of the least cost.

The cost of a token is estimated in multiplications, from the counts of the words, as
Grave et al. (2017) do.  A score is a product of D numbers, and the passes over it, its
exponential above all, take as long as 35 more.  With d_i the size of cluster i, n_i its
words and q_i the share of tokens that are among them:

    head        (c_0 + k) (D + 35)
    cluster i   q_i (n_i (d_i + 35) + D d_i) + 40,000
    update      0.06 for each weight

40,000 is what a cluster costs however small it is: waking threads, small products, the
sorting of targets.  The figures were measured for windows of 700 tokens on two cores.
The least cost alone would make the head so small that common words get short vectors.
So the head has at least 2,000 words or half of them, each cutoff is at least three
times the one before, and no word has fewer than 3 numbers, unless D is small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.layers.adaptive import DIVISOR, tail_shapes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

SMALLEST_HEAD = 2000
APART = 3
FEWEST_NUMBERS = 3
PASSES = 35
UPDATE = 0.06
CLUSTER = 40_000


def cutoffs_for(counts: ArrayLike, size: int = 200) -> tuple[int, ...]:
    """The cutoffs for words with these counts: ascending, each below V; () if V < 2.

    Cutoffs are tried at numbers of two digits and zeros, 1,100 or 25,000.  The result
    depends on nothing but the arguments.

    Parameters
    ----------
    counts : (V,), how often each word occurs, in falling order.
    size : D, how many numbers a word of the head has.
    """
    counts = np.asarray(counts, dtype=np.float64)
    V = len(counts)
    tokens_before = np.concatenate(([0], np.cumsum(counts)))
    shares = tokens_before / max(tokens_before[-1], 1)
    bounds = np.array([n for n in _round_numbers(V) if n >= min(SMALLEST_HEAD, V // 2)] + [V])
    choices = [_best(bounds, shares[bounds], size, k) for k in range(1, _most_clusters(size) + 1)]
    return min(choices)[1] if V > 1 else ()


def _most_clusters(D):
    """How many clusters have words of at least FEWEST_NUMBERS; at least 1."""
    return max(1, sum(D // DIVISOR**i >= FEWEST_NUMBERS for i in range(1, D.bit_length())))


def _round_numbers(V):
    """1 to 9, 10, 11, ... 99, 100, 110, ... below V."""
    return [digits * 10**zeros for zeros in range(len(str(V))) for digits in range(10 if zeros else 1, 100)
            if digits * 10**zeros < V]


def _best(bounds, shares, D, k):
    """The least cost with k clusters, and its cutoffs.

    ``costs[j]`` is that of the head and of the first clusters, if the next one begins
    at ``bounds[j]``; ``paths`` has where each of those began.
    """
    costs, paths = (bounds + k) * (D + PASSES + UPDATE * D), []
    n, q = bounds - bounds[:, np.newaxis], shares - shares[:, np.newaxis]  # of a cluster from one bound to another
    allowed = (bounds >= APART * bounds[:, np.newaxis]) | (n > 0) & (bounds == bounds[-1])
    for shape in tail_shapes(D, tuple(range(1, k + 1)), k + 1):
        d = shape["P"][1]
        cluster = q * (n * (d + PASSES) + D * d) + UPDATE * n * d + CLUSTER
        ways = np.where(allowed, costs[:, np.newaxis] + cluster, np.inf)
        paths.append(ways.argmin(axis=0))
        costs = ways.min(axis=0)
    cutoffs, j = [], len(bounds) - 1
    for path in reversed(paths):
        j = path[j]
        cutoffs.insert(0, int(bounds[j]))
    return float(costs[-1]), tuple(cutoffs)
