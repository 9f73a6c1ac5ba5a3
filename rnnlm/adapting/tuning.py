"""The tuning of caches and temperature: what makes a validation text most probable.

The network reads the text once (``tuning_probs``).  All else is arithmetic with the
probabilities of the words: with base and cache the two of a word,

    mean over the words of ln((1 - weight) base + weight cache)

is concave in the weight, so that bisection finds the best one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.adapting.caches import CacheSettings
from rnnlm.adapting.tuning_probs import read_probs
from rnnlm.compute import arguments
from rnnlm.errors import RnnlmError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from rnnlm.adapting.tuning_probs import Tried
    from rnnlm.scoring.predictor import Predictor

SIZES = (200, 500, 1000, 2000, 5000)
TEMPERATURES = 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2, 1.3, 1.5
MOST_WEIGHT = 0.999
HALVINGS = 16   # of the interval in which a weight is searched
ROUNDS = 4      # in which two weights are found in turns


@dataclass
class Tuning:
    """What was found.

    Attributes
    ----------
    tokens : how many were predicted.
    alone : the perplexity of the network at its own temperature.
    rows : (CacheSettings, perplexity), all that was tried, in order.
    best : the CacheSettings of the lowest perplexity, with all that was asked for.
    perplexity : that of them.
    """

    tokens: int
    alone: float
    rows: list[tuple[CacheSettings, float]] = field(default_factory=list)

    @property
    def best(self) -> CacheSettings:
        return self._best()[0]

    @property
    def perplexity(self) -> float:
        return self._best()[1]

    def at_edge(self, name: str) -> str:
        """Whether a number of the best is the "smallest" or "largest" tried, or "".

        A smaller decay than 0 cannot be, nor does a cache without weight tell anything.
        """
        value, tried = getattr(self.best, name), {getattr(settings, name) for settings, _ in self.rows} - {None}
        if value is None or len(tried) == 1 or (name != "temperature" and not self.best.weight):
            return ""
        return "largest" if value == max(tried) else "smallest" if value == min(tried) and value else ""

    def _best(self):
        asked = any(settings.unigram_size for settings, _ in self.rows)
        return min((row for row in self.rows if bool(row[0].unigram_size) == asked), key=lambda row: row[1])


def tune(model: Predictor, ids: ArrayLike, eos_id: int, tried: Tried,
         on_window: Callable[[int], object] | None = None) -> Tuning:
    """Find the best numbers on a text, which is read as one stream.

    First the caches at the temperature 1 (or the only one), then the temperature, then
    the caches again at that.  Not all combinations are tried: decays beside the best
    theta, and unigram caches beside the best cache.

    Parameters
    ----------
    model : LanguageModel, or another predictor that gives scores and states.
    ids : (n,), the text.
    eos_id : the id of <eos>.
    tried : Tried.
    on_window : called with the number of targets after each window; what it raises ends
        the tuning.

    Raises
    ------
    RnnlmError : the text is empty, or the scores are not finite.
    """
    ids = arguments.ids_of_text("ids", ids)
    if not ids.size:
        raise RnnlmError("the text to tune on must hold at least one token, got none: give a longer one")
    probs = read_probs(model, ids, eos_id, tried, on_window)
    if not np.isfinite(probs.network[1.0]).all():
        raise RnnlmError("the model gives no probabilities: its scores are not finite")
    return _searched(probs, tried)


def _searched(probs, tried):
    found = Tuning(len(probs.network[1.0]), _perplexity(probs.network[1.0]))
    temperature = 1.0 if 1.0 in tried.temperatures else tried.temperatures[0]
    start = CacheSettings(temperature=temperature)
    found.rows += _grid(probs, tried, start)
    if len(tried.temperatures) > 1:
        for other in tried.temperatures:
            if other != temperature:
                found.rows.append(_fitted(probs, replace(found.best, temperature=other), tried))
        if found.best.temperature != temperature and (tried.sizes or tried.unigram_sizes):
            found.rows += _grid(probs, tried, replace(start, temperature=found.best.temperature))
    return found


def _grid(probs, tried, settings):
    """Rows of all sizes and thetas, and so on: each time beside what is best so far."""

    def best():
        return min(rows, key=lambda row: row[1])[0]

    first, *others = probs.decays
    rows = [_fitted(probs, replace(settings, size=size, theta=theta, decay=first), tried)
            for size, theta in product(tried.sizes, probs.thetas)] or [_fitted(probs, settings, tried)]
    so_far = best()
    rows += [_fitted(probs, replace(so_far, size=size, decay=decay), tried)
             for size, decay in product(tried.sizes, others)]
    if best().decay != first:
        so_far = best()
        rows += [_fitted(probs, replace(so_far, theta=theta), tried) for theta in probs.thetas if theta != so_far.theta]
    so_far = best()
    return rows + [_fitted(probs, replace(so_far, unigram_size=size), tried) for size in tried.unigram_sizes]


def _fitted(probs, settings, tried):
    """(Settings with the best weights that were not given, their perplexity)."""
    base = probs.network[settings.temperature]
    parts, of = [], (settings.size, settings.theta, settings.decay)
    if settings.size:
        parts.append(("weight", tried.weight, probs.cache[of]))
    if settings.unigram_size:
        parts.append(("unigram_weight", tried.unigram_weight, probs.unigram[settings.unigram_size]))
    parts = [(name, given, np.where(np.isnan(of_words), base, of_words)) for name, given, of_words in parts]
    weights = {name: 0.05 if given is None else given for name, given, _ in parts}
    for _ in range(ROUNDS if len(parts) > 1 else 1):
        for name, given, _ in parts:
            if given is None:
                without, with_it = (_mixture(base, parts, weights | {name: weight}) for weight in (0, 1))
                weights[name] = round(_best_weight(without, with_it), 4)
    return replace(settings, **weights), _perplexity(_mixture(base, parts, weights))


def _perplexity(probs):
    return math.exp(-np.log(probs).mean())


def _mixture(base, parts, weights):
    """The probabilities of all words, each part mixed with what is inside it."""
    for name, _, probs in parts:
        base = (1 - weights[name]) * base + weights[name] * probs
    return base


def _best_weight(base, other):
    """The weight of ``other`` that makes the text most probable, by bisection."""
    gains, low, high = other / base - 1, 0.0, MOST_WEIGHT
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if (gains / (1 + middle * gains)).sum() > 0:  # the slope at the middle
            low = middle
        else:
            high = middle
    return (low + high) / 2
