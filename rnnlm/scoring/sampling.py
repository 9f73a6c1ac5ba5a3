"""Sampling: a word for each of many texts, drawn from their scores in a few passes.

The scores of n texts are read as (V, n): a word's scores for all texts are neighbours
in memory.  The product that makes them so is faster, and sums over words are sums of
rows.
"""

import math
from dataclasses import dataclass

import numpy as np

from rnnlm.compute import arguments
from rnnlm.scoring.generation import draw, next_probs, no_probabilities

COLDEST = 1e-37  # a temperature that a 32-bit number holds; a lower one would draw the same
SMALLEST_SUM, LARGEST_SUM = 1e-15, 1e30  # other sums are computed again with the highest score taken out
LARGEST_BIAS = 30  # the exponentials of such biases multiply those of the products without a loss
LOW_TEMPERATURE = 0.5  # below it most sums are too large


@dataclass(frozen=True)
class Drawing:
    """How a word is drawn from its scores; see ``rnnlm.generate``.

    ArgumentError for a value that cannot be.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    def __post_init__(self):
        arguments.not_negative("temperature", self.temperature)
        if self.top_k is not None:
            arguments.whole("top_k", self.top_k)
        if self.top_p is not None:
            arguments.number("top_p", self.top_p, "above 0 and at most 1", lambda p: 0 < p <= 1)

    @property
    def cuts(self):
        """Whether some words are cut off."""
        return self.top_k is not None or self.top_p is not None


class Draws:
    """Draws the next word of each of several texts.

    One text is drawn for as ``rnnlm.generate`` does it, in 64-bit numbers.  Several are
    drawn for in the type of the scores, by the same rule: a random point on the line of
    all probabilities, in order of ids.

    Parameters
    ----------
    drawing : a Drawing.
    constraints : Constraints.
    scored : whether ln p of what was drawn is computed, too.
    """

    def __init__(self, drawing, constraints, scored):
        self.drawing, self.constraints, self.scored = drawing, constraints, scored
        self.allowed = np.ones(constraints.vocab_size, np.float32)
        self.allowed[constraints.forbidden] = 0
        self.whole = constraints.change or drawing.cuts or drawing.temperature == 0  # the biases are needed at once
        self.known = None, None  # biases, and the factors that are made from them

    def __call__(self, read, texts):  # -> (n,), (n,)
        """Draw an id for each text, and its ln p under the model itself.

        Parameters
        ----------
        read : function that gives products (V, n) and biases (V,), whose sums are the
            scores: see ``LanguageModel.products_after``.
        texts : the n texts.  Each has ``rng``, a generator of its own, ``progress`` and
            ``recent``.

        Returns
        -------
        ids : (n,).
        log_probs : (n,), float64; None where they are not asked for.
        """
        with np.errstate(over="ignore", invalid="ignore"):  # sums and highest scores are looked at
            if len(texts) == 1:
                ids = self._one(read, texts)
            else:
                ids = self._most_probable(read, texts) if self.drawing.temperature == 0 else self._some(read, texts)
            return ids, log_probs(added(*read()), ids) if self.scored else None

    def _one(self, read, texts):
        """The plain way."""
        scores = added(*read()).astype(np.float64)
        self.constraints.apply(scores, texts)
        return np.array([draw(next_probs(scores[:, 0], self.drawing.temperature, self.drawing.top_k,
                                         self.drawing.top_p), texts[0].rng)])

    def _most_probable(self, read, texts):  # -> (n,)
        scores = added(*read())
        self.constraints.apply(scores, texts)
        require_finite(scores.max(axis=0))
        return np.ascontiguousarray(scores.T).argmax(axis=1)

    def _some(self, read, texts):  # -> (n,)
        """The same as ``_one`` in a few passes over all scores."""
        points = np.array([text.rng.random() for text in texts])
        for shifted in (False, True) if self.drawing.temperature >= LOW_TEMPERATURE else (True,):
            weights, factors = self._weights(*read(), texts, shifted)
            sums = sum_groups(weights, factors)
            totals = sums.sum(axis=0)
            # Not a number is out of range, too.
            if totals.min() > SMALLEST_SUM and totals.max() < LARGEST_SUM:
                break
        return points_to_ids(weights, factors, sums, points)

    def _weights(self, products, biases, texts, shifted):
        """Numbers (V, n) and factors (V,) whose products are as the probabilities are.

        shifted: whether the highest score is taken out first, so that no exponential is
        too large or all are too small.
        """
        temperature = max(self.drawing.temperature, COLDEST)
        factors = None if self.whole or shifted else self._factors(biases, temperature)
        if factors is None:
            self.constraints.apply(added(products, biases), texts)
            factors = self.allowed.astype(products.dtype)
        if shifted:
            highest = products.max(axis=0)
            require_finite(highest)
            products -= highest
        if temperature != 1:
            products /= temperature
        np.exp(products, out=products)
        if self.drawing.cuts:
            cut(products, self.drawing.top_k, self.drawing.top_p)
        return products, factors


    def _factors(self, biases, temperature):  # (V,) -> (V,)
        """What the biases multiply exponentials by; None where they are too large.

        They are the same in every step, so they are computed once.
        """
        known, factors = self.known  # both at once: another thread may set them
        if known is not biases:
            fits = np.abs(biases).max() / temperature < LARGEST_BIAS
            factors = self.allowed.astype(biases.dtype) * np.exp(biases / temperature) if fits else None
            self.known = biases, factors
        return factors


def added(products, biases):  # (V, n), (V,) -> (V, n)
    """The scores, in the memory of the products."""
    products += biases[:, np.newaxis]
    return products


def require_finite(highest):
    """RnnlmError unless the highest score of each text is a number."""
    if not np.isfinite(highest).all():
        raise no_probabilities()


def sum_groups(weights, factors):  # (V, n), (V,) -> (groups, n)
    """The sums of weights times factors over groups of neighbouring words."""
    V, n = weights.shape
    width = math.isqrt(V)
    whole = V // width * width
    parts = factors[:whole].reshape(-1, 1, width) @ weights[:whole].reshape(-1, width, n)  # quicker than np.sum
    return np.concatenate([parts[:, 0], factors[np.newaxis, whole:] @ weights[whole:]])


def points_to_ids(weights, factors, sums, points):  # (V, n), (V,), (groups, n), (n,) -> (n,)
    """For each text the id that a point from 0 to 1 of its line meets; see ``draw``.

    A word's part of the line is its weight times its factor.
    """
    V, n = weights.shape
    width, texts = math.isqrt(V), np.arange(n)
    ends = sums.cumsum(axis=0, dtype=np.float64)
    points = points * ends[-1]
    group = np.minimum((ends <= points).sum(axis=0), len(sums) - 1)
    if not (sums[group, texts] > 0).all():  # rounding led behind the last group that can be drawn from
        group = np.minimum(group, len(sums) - 1 - (sums[::-1] > 0).argmax(axis=0))
    points -= np.where(group > 0, ends[group - 1, texts], 0)
    words = group * width + np.arange(width)[:, np.newaxis]  # (width, n)
    known = np.minimum(words, V - 1)
    inside = weights.take(known * n + texts) * factors.take(known)
    inside[words >= V] = 0
    index = np.minimum((inside.cumsum(axis=0, dtype=np.float64) <= points).sum(axis=0), width - 1)
    if not (inside[index, texts] > 0).all():  # or behind the group's last word, or to one without probability
        index = np.where(inside[index, texts] > 0, index, inside.argmax(axis=0))
    return words[index, texts]


def cut(weights, top_k, top_p):  # (V, n)
    """Set to 0 all but the most probable words, in place; ties go in order of ids.

    See ``next_probs``.
    """
    weights *= _kept(np.ascontiguousarray(weights.T), top_k, top_p).T


def _kept(rows, top_k, top_p):  # (n, V) -> (n, V)
    """Which words are kept for each text, bool."""
    V = rows.shape[1]
    if top_p is None:
        kept = np.full(len(rows), min(top_k, V))
        lowest = np.partition(rows, V - kept[0], axis=1)[:, V - kept[0], np.newaxis]
    else:
        falling = np.sort(rows, axis=1)[:, ::-1]
        sums = falling.cumsum(axis=1, dtype=np.float64)
        kept = np.minimum((sums < top_p * sums[:, -1:]).sum(axis=1) + 1, min(top_k or V, V))
        lowest = np.take_along_axis(falling, kept[:, np.newaxis] - 1, axis=1)
    above, ties = rows > lowest, rows == lowest
    room = kept - above.sum(axis=1)
    if (ties.sum(axis=1) > room).any():
        ties &= ties.cumsum(axis=1) <= room[:, np.newaxis]
    return above | ties


def log_probs(scores, ids):  # (V, n), (n,) -> (n,)
    """ln p of the ids (float64) under the model itself, by its scores."""
    highest = scores.max(axis=0)
    require_finite(highest)
    chosen = scores[ids, np.arange(len(ids))].astype(np.float64) - highest
    return chosen - np.log(np.exp(scores - highest).sum(axis=0, dtype=np.float64))
