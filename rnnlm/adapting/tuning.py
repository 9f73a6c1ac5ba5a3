"""The tuning of caches and temperature: what makes a validation text most probable.

The network reads the text once.  Of each word its probability is kept at each
temperature, and its probability in the memory at each size, theta and decay.  All else
is arithmetic with these numbers: with base and cache the two probabilities of a word,

    mean over the words of ln((1 - weight) base + weight cache)

is concave in the weight, so that bisection finds the best one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.adapting.around import STEPS, scores_and_states
from rnnlm.adapting.attention import target_probs
from rnnlm.adapting.cache import Cache
from rnnlm.adapting.caches import CacheSettings
from rnnlm.adapting.remembering import inner_scores
from rnnlm.adapting.unigram_cache import UnigramCache
from rnnlm.compute import arguments
from rnnlm.compute.default_workers import workers_of
from rnnlm.errors import RnnlmError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from rnnlm.scoring.predictor import Predictor

SIZES = (200, 500, 1000, 2000, 5000)
TEMPERATURES = tuple(round(0.8 + 0.05 * k, 2) for k in range(11))
THETAS = (1, 2, 4, 6, 8, 10, 12, 15, 20, 30)  # over the mean squared norm of the states
DECAYS = (0.0, 0.0005, 0.001, 0.002, 0.004)
WINDOW = 1024
MOST_WEIGHT = 0.999
HALVINGS = 16   # of the interval in which a weight is searched
ROUNDS = 4      # in which two weights are found in turns


@dataclass(frozen=True)
class Tried:
    """What is tried of each number; of what is given there is one value.

    Attributes
    ----------
    sizes : of the Cache; empty: there is none.
    theta, weight, decay : None: to be found.
    unigram_sizes : of the UnigramCache; empty: there is none.
    unigram_weight : None: to be found.
    temperatures : of the network.
    """

    sizes: Sequence[int] = ()
    theta: float | None = None
    weight: float | None = None
    decay: float | None = None
    unigram_sizes: Sequence[int] = ()
    unigram_weight: float | None = None
    temperatures: Sequence[float] = (1.0,)


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
    probs = _read(model, ids, eos_id, tried, on_window)
    if not np.isfinite(probs.network[1.0]).all():
        raise RnnlmError("the model gives no probabilities: its scores are not finite")
    return _searched(probs, tried)


def _searched(probs, tried):
    found = Tuning(len(probs.network[1.0]), probs.perplexity(probs.network[1.0]))
    temperature = 1.0 if 1.0 in tried.temperatures else tried.temperatures[0]
    start = CacheSettings(temperature=temperature)
    found.rows += _grid(probs, tried, start)
    if len(tried.temperatures) > 1:
        for other in tried.temperatures:
            if other != temperature:
                found.rows.append(probs.fitted(replace(found.best, temperature=other), tried))
        if found.best.temperature != temperature:
            found.rows += _grid(probs, tried, replace(start, temperature=found.best.temperature))
    return found


def _grid(probs, tried, settings):
    """Rows of all sizes and thetas, and so on: each time beside what is best so far."""

    def best():
        return min(rows, key=lambda row: row[1])[0]

    first, *others = probs.decays
    rows = [probs.fitted(replace(settings, size=size, theta=theta, decay=first), tried)
            for size, theta in product(tried.sizes, probs.thetas)] or [probs.fitted(settings, tried)]
    so_far = best()
    rows += [probs.fitted(replace(so_far, size=size, decay=decay), tried)
             for size, decay in product(tried.sizes, others)]
    if best().decay != first:
        so_far = best()
        rows += [probs.fitted(replace(so_far, theta=theta), tried) for theta in probs.thetas if theta != so_far.theta]
    so_far = best()
    return rows + [probs.fitted(replace(so_far, unigram_size=size), tried) for size in tried.unigram_sizes]


class _Probs:
    """The probabilities of all words of a text: of the network, and in the memories.

    network : {temperature: (n,)}; cache : {(size, theta, decay): (n,)};
    unigram : {size: (n,)}.
    """

    def __init__(self, network, cache, unigram, thetas, decays):
        self.network, self.cache, self.unigram, self.thetas, self.decays = network, cache, unigram, thetas, decays

    def fitted(self, settings, tried):
        """(Settings with the best weights that were not given, their perplexity)."""
        base = self.network[settings.temperature]
        parts, of = [], (settings.size, settings.theta, settings.decay)
        if settings.size:
            parts.append(("weight", tried.weight, self.cache[of]))
        if settings.unigram_size:
            parts.append(("unigram_weight", tried.unigram_weight, self.unigram[settings.unigram_size]))
        parts = [(name, given, np.where(np.isnan(probs), base, probs)) for name, given, probs in parts]
        weights = {name: 0.05 if given is None else given for name, given, _ in parts}
        for _ in range(ROUNDS if len(parts) > 1 else 1):
            for name, given, _ in parts:
                if given is None:
                    without, with_it = (_mixture(base, parts, weights | {name: weight}) for weight in (0, 1))
                    weights[name] = round(_best_weight(without, with_it), 4)
        return replace(settings, **weights), self.perplexity(_mixture(base, parts, weights))

    def perplexity(self, probs):
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


def _read(model, ids, eos_id, tried, on_window):
    """The _Probs of a text, window by window."""
    reader, found = _Reader(model, tried), []
    with model.fresh_state(), np.errstate(over="ignore", invalid="ignore"):  # the caller looks at the network's
        for start in range(0, len(ids), WINDOW):
            ts = ids[np.newaxis, start : start + WINDOW]
            xs = np.concatenate([[[ids[start - 1] if start else eos_id]], ts[:, :-1]], axis=1)
            found.append(reader.workers.compute(reader.read, xs, ts))
            if on_window:
                on_window(ts.size)
    network, cache, unigram = ({name: np.concatenate([part[k][name] for part in found]) for name in found[0][k]}
                               for k in range(3))
    return _Probs(network, cache, unigram, reader.thetas or [], reader.decays)


class _Reader:
    """Reads windows, and remembers as many words as the largest memory has."""

    def __init__(self, model, tried):
        self.model, self.tried, self.workers = model, tried, workers_of(model)
        self.temperatures = sorted({1.0, *tried.temperatures})
        self.cache = Cache(model, max(tried.sizes)) if tried.sizes else None
        self.unigrams = UnigramCache(model, max(tried.unigram_sizes)) if tried.unigram_sizes else None
        self.thetas = None if tried.theta is None else [tried.theta]
        self.decays = DECAYS if tried.decay is None else [tried.decay]

    def read(self, xs, ts):
        """The probabilities of a window's targets, three dicts as _Probs has them."""
        network, states = self._network(xs, ts)
        if self.thetas is None and self.cache:
            self.thetas = _thetas(states)
        cache = {}
        if self.cache:
            (words, keys), = self.cache.remember(xs, ts, states[np.newaxis])
            for size in self.tried.sizes:
                last = size + len(states)
                probs = target_probs(states, keys[-last:], words[-last:], ts[0], self.thetas, self.workers, self.decays)
                cache |= {(size, theta, decay): row for (theta, decay), row in zip(
                    product(self.thetas, self.decays), probs.reshape(-1, ts.size), strict=True)}
        return network, cache, self._unigrams(xs, ts)

    def _network(self, xs, ts):
        """({temperature: probabilities (T,)}, states (T, H))."""
        if self.temperatures == [1.0]:
            found = inner_scores(self.model, xs, ts, bool(self.cache))
            return {1.0: np.exp(found.log_probs.astype(np.float64))}, found.states
        found, states = {temperature: [] for temperature in self.temperatures}, []
        for start in range(0, xs.shape[1], STEPS):
            here = np.s_[:, start : start + STEPS]
            scores, some = scores_and_states(self.model, xs[here], ts[here], bool(self.cache))
            states.append(some[0].copy() if self.cache else None)
            for temperature, probs in found.items():
                probs.append(_tempered_probs(scores[0], ts[here][0], temperature))
        return ({name: np.concatenate(probs) for name, probs in found.items()},
                np.concatenate(states) if self.cache else None)

    def _unigrams(self, xs, ts):
        if not self.unigrams:
            return {}
        (words, _), = self.unigrams.remember(xs, ts, None)
        return {size: target_probs(None, None, words[-(size + ts.size):], ts[0], [0.0], self.workers)[0, 0]
                for size in self.tried.unigram_sizes}


def _tempered_probs(scores, ts, temperature):  # (T, V), ids (T,) -> (T,)
    """The probabilities of targets at a temperature."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    shifted /= shifted.dtype.type(temperature)
    of_targets = shifted[np.arange(len(ts)), ts].astype(np.float64)
    return np.exp(of_targets - np.log(np.exp(shifted, out=shifted).sum(axis=1)))


def _thetas(states):
    """Thetas of two digits for states (T, H) of these norms."""
    square = float(np.square(states, dtype=np.float64).sum(axis=1).mean()) or 1.0
    return sorted({float(f"{multiple / square:.2g}") for multiple in THETAS})
