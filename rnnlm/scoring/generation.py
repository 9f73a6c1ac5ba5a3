"""Generation: the model's own words, drawn one at a time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError, IdError, RnnlmError
from rnnlm.scoring.predictor import reads_unknown
from rnnlm.text.vocabulary import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rnnlm.scoring.predictor import Predicts

WINDOW = 256  # steps of a prompt read at a time


def next_probs(scores, temperature=1.0, top_k=None, top_p=None, forbidden=()):
    """Probabilities (V,) float64 from which the next word is drawn.

    Parameters
    ----------
    scores : (V,), the model's scores of the words.
    temperature : scores are divided by it; 0 puts everything on the highest.
    top_k : only the k most probable words (Fan et al., 2018); None: all.
    top_p : only the most probable words that together reach p (Holtzman et al., 2020);
        None: all.  Both cut ties in order of ids.
    forbidden : ids that are never drawn.

    Raises
    ------
    RnnlmError : the highest score is not a finite number.
    """
    probs = np.array(scores, dtype=np.float64)
    if len(forbidden):
        _require_some_left(forbidden, probs.size)
        probs[list(forbidden)] = -np.inf
    highest = probs.max()
    if not np.isfinite(highest):
        raise no_probabilities()
    if temperature == 0:
        return np.eye(1, probs.size, int(probs.argmax()))[0]
    probs -= highest
    if temperature != 1:
        # The maximum is 0: a tiny temperature sends the others to -inf, which is right.
        with np.errstate(over="ignore"):
            probs /= temperature
    np.exp(probs, out=probs)
    probs /= probs.sum()
    if top_k is not None or top_p is not None:
        order = np.argsort(-probs, kind="stable")
        kept = len(order) if top_k is None else min(top_k, len(order))
        if top_p is not None:
            kept = min(kept, int(np.searchsorted(np.cumsum(probs[order]), top_p)) + 1)
        probs[order[kept:]] = 0
        probs /= probs.sum()
    return probs


def no_probabilities():
    """The RnnlmError of scores that are not finite."""
    return RnnlmError("the model gives no probabilities: its scores are not finite numbers")


def _require_some_left(forbidden, V):
    """ArgumentError unless these are ids of the vocabulary, and not all of them."""
    if min(forbidden) < 0 or max(forbidden) >= V:
        raise IdError(f"forbidden must hold ids from 0 to {V - 1}, got {min(forbidden)} to {max(forbidden)}")
    if len(set(forbidden)) == V:
        raise ArgumentError(f"forbidden must leave a word to draw, got all {V} ids")


def draw(probs, rng):
    """Draw one id (int) with these probabilities (V,).

    They need not add up to 1, but one of them must be above 0.

    A random point on the line of all probabilities is first looked up among sums of a
    hundred or so neighbours: 9 microseconds for 10,000 words, where one cumulative sum
    over all of them takes 39.
    """
    width = math.isqrt(len(probs))
    sums = np.add.reduceat(probs, np.arange(0, len(probs), width)).cumsum()
    point = rng.random() * sums[-1]
    group = min(int(sums.searchsorted(point, side="right")), len(sums) - 1)
    start = group * width
    inside = probs[start : start + width].cumsum()
    drawn = start + int(inside.searchsorted(point - (sums[group - 1] if group else 0), side="right"))
    return drawn if drawn < start + len(inside) and probs[drawn] else start + int(inside.argmax())


def generate(model: Predicts, prompt: Iterable[int], *, rng: np.random.Generator, temperature: float = 1.0,
             top_k: int | None = None, top_p: float | None = None, forbidden: Iterable[int] = ()) -> Iterator[int]:
    """Yield ids for ever: the continuation of a prompt.

    Each drawn id is fed back once.  From the first ``next`` until the generator is
    closed, the model's state is that of this text; then it is what it was before.

    Parameters
    ----------
    model : LanguageModel, or another predictor with ``fresh_state`` and ``predict``.
    prompt : ids, at least one; <eos> is the start of a text.  UNKNOWN may be among them
        for a model that can read it.
    rng : numpy.random.Generator that draws.
    temperature : the model's scores are divided by it; 0: always the most probable
        word.
    top_k : draw among the k most probable words only (Fan et al., 2018); None: all.
    top_p : draw only among the most probable words that together reach the probability
        p (Holtzman et al., 2020); None: all.
    forbidden : ids that are never drawn.

    Raises
    ------
    ArgumentError : an argument is wrong; it is raised by the call, before the first
        ``next``.
    RnnlmError : the model gives scores that are not finite, at a ``next``.
    """
    arguments.language_model("model", model, "predict")
    arguments.generator("rng", rng)
    prompt = arguments.ids_of_text("prompt", prompt)
    if not prompt.size:
        raise ArgumentError("prompt must hold at least one id, got none: [vocabulary.eos_id] is the start of a text")
    arguments.not_negative("temperature", temperature)
    if top_k is not None:
        arguments.whole("top_k", top_k)
    if top_p is not None:
        arguments.number("top_p", top_p, "above 0 and at most 1", lambda p: 0 < p <= 1)
    if not isinstance(forbidden, tuple) or forbidden:
        forbidden = list(forbidden) if isinstance(forbidden, set | frozenset) else forbidden
        forbidden = arguments.ids_of_text("forbidden", forbidden).tolist()
    if prompt.min() < (UNKNOWN if reads_unknown(model) else 0):
        raise IdError(f"prompt must hold ids of the vocabulary, got {prompt.min()}: leave out the words that it lacks, "
                      "or give them the id of <unk>")
    return _words(model, prompt, rng, (temperature, top_k, top_p, forbidden))


def _words(model, prompt, rng, options):
    """The generator that ``generate`` returns."""
    with model.fresh_state():
        read = prompt
        while True:
            drawn = draw(_probs(model, read, *options), rng)
            yield drawn
            read = np.array([drawn], dtype=np.int32)


def probs_after(model, prompt):  # (n,) -> (V,)
    """The probability of each word after a prompt, from a fresh state.

    prompt: a list of ids that opens with <eos>.  RnnlmError if the probabilities are
    not finite.
    """
    with model.fresh_state():
        return _probs(model, arguments.ids_of_text("prompt", prompt))


def _probs(model, ids, *options):  # (n,) -> (V,)
    """The probabilities after these ids, read from the model's present state.

    options: see ``next_probs``.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # next_probs says it in one line
        return next_probs(last_scores(model, ids[np.newaxis])[0], *options)


def last_scores(model, xs):  # (N, T) -> (N, V)
    """The scores after the last of these ids, read from the model's present state.

    The array is filled anew by the next call.
    """
    predict_last = getattr(model, "predict_last", lambda xs: model.predict(xs)[:, -1])
    for start in range(0, xs.shape[1], WINDOW):
        scores = predict_last(xs[:, start : start + WINDOW])
    return scores
