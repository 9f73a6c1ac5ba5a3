"""Mixtures: one distribution over the next word, from those of several predictors.

    linear       p(w) = sum_k weight_k p_k(w)
    log-linear   p(w) = prod_k p_k(w)^weight_k / Z,  Z = sum_v prod_k p_k(v)^weight_k

Linear weights add up to 1 (Jelinek & Mercer, 1980).  Those of a log-linear mixture need
not (Klakow, 1998).  Linear weights may follow the text: ``rnnlm.scoring.following``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.compute.default_workers import computing
from rnnlm.compute.functions import log_softmax
from rnnlm.compute.word_scores import WordScores
from rnnlm.errors import ArgumentError
from rnnlm.mixing.combined import Combined, as_log_probs, at
from rnnlm.mixing.weights import require_weights
from rnnlm.scoring.following import FollowingWeights, Follows, words_needed
from rnnlm.scoring.predictor import vocab_size_of
from rnnlm.scoring.words import window_scores
from rnnlm.text.vocabulary import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import ArrayLike

LINEAR, LOG_LINEAR = KINDS = "linear", "log-linear"


class Mixture(Follows, Combined):
    """Several predictors of one vocabulary as one predictor.

    Parameters
    ----------
    predictors : at least one: networks, n-gram models, mixtures.
    weights : one for each, of at least 0.
    kind : "linear" or "log-linear".
    follow : words that linear weights follow; None: they stay.  Then only the
        probabilities of the words of a text can be had.

    Attributes
    ----------
    parts : the predictors.
    weights : (K,) float64; linear ones are divided by their sum.
    kind : as given.
    following : FollowingWeights; None: the weights stay.
    vocabulary_fingerprint : that of the parts; None: not known.

    Raises
    ------
    ArgumentError : the predictors have different vocabularies, or a weight cannot be.
    """

    def __init__(self, predictors: Sequence[Any], weights: ArrayLike, kind: str = LINEAR,
                 follow: int | None = None) -> None:
        super().__init__(arguments.items("predictors", predictors, "a list of predictors"))
        for part in self.parts:
            arguments.language_model("a predictor", part, "predict")
        self.kind = arguments.one_of("kind", kind, KINDS)
        self.weights = require_weights(weights, len(self.parts), adds_up=kind == LINEAR)
        if follow is not None and kind != LINEAR:
            raise ArgumentError(f"follow is for linear weights, got a {kind} mixture: leave it out")
        self.following = None if follow is None else FollowingWeights(self.weights, follow)
        self.vocabulary_fingerprint = _common_fingerprint(self.parts)

    def __repr__(self) -> str:
        parts = ", ".join(f"{weight:.3g} of {part!r}" for weight, part in zip(self.weights, self.parts, strict=True))
        return f"<{self.kind} mixture: {parts}>"

    @property
    def static(self) -> Mixture:
        """The same mixture of the parts without what they learn from a text."""
        return Mixture([getattr(part, "static", part) for part in self.parts], self.weights, self.kind)

    @property
    def adapts(self) -> bool:
        """Whether a part or the weights learn from what is read."""
        return self.following is not None or super().adapts

    @computing
    def log_probs(self, xs: np.ndarray, ts: np.ndarray) -> np.ndarray:  # ids (N, T), ids (N, T) -> (N, T)
        """ln p of every target, given all before it; carries the state on."""
        if self.kind == LINEAR:
            return self.log_probs_with_parts(xs, ts)[0]
        ts = arguments.targets_of_windows(xs, ts)
        return super().word_scores(arguments.ids_of_windows("xs", xs), ts).log_probs.reshape(ts.shape)

    @computing
    def log_probs_with_parts(self, xs: np.ndarray, ts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What ``log_probs`` gives, and the same of each part: (N, T), (K, N, T)."""
        if self.kind == LINEAR:  # the targets alone tell it
            of_parts = np.array([part.log_probs(xs, ts) for part in self.parts], np.float64)
            return self._of_text(of_parts), of_parts
        xs, ts = arguments.ids_of_windows("xs", xs), arguments.ids_of_windows("ts", ts)
        found, of_parts = np.empty(ts.shape), np.empty((len(self.parts), *ts.shape))
        for rows, steps in self.pieces(*ts.shape):
            log_probs, targets = self.log_probs_of_all(xs[rows, steps]), ts[rows, steps]
            found[rows, steps] = at(self._product(log_probs), targets)
            of_parts[:, rows, steps] = [at(one, targets) for one in log_probs]
        found[ts == UNKNOWN] = of_parts[:, ts == UNKNOWN] = np.nan
        return found, of_parts

    def log_probs_of_all(self, xs: np.ndarray) -> list[np.ndarray]:  # ids (N, T) -> K of (N, T, V)
        """ln p of every word under each part; carries the state on."""
        return [as_log_probs(part, np.asarray(part.predict(xs))) for part in self.parts]

    def _of_text(self, log_probs):  # (K, 1, T) where weights follow, else (K, N, T) -> (N, T)
        """ln p of the next words of a text, from those under the parts."""
        if not self.following:
            return self.mixed(log_probs)
        if log_probs.shape[1] != 1:
            raise ArgumentError(f"weights that follow read one text at a time, xs (1, T), got {log_probs.shape[1]}")
        with np.errstate(divide="ignore"):  # a weight of 0
            return log_sum(np.log(self.following.take(log_probs[:, 0]))[:, np.newaxis] + log_probs)

    def mixed(self, log_probs: np.ndarray) -> np.ndarray:  # (K, ...) -> (...)
        """ln p of words under the linear mixture, from those under the parts."""
        with np.errstate(divide="ignore"):  # a weight of 0
            weights = np.log(self.weights).astype(log_probs.dtype)
        return log_sum(weights.reshape(-1, *[1] * (log_probs.ndim - 1)) + log_probs)

    @computing
    def predict(self, xs: np.ndarray) -> np.ndarray:  # ids (N, T) -> (N, T, V)
        """ln p of every word at every step; carries the state on.

        ArgumentError where the weights follow the text.
        """
        return super().predict(xs)

    def whole(self, scores: Sequence[np.ndarray]) -> np.ndarray:  # K of (..., V) -> (..., V)
        """ln p of every word, from the scores of the parts."""
        if self.following:
            raise words_needed()
        return self._product(scores) if self.kind == LOG_LINEAR else self._mean(scores)[0]

    def _product(self, scores):  # K of (..., V) -> (..., V)
        """The log-linear mixture; a part of weight 0 counts for nothing.

        Scores may be ln p up to a constant, which Z takes out.
        """
        total = 0
        for weight, one in zip(self.weights, scores, strict=True):
            total = total + weight.astype(one.dtype) * one if weight else total
        return log_softmax(total)

    def _mean(self, scores):  # K of (..., V) -> (..., V), K of (..., 1)
        """The linear mixture, and what the scores of the parts are larger than ln p by.

        A sum of probabilities takes a third of the time of a sum of logarithms.
        """
        total, excess = 0, []
        for part, weight, one in zip(self.parts, self.weights, scores, strict=True):
            if getattr(part, "gives_log_probs", False):
                probs, scale = np.exp(one), 1.0
                excess.append(np.zeros((*one.shape[:-1], 1)))
            else:
                highest = one.max(axis=-1, keepdims=True)
                probs = np.exp(one - highest)
                scale = probs.sum(axis=-1, keepdims=True)
                excess.append(highest + np.log(scale))
            probs *= float(weight) / scale
            total = np.add(total, probs, out=probs)
        with np.errstate(divide="ignore"):
            return np.log(total, out=total), excess

    def _whole_with_targets(self, scores, ts):  # K of (..., V), ids (...) -> (..., V), (...)
        """ln p of every word, and of the targets.

        In float32, a word that all parts give less than 1e-38 has 0; targets have not.
        """
        if self.kind == LOG_LINEAR:
            return super()._whole_with_targets(scores, ts)
        log_probs, excess = self._mean(scores)
        of_parts = [at(one, ts) - more[..., 0] for one, more in zip(scores, excess, strict=True)]
        return log_probs, self.mixed(np.array(of_parts, np.float64))

    @computing
    def word_scores(self, xs: np.ndarray, ts: np.ndarray, wanted: np.ndarray | None = None, details: bool = False,
                    top: int = 0, *, with_states: bool = False, repeats: np.ndarray | None = None) -> WordScores:
        """What the mixture says of every target; see ``LanguageModel.word_scores``.

        ArgumentError where states are asked for: several models have none in common.
        """
        if self.following and (details or top):
            raise words_needed()
        if self.following and not with_states:
            found = WordScores(self.log_probs(xs, ts).ravel())
            return found if wanted is None else found.at(wanted.ravel())
        if details or top or with_states or self.kind == LOG_LINEAR:
            return super().word_scores(xs, ts, wanted, details, top, with_states=with_states)
        found = [window_scores(part, xs, ts, wanted, repeats=repeats).log_probs for part in self.parts]
        return WordScores(self.mixed(np.array(found, np.float64)))


def log_sum(log_probs: np.ndarray) -> np.ndarray:  # (K, ...) -> (...)
    """ln sum_k exp(log_probs_k); nothing under- or overflows; -inf if all are."""
    highest = log_probs.max(axis=0)
    shifts = np.where(np.isneginf(highest), 0, highest).astype(log_probs.dtype)
    with np.errstate(divide="ignore"):
        return shifts + np.log(np.exp(log_probs - shifts).sum(axis=0))


def _common_fingerprint(parts):
    """That of the vocabulary of all parts; ArgumentError where they differ."""
    if len({vocab_size_of(part) for part in parts}) > 1:
        sizes = ", ".join(f"{vocab_size_of(part):,}" for part in parts)
        raise ArgumentError(f"predictors must have one vocabulary, theirs have {sizes} words")
    known = {getattr(part, "vocabulary_fingerprint", None) for part in parts} - {None}
    if len(known) > 1:
        raise ArgumentError("predictors must have one vocabulary, theirs have other words or another order of them: "
                            "rnnlm.mixing.vocabularies.on_vocabulary tells what differs")
    return next(iter(known), None)
