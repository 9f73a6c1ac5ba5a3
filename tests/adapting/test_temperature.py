import copy

import numpy as np
import pytest

from rnnlm.adapting.cache import Cache
from rnnlm.adapting.temperature import Tempered
from rnnlm.errors import ArgumentError
from rnnlm.models import LanguageModel
from rnnlm.scoring.evaluation import token_log_probs
from rnnlm.scoring.words import sequence_scores

V = 40
MODELS = [{}, {"plain": True}, {"softmax": "adaptive", "cutoffs": [10, 20]}, {"cell": "lstm", "tied": True,
                                                                                 "projection": True}]
models = pytest.mark.parametrize("options", MODELS, ids=["fast", "plain", "adaptive", "tied"])


def a_model(rng, **options):
    model = LanguageModel(V, 5, 6, rng=rng, **options)
    for param in model.params:
        param += 0.7 * rng.standard_normal(param.shape).astype(np.float32)
    return model


def tempered_by_hand(model, xs, temperature):
    """ln p of every word, from the probabilities raised to 1 / T: (N, T, V)."""
    with model.fresh_state():
        scores = np.array(model.predict(xs), np.float64)
    powers = (np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)) ** (1 / temperature)
    return np.log(powers / powers.sum(axis=-1, keepdims=True))


@models
@pytest.mark.parametrize("temperature", [0.5, 1, 1.7])
def test_probabilities_are_powers(options, temperature, rng):
    model, xs, ts = a_model(rng, **options), rng.integers(0, V, (3, 8)), rng.integers(0, V, (3, 8))
    tempered, wanted = Tempered(model, temperature), rng.random((3, 8)) < 0.7
    expected = tempered_by_hand(model, xs, temperature)
    of_targets = np.take_along_axis(expected, ts[..., np.newaxis], -1)[..., 0]
    with tempered.fresh_state():
        np.testing.assert_allclose(tempered.log_probs(xs, ts), of_targets, atol=1e-5)
    with tempered.fresh_state():
        found = tempered.word_scores(xs, ts, wanted, True, 3, with_states=True)
    np.testing.assert_allclose(found.log_probs, of_targets[wanted], atol=1e-5)
    np.testing.assert_allclose(found.entropies, -(np.exp(expected) * expected).sum(axis=-1)[wanted], atol=1e-5)
    np.testing.assert_allclose(found.top_log_probs, -np.sort(-expected, axis=-1)[wanted][:, :3], atol=1e-5)
    with tempered.fresh_state():
        np.testing.assert_array_equal(found.states, np.array(tempered.states(xs))[wanted])
    with tempered.fresh_state():
        scores = np.exp(np.array(tempered.predict(xs), np.float64))
    np.testing.assert_allclose(np.log(scores / scores.sum(axis=-1, keepdims=True)), expected, atol=1e-5)


def test_temperature_1_is_the_network(rng):
    model, ids = a_model(rng), rng.integers(0, V, 30)
    np.testing.assert_array_equal(token_log_probs(Tempered(model, 1), ids, 0), token_log_probs(model, ids, 0))


@models
def test_sequences_are_read_side_by_side(options, rng):
    tempered, lengths = Tempered(a_model(rng, **options), 1.3), np.array([3, 5, 0, 3])
    ids = np.array([4, 5, 6, 4, 5, 1, 2, 3, 4, 5, 7])
    found = sequence_scores(tempered, ids, lengths, 0, details=True)
    alone = [token_log_probs(tempered, part, 0) for part in np.split(ids, np.cumsum(lengths)[:-1])]
    np.testing.assert_allclose(found.log_probs, np.concatenate(alone), atol=1e-5)


@models
def test_a_cache_around_it_mixes_its_probabilities(options, rng):
    model, ids = a_model(rng, **options), rng.integers(0, V, 30)
    tempered = Tempered(model, 1.4)
    cache = Cache(tempered, 10, 0.2, 0.3)
    first = token_log_probs(cache, ids, 0)
    assert first[0] == token_log_probs(tempered, ids, 0)[0]  # nothing is remembered yet
    with cache.fresh_state():
        whole = np.exp(cache.predict([[0, *ids[:-1]]])[0])
    np.testing.assert_allclose(whole.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(np.log(whole[np.arange(30), ids]), first, atol=1e-5)


def test_a_tempered_cache_is_a_predictor_that_adapts(rng):
    """The powers of what a cache gives, as if that were a network."""
    cache, ids = Cache(a_model(rng), 10, 0.2, 0.3), rng.integers(0, V, 30)
    tempered = Tempered(cache, 1.5)
    assert tempered.adapts and not Tempered(cache.model, 1.5).adapts
    by_hand = tempered_by_hand(cache, [[0, *ids[:-1]]], 1.5)[0, np.arange(30), ids]
    np.testing.assert_allclose(token_log_probs(tempered, ids, 0), by_hand, atol=1e-5)
    np.testing.assert_allclose(token_log_probs(tempered, ids, 0, 7), by_hand, atol=1e-5)


@models
def test_its_state_is_the_networks(options, rng):
    model, ids = a_model(rng, **options), rng.integers(0, V, (1, 30))
    tempered = Tempered(model, 1.4)
    tempered.log_probs(ids[:, :9], ids[:, :9])
    states, other = tempered.get_state(), copy.deepcopy(tempered)
    following = tempered.log_probs(ids, ids)
    np.testing.assert_allclose(other.log_probs(ids, ids), following, atol=1e-6)
    tempered.set_state(states)
    np.testing.assert_allclose(tempered.log_probs(ids, ids), following, atol=1e-6)
    tempered.forget()
    by_hand = np.take_along_axis(tempered_by_hand(model, ids, 1.4), ids[..., np.newaxis], -1)[..., 0]
    np.testing.assert_allclose(tempered.log_probs(ids, ids), by_hand, atol=1e-5)


@pytest.mark.parametrize("temperature", [0, -1, float("inf"), "1", True])
def test_a_temperature_is_above_0(temperature, rng):
    with pytest.raises(ArgumentError, match=r"temperature must be a (finite )?number above 0"):
        Tempered(a_model(rng), temperature)
