"""The weights of a mixture that make a validation text most probable.

Linear weights need ln p of the text's tokens under each part: one pass, then
expectation-maximisation (rnnlm/mixing/weights.py).

Log-linear weights need whole distributions, since Z of rnnlm/mixing/mixture.py depends
on them.  The mean of ln p is concave in the weights, with

    f_k = ln p_k    of every word,  q = the mixture's distribution
    gradient_k   = mean over tokens of f_k(t) - E_q[f_k]
    hessian_kj   = -mean over tokens of Cov_q[f_k, f_j]

so Newton's method needs few passes over the text.  Weights stay at 0 or above.  A part
that gives a word of the text no probability gets 0: the product would have none either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rnnlm.compute.functions import softmax
from rnnlm.errors import ArgumentError
from rnnlm.mixing.mixture import LINEAR, Mixture
from rnnlm.mixing.weights import FoundWeights, equal_weights, weights_by_em
from rnnlm.scoring.evaluation import WINDOW
from rnnlm.text.vocabulary import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MOST_PASSES = 12     # Newton's method ends long before
TOLERANCE = 1e-6     # nats a token that a further step would bring
SMALLEST = -230.0    # ln p of a word without probability: 10^-100, as -99 in an ARPA file


def tuned_weights(parts: Sequence[Any], ids: np.ndarray, eos_id: int, kind: str = LINEAR,
                  outside: np.ndarray | None = None,
                  on_window: Callable[[int], object] | None = None) -> FoundWeights:
    """The weights with which a mixture of the parts gives a text the most probability.

    Parameters
    ----------
    parts : predictors of one vocabulary.
    ids : the text, which is read as one stream; n of its ids are no UNKNOWN, which only
        parts that can read it may be given.
    eos_id : the id of <eos>.
    kind : "linear" or "log-linear".
    outside : (n,), ln p of the tokens under a further model, whose weight comes last;
        of a linear mixture only.  None: there is none.
    on_window : function, called as on_window(targets) after each window that is read;
        what it raises ends the search.
    """
    mixture = Mixture(parts, equal_weights(len(parts)), kind)
    told = on_window or (lambda _: None)
    if kind != LINEAR:
        return _newton(mixture, ids, eos_id, told)
    rows = []
    with mixture.fresh_state():
        for xs, ts in _windows(ids, eos_id):
            rows.append(mixture.log_probs_with_parts(xs, ts)[1][:, ts != UNKNOWN])
            told(rows[-1].shape[1])
    log_probs = np.concatenate([np.empty((len(parts), 0)), *rows], axis=1)
    return weights_by_em(log_probs if outside is None else np.concatenate([log_probs, outside[np.newaxis]]))


def _windows(ids, eos_id) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield xs, ts (1, T) of a text that <eos> opens."""
    xs = np.concatenate([[eos_id], ids[:-1]])[: len(ids)]
    for start in range(0, len(ids), WINDOW):
        part = slice(start, start + WINDOW)
        yield xs[np.newaxis, part], ids[np.newaxis, part]


def _newton(mixture, ids, eos_id, told):
    """Newton's method from equal weights; a step that makes it worse is halved."""
    weights, best, step = mixture.weights, -np.inf, np.zeros(len(mixture.parts))
    fails = np.zeros(len(mixture.parts), bool)  # parts that give a word of the text no probability
    for passes in range(1, MOST_PASSES + 1):  # noqa: B007  # told below
        trial = np.where(fails, 0, np.maximum(weights + step, 0))
        value, gradient, hessian, failing = _slopes(mixture, trial, ids, eos_id, told)
        if (failing & ~fails).any():  # which the mixture would not give it either
            fails = failing
            _require_some(fails)
            continue
        if value < best:
            step = step / 2
            continue
        weights, best = trial, value
        free = ~fails & ((weights > 0) | (gradient > 0))  # those at 0 that would fall stay there
        step = np.zeros_like(weights)
        step[free] = np.linalg.lstsq(-hessian[np.ix_(free, free)], gradient[free], rcond=1e-9)[0]
        gap = float(gradient @ step) / 2
        if gap <= TOLERANCE:
            break
    return FoundWeights(weights, passes, max(gap, 0.0), int(np.count_nonzero(ids != UNKNOWN)))


def _require_some(fails):
    """ArgumentError if every part gives some word of the text no probability."""
    if fails.all():
        raise ArgumentError("a log-linear mixture needs a model that gives every word of the tuning text a "
                            "probability, each of them gives some word none: give a linear mixture")


def _slopes(mixture, weights, ids, eos_id, told):
    """The mean of ln p with these weights, its gradient (K,) and its hessian (K, K).

    And which parts give a word of the text no probability, (K,) bool.
    """
    K = len(weights)
    value, gradient, hessian, failing = 0.0, np.zeros(K), np.zeros((K, K)), np.zeros(K, bool)
    with mixture.fresh_state():
        for xs, ts in _windows(ids, eos_id):
            for _, steps in mixture.pieces(*ts.shape):
                known = ts[0, steps] != UNKNOWN
                f = np.array([one[0, known] for one in mixture.log_probs_of_all(xs[:, steps])])  # (K, M, V)
                targets = ts[0, steps, np.newaxis][known]
                failing |= np.isneginf(np.take_along_axis(f, targets[np.newaxis], 2)).any(axis=(1, 2))
                np.maximum(f, SMALLEST, out=f)
                q = softmax(np.tensordot(weights.astype(f.dtype), f, 1))  # (M, V)
                weighted = f * q
                means = weighted.sum(axis=2, dtype=np.float64)  # (K, M)
                gradient += (np.take_along_axis(f, targets[np.newaxis], 2)[..., 0] - means).sum(axis=1)
                hessian -= np.tensordot(f, weighted, axes=([1, 2], [1, 2])) - means @ means.T
                of_targets = np.take_along_axis(q, targets, 1).astype(np.float64)
                value += float(np.log(np.maximum(of_targets, np.exp(SMALLEST))).sum())
            told(np.count_nonzero(ts != UNKNOWN))
    n = np.count_nonzero(ids != UNKNOWN)
    return value / n, gradient / n, hessian / n, failing
