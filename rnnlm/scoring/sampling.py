"""Sampling: a word for each of many texts, drawn from their scores in a few passes.

The scores of n texts are read as (V, n): a word's scores for all texts are neighbours
in memory.  The product that makes them so is faster, and sums over words are sums of
rows.
"""

import math
from dataclasses import dataclass

import numpy as np

from rnnlm.compute import arguments
from rnnlm.compute.threads import slices
from rnnlm.scoring.generation import draw, next_probs, no_probabilities

TILE = 32  # texts for which a thread draws at a time: small products of the output's weights with them are fastest
COLDEST = 1e-37  # a temperature that a 32-bit number holds; a lower one would draw the same
LARGEST_SUM = 1e30  # sums beyond this or below its inverse are computed again with the highest score taken out


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
    workers : Workers that share the texts.
    """

    def __init__(self, drawing, constraints, scored, workers):
        self.drawing, self.constraints, self.scored, self.workers = drawing, constraints, scored, workers
        self.width = math.isqrt(constraints.vocab_size)  # words of a group
        self.groups = -(-constraints.vocab_size // self.width)

    def __call__(self, read, texts):  # -> (n,), (n,)
        """Draw an id for each text, and its ln p under the model itself.

        Parameters
        ----------
        read : function that gives the scores (V, m) of a slice of the texts.
        texts : the n texts.  Each has ``rng``, a generator of its own, ``progress`` and
            ``recent``.

        Returns
        -------
        ids : (n,).
        log_probs : (n,), float64; None where they are not asked for.
        """
        n = len(texts)
        ids, logs = np.empty(n, dtype=np.intp), np.empty(n) if self.scored else None
        draw_for = self._one if n == 1 else self._some

        def draw_part(part):
            scores = read(part)
            ids[part] = draw_for(scores, texts[part])
            if self.scored:
                logs[part] = log_probs(scores, ids[part])

        self.workers.each(draw_part, slices(n, min(TILE, -(-n // self.workers.threads))))
        return ids, logs

    def _one(self, scores, texts):  # (V, 1) -> an id
        """The plain way."""
        scores = np.array(scores, dtype=np.float64)
        self.constraints.apply(scores, texts)
        return draw(next_probs(scores[:, 0], self.drawing.temperature, self.drawing.top_k, self.drawing.top_p),
                    texts[0].rng)

    def _some(self, scores, texts):  # (V, n) -> (n,)
        """The same in a few passes over all scores."""
        if self.constraints.change:
            scores = scores.copy()
            self.constraints.apply(scores, texts)
        if self.drawing.temperature == 0:
            return self._most_probable(scores)
        weights = self._weights(scores)
        if self.drawing.cuts:
            cut(weights, self.drawing.top_k, self.drawing.top_p)
        return points_to_ids(weights.reshape(self.groups, self.width, len(texts)),
                             np.array([text.rng.random() for text in texts]))

    def _most_probable(self, scores):  # (V, n) -> (n,)
        rows = np.ascontiguousarray(scores.T)
        rows[:, self.constraints.forbidden] = -np.inf
        ids = rows.argmax(axis=1)
        require_finite(rows[np.arange(len(rows)), ids])
        return ids

    def _weights(self, scores):  # (V, n) -> (groups * width, n)
        """What is proportional to the probabilities; more words have 0."""
        V, n = scores.shape
        weights = self.workers.scratch("weights", (self.groups * self.width, n), scores.dtype)
        weights[V:] = 0
        self._exponentiate(scores, weights[:V])
        totals = np.ones(len(weights), weights.dtype) @ weights
        # Not a number is caught, too.
        if not (totals.min() > 1 / LARGEST_SUM and totals.max() < LARGEST_SUM):
            self._exponentiate(scores - self._highest(scores), weights[:V])
        return weights

    def _exponentiate(self, scores, out):
        """exp(scores / temperature) into out; 0 for forbidden words."""
        if self.drawing.temperature != 1:
            scores = np.divide(scores, max(self.drawing.temperature, COLDEST), out=out)
        np.exp(scores, out=out)
        out[self.constraints.forbidden] = 0

    def _highest(self, scores):  # (V, n) -> (n,)
        """The highest scores of words that are not forbidden, numbers."""
        allowed = np.ones(len(scores), bool)
        allowed[self.constraints.forbidden] = False
        highest = scores.max(axis=0, where=allowed[:, np.newaxis], initial=-np.inf)
        require_finite(highest)
        return highest


def require_finite(highest):
    """RnnlmError unless the highest score of each text is a number."""
    if not np.isfinite(highest).all():
        raise no_probabilities()


def points_to_ids(weights, points):  # (groups, width, n), (n,) -> (n,)
    """For each text the id that a point from 0 to 1 of its line meets; see ``draw``.

    The weights of a text need not add up to 1.
    """
    groups, width, n = weights.shape
    texts = np.arange(n)
    sums = (np.ones((1, width), weights.dtype) @ weights)[:, 0]  # (groups, n); a third of the time of np.sum
    ends = sums.cumsum(axis=0, dtype=np.float64)
    points = points * ends[-1]
    group = np.minimum((ends <= points).sum(axis=0), groups - 1)
    points = points - np.where(group > 0, ends[group - 1, texts], 0)
    inside = weights[group, :, texts]  # (n, width)
    index = (inside.cumsum(axis=1, dtype=np.float64) <= points[:, np.newaxis]).sum(axis=1)
    index = np.where(index < width, index, 0)
    # Rounding may lead behind the group's last word, or to one without probability.
    index = np.where(inside[texts, index] > 0, index, inside.argmax(axis=1))
    return group * width + index


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
