import math
from dataclasses import replace

import numpy as np
import pytest

from rnnlm.adapting.cache import Cache
from rnnlm.adapting.caches import CacheSettings
from rnnlm.adapting.temperature import Tempered
from rnnlm.adapting.tuning import SIZES, Tuning, tune
from rnnlm.adapting.tuning_probs import Tried
from rnnlm.adapting.unigram_cache import UnigramCache
from rnnlm.errors import ArgumentError, RnnlmError
from rnnlm.models import LanguageModel
from rnnlm.scoring.evaluation import token_log_probs

V, EOS = 12, 0


def a_model(rng, **options):
    model = LanguageModel(V, 5, 6, rng=rng, **options)
    for param in model.params:
        param += 0.7 * rng.standard_normal(param.shape).astype(np.float32)
    return model


def a_text(rng, n=300):
    """One in which words return: of each 50 words only three kinds occur."""
    return np.concatenate([rng.choice(rng.choice(V, 3, replace=False), 50) for _ in range(n // 50)])


def perplexity(model, ids):
    return math.exp(-token_log_probs(model, ids, EOS).mean(dtype=np.float64))


ALL = Tried((5, 30), None, None, None, (3, 20), None, (0.8, 1.0, 1.5, 2.0))


@pytest.mark.parametrize("options", [{}, {"softmax": "adaptive", "cutoffs": [4, 8]}], ids=["full", "adaptive"])
def test_every_row_is_what_the_predictor_scores(options, rng, monkeypatch):
    monkeypatch.setattr("rnnlm.adapting.tuning_probs.WINDOW", 70)
    monkeypatch.setattr("rnnlm.adapting.tuning_probs.STEPS", 32)
    model, ids = a_model(rng, **options), a_text(rng)
    found = tune(model, ids, EOS, ALL)
    assert found.tokens == 300
    assert found.alone == pytest.approx(perplexity(model, ids), rel=1e-5)
    for settings, value in found.rows[::7] + found.rows[-2:]:
        assert value == pytest.approx(perplexity(settings.around(model), ids), rel=1e-4)
    assert found.perplexity == min(value for settings, value in found.rows if settings.unigram_size)
    assert found.perplexity < 0.8 * found.alone
    assert found.best.temperature > 1  # the model knows nothing
    assert found.best in [settings for settings, _ in found.rows]


def test_no_weight_is_better_than_the_one_that_is_found(rng):
    model, ids = a_model(rng), a_text(rng)
    found = tune(model, ids, EOS, Tried((30,), 0.3, None, None, (10,), None))
    best = found.best
    for change in ({"weight": best.weight + 0.01}, {"weight": best.weight - 0.01},
                   {"unigram_weight": best.unigram_weight + 0.01}, {"unigram_weight": best.unigram_weight - 0.01}):
        if all(0 <= value < 1 for value in change.values()):
            assert perplexity(replace(best, **change).around(model), ids) > found.perplexity * (1 - 1e-6)


def test_what_is_given_stays(rng):
    model, ids = a_model(rng), a_text(rng)
    found = tune(model, ids, EOS, Tried((7, 9), 0.25, 0.125, 0.01, (4,), 0.0625, (1.25,)))
    assert {(s.theta, s.weight, s.decay, s.temperature) for s, _ in found.rows} == {(0.25, 0.125, 0.01, 1.25)}
    assert {s.unigram_size for s, _ in found.rows} == {None, 4}
    assert {s.unigram_weight for s, _ in found.rows if s.unigram_size} == {0.0625}
    assert found.best.unigram_size == 4  # whether it helps or not
    for settings, value in found.rows:
        assert value == pytest.approx(perplexity(settings.around(model), ids), rel=1e-4)


def test_the_temperature_alone(rng):
    model, ids = a_model(rng), a_text(rng)
    found = tune(model, ids, EOS, Tried(temperatures=(0.5, 1.0, 3.0)))
    assert [settings for settings, _ in found.rows] == [CacheSettings(temperature=t) for t in (1.0, 0.5, 3.0)]


@pytest.mark.parametrize(("temperatures", "edge"), [
    ((0.5, 1.0, 5.0), "largest"), ((1.0,), ""), ((5.0, 9.0), "smallest"), ((1.0, 5.0, 9.0), "")])
def test_a_best_temperature_at_the_edge_is_known(temperatures, edge):
    rows = [(CacheSettings(temperature=temperature), abs(temperature - 5.0)) for temperature in temperatures]
    assert Tuning(1, 9.0, rows).at_edge("temperature") == edge


def test_a_best_decay_or_theta_at_the_edge_is_known():
    rows = [(CacheSettings(5, theta, weight, decay), perplexity) for theta, weight, decay, perplexity in (
        (0.1, 0.2, 0.0, 9.0), (0.2, 0.2, 0.0, 8.0), (0.3, 0.2, 0.0, 7.0), (0.3, 0.2, 0.1, 8.0))]
    assert [Tuning(1, 9.0, rows).at_edge(name) for name in ("theta", "decay", "temperature")] == ["largest", "", ""]
    best = CacheSettings(5, 0.1, 0.2, 0.1), 6.0
    assert [Tuning(1, 9.0, [*rows, best]).at_edge(name) for name in ("theta", "decay")] == ["smallest", "largest"]
    useless = CacheSettings(5, 0.1, 0.0, 0.1), 6.0
    assert not Tuning(1, 9.0, [*rows, useless]).at_edge("theta")


def test_unigrams_alone_around_a_predictor_without_states(rng):
    class OnlyScores:
        """A LanguageModel of which nothing but probabilities is known."""

        def __init__(self, model):
            self.fresh_state, self.log_probs, self.predict = model.fresh_state, model.log_probs, model.predict

    model, ids = a_model(rng), a_text(rng)
    tried = Tried(unigram_sizes=(5, 50))
    assert tune(OnlyScores(model), ids, EOS, tried).rows == tune(model, ids, EOS, tried).rows


def test_a_text_in_which_nothing_returns_gets_no_cache(rng):
    ids = np.arange(12)
    found = tune(a_model(rng), ids, EOS, Tried((5,), None, None, None, (5,), None))
    assert found.best.weight < 1e-3
    assert found.perplexity == pytest.approx(found.alone, rel=1e-4)


def test_windows_are_told_and_can_end_it(rng, monkeypatch):
    monkeypatch.setattr("rnnlm.adapting.tuning_probs.WINDOW", 200)
    model, ids, told = a_model(rng), a_text(rng), []
    tune(model, ids, EOS, Tried((5,)), told.append)
    assert told == [200, 100]

    def stop(targets):
        raise KeyError

    with pytest.raises(KeyError):
        tune(model, ids, EOS, Tried((5,)), stop)
    assert model.get_state() == [(None,)]


def test_what_cannot_be_tuned(rng):
    model = a_model(rng)
    with pytest.raises(RnnlmError, match="at least one token, got none"):
        tune(model, [], EOS, Tried((5,)))
    with pytest.raises(ArgumentError, match="size must be a whole number"):
        tune(model, [1], EOS, Tried((0,)))
    model.params[-1][:] = np.nan
    with pytest.raises(RnnlmError, match="its scores are not finite"):
        tune(model, [1, 2], EOS, Tried((5,)))


def test_settings_are_built_from_the_inside(rng):
    model = a_model(rng)
    assert CacheSettings().around(model) is model
    whole = CacheSettings(7, 0.3, 0.2, 0.01, 9, 0.1, 1.5).around(model)
    assert (type(whole), whole.size, whole.weight) == (UnigramCache, 9, 0.1)
    cache = whole.model
    assert (type(cache), cache.size, cache.theta, cache.weight, cache.decay) == (Cache, 7, 0.3, 0.2, 0.01)
    assert type(cache.model) is Tempered and cache.model.temperature == 1.5 and cache.model.model is model
    assert list(SIZES) == sorted(SIZES)
