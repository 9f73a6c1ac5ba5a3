"""The weights of mixtures: checked, and found on a text by expectation-maximisation.

Expectation-maximisation (Dempster, Laird & Rubin, 1977) of the weights w_k of a linear
mixture, from ln p of n tokens under each of K models:

    r_kt = w_k p_k(t) / sum_j w_j p_j(t)   how much of token t part k predicted
    w_k  = mean over t of r_kt

The mean of ln p is concave in the weights, so what is found is the best there is.  With
g_k the mean over t of p_k(t) / p(t), no weights are better by more than max_k g_k - 1
nats a token.  When that is below the tolerance, the search is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError, counted

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

ROUNDING = 1e-3      # by which linear weights may miss the sum of 1, as 0.333 three times does
TOLERANCE = 1e-6     # nats a token by which other weights could be better
MOST_ITERATIONS = 10_000


@dataclass
class FoundWeights:
    """Weights that were found on a text.

    Attributes
    ----------
    weights : (K,) float64.
    iterations : how many it took.
    gap : how much better the best weights can be at most, nats a token.
    tokens : how many tokens told something.
    """

    weights: np.ndarray
    iterations: int
    gap: float
    tokens: int


def require_weights(weights: ArrayLike, count: int, *, adds_up: bool) -> np.ndarray:  # -> (count,)
    """The weights of a mixture of ``count`` parts as float64.

    adds_up: whether their sum must be 1.  It may miss it by ROUNDING; then they are
    divided by it.  ArgumentError for weights that cannot be.
    """
    values = arguments.items("weights", weights, "a list of numbers, one for each model")
    if len(values) != count:
        raise ArgumentError(f"weights must be one for each of {counted(count, 'model')}, got {len(values)}")
    values = np.array([arguments.not_negative("a weight", value) for value in values])
    total = float(values.sum())
    if adds_up and abs(total - 1) > ROUNDING * (1 + 1e-9):
        raise ArgumentError(f"weights of a linear mixture must add up to 1, they add up to {total:.6g}")
    if total == 0:
        raise ArgumentError("weights must not all be 0: give one above 0")
    return values / total if adds_up else values


def equal_weights(count: int) -> np.ndarray:  # -> (count,)
    """The same weight for each of ``count`` parts, together 1."""
    return np.full(count, 1 / count)


def weights_by_em(log_probs: ArrayLike, tolerance: float = TOLERANCE,
                  most_iterations: int = MOST_ITERATIONS) -> FoundWeights:
    """The weights of the linear mixture that makes a text most probable.

    A token that no part predicts, with ln p -inf everywhere, tells nothing, nor does
    one with nan, an unknown word that has no ln p.  Both are left out.

    Parameters
    ----------
    log_probs : (K, n), ln p of each token under each part, nats.
    tolerance : see FoundWeights.gap; where it ends.
    most_iterations : where it ends at last.

    Raises
    ------
    ArgumentError : no token tells anything, or another argument is wrong.
    """
    log_probs = arguments.floats("log_probs", log_probs)
    arguments.number("tolerance", tolerance, "above 0", lambda value: value > 0)
    arguments.whole("most_iterations", most_iterations)
    if log_probs.ndim != 2 or not len(log_probs):
        raise arguments.wrong("log_probs", "an array of shape (K, n), a row for each part", log_probs)
    if np.isposinf(log_probs).any():
        raise ArgumentError("log_probs must be below infinity: a probability is at most 1")
    highest = log_probs.max(axis=0)
    tells = np.isfinite(highest)
    if not tells.any():
        raise ArgumentError("weights need a text of which a model predicts at least one token, got "
                            f"{counted(log_probs.shape[1], 'token')} and none of them is predicted")
    return _em(np.exp(log_probs[:, tells] - highest[tells]), tolerance, most_iterations)


def _em(ratios, tolerance, most_iterations):
    """From p_k(t), each token's divided by the largest: (K, n)."""
    weights, n = equal_weights(len(ratios)), ratios.shape[1]
    for iteration in range(1, most_iterations + 1):  # noqa: B007  # told below
        gains = ratios @ (1 / (weights @ ratios)) / n  # g_k
        gap = max(0.0, float(gains.max()) - 1)
        if gap <= tolerance:
            break
        weights = weights * gains  # w_k g_k is the mean of r_kt
        weights /= weights.sum()
    return FoundWeights(weights, iteration, gap, n)
