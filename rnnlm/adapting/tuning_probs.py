"""A text read once, for the tuning of caches and temperature.

Of each word its probability is kept at each temperature, and its probability in the
memory at each size, theta and decay.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.adapting.around import STEPS, scores_and_states
from rnnlm.adapting.attention import target_probs
from rnnlm.adapting.cache import Cache
from rnnlm.adapting.remembering import inner_scores
from rnnlm.adapting.unigram_cache import UnigramCache
from rnnlm.compute.default_workers import workers_of

if TYPE_CHECKING:
    from collections.abc import Sequence

THETAS = (1, 2, 4, 6, 8, 10, 12, 15, 20, 30)  # over the mean squared norm of the states
DECAYS = (0.0, 0.0005, 0.001, 0.002, 0.004)
WINDOW = 1024


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
class Probs:
    """The probabilities of all words of a text: of the network, and in the memories.

    Attributes
    ----------
    network : {temperature: (n,)}.
    cache : {(size, theta, decay): (n,)}; nan where the memory is empty.
    unigram : {size: (n,)}, the same.
    thetas, decays : of the cache.
    """

    network: dict[float, np.ndarray]
    cache: dict[tuple[int, float, float], np.ndarray]
    unigram: dict[int, np.ndarray]
    thetas: Sequence[float]
    decays: Sequence[float]


def read_probs(model, ids, eos_id, tried, on_window):
    """The Probs of a text, window by window; see ``rnnlm.adapting.tuning.tune``."""
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
    return Probs(network, cache, unigram, reader.thetas or [], reader.decays)


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
        """The probabilities of a window's targets, three dicts as Probs has them."""
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
