import copy
import math
import pickle

import numpy as np
import pytest

from rnnlm.adapting.cache import Cache
from rnnlm.adapting.caches import CacheSettings
from rnnlm.adapting.unigram_cache import UnigramCache
from rnnlm.errors import ArgumentError
from rnnlm.models import LanguageModel
from rnnlm.scoring.evaluation import token_log_probs
from rnnlm.scoring.generation import probs_after

V, EOS = 12, 0


def a_model(rng, **options):
    model = LanguageModel(V, 5, 6, rng=rng, **options)
    for param in model.params:  # away from the near-uniform start
        param += 0.7 * rng.standard_normal(param.shape).astype(np.float32)
    return model


def a_text(rng, n=60):
    return rng.integers(0, V, n)


class Alternating:
    """Knows two states, those of odd and even words; all four are equally likely."""

    def fresh_state(self):
        return LanguageModel(4, 1, 1, rng=None).fresh_state()

    def states(self, xs):
        return np.eye(2, dtype=np.float32)[np.asarray(xs) % 2]

    def predict(self, xs):
        return np.zeros((*np.shape(xs), 4), np.float32)

    def log_probs(self, xs, ts):
        return np.full(np.shape(xs), -math.log(4))

    def word_scores(self, xs, ts, *, with_states):
        from rnnlm.compute.word_scores import WordScores
        return WordScores(self.log_probs(xs, ts)[0], states=self.states(xs)[0])

    def scores_and_states(self, xs, ts=None, with_states=True):
        return self.predict(xs), self.states(xs)


def plain(model, ids, size, theta, weight, decay=0.0):
    """ln p of all words before each of a text's, one word at a time: (n, V)."""
    memory, rows = [], []
    with model.fresh_state():
        for x, t in zip([EOS, *ids[:-1]], ids, strict=True):
            scores = np.array(model.predict([[x]])[0, 0], np.float64)
            rows.append(np.exp(scores - scores.max()))
            rows[-1] /= rows[-1].sum()
            memory.append((None, t))
    with model.fresh_state():
        states = np.concatenate([model.states([[x]])[0].copy() for x in [EOS, *ids[:-1]]]).astype(np.float64)
    for t, row in enumerate(rows):
        first = max(0, t - size)
        likeness = np.exp([theta * states[t] @ states[i] - decay * (t - i) for i in range(first, t)])
        if t:
            row *= 1 - weight
            for i, share in zip(range(first, t), likeness / likeness.sum(), strict=True):
                row[ids[i]] += weight * share
    return np.log(rows)


CACHES = [lambda model: Cache(model, 7, 0.3, 0.25), lambda model: Cache(model, 200, 0.5, 0.25, 0.05),
          lambda model: Cache(model, 1, 0.3, 0.9), lambda model: UnigramCache(model, 7, 0.25),
          lambda model: Cache(UnigramCache(model, 5, 0.1), 9, 0.2, 0.3),
          lambda model: UnigramCache(Cache(model, 9, 0.2, 0.3), 5, 0.1)]
caches = pytest.mark.parametrize("make", CACHES, ids=["cache", "long", "one word", "unigram", "outside", "inside"])


def test_a_text_of_two_states_by_hand():
    """The text is 1 2 1 3 2: its states are a b a b b."""
    cache, e = Cache(Alternating(), 3, math.log(2), 0.5), 2  # exp(theta h . h') is 2 for equal states, otherwise 1
    with cache.fresh_state():
        found = np.exp(cache.log_probs([[0, 1, 2, 1, 3]], [[1, 2, 1, 3, 2]])[0])
    by_hand = [1 / 4,                       # nothing is remembered: the network's own
               1 / 8 + 0,                   # remembered: 1
               1 / 8 + e / (e + 1) / 2,     # 1 after a state like this one, 2
               1 / 8 + 0,                   # 1, 2, 1
               1 / 8 + e / (e + 1 + e) / 2]  # 2, 1, 3 after b, a, b: the first 1 is gone
    np.testing.assert_allclose(found, by_hand, rtol=1e-6)


def test_a_unigram_cache_by_hand():
    cache = UnigramCache(Alternating(), 3, 0.5)
    with cache.fresh_state():
        found = np.exp(cache.log_probs([[0, 1, 2, 1, 1]], [[1, 2, 1, 1, 3]])[0])
        following = np.exp(cache.predict([[3]])[0, 0])
    np.testing.assert_allclose(found, [1 / 4, 1 / 8, 1 / 8 + 1 / 4, 1 / 8 + 1 / 3, 1 / 8], rtol=1e-6)
    np.testing.assert_allclose(following, [1 / 8, 1 / 8 + 1 / 3, 1 / 8, 1 / 8 + 1 / 6], rtol=1e-6)


@pytest.mark.parametrize("cell, size, theta, decay", [
    ("rnn", 1, 0.5, 0), ("lstm", 10, 2, 0.05), ("gru", 1000, 0, 0), ("rnn", 30, 40, 0.1), ("rnn", 1000, 0.2, 0.02)])
def test_a_window_is_what_words_one_by_one_are(cell, size, theta, decay, rng, monkeypatch):
    monkeypatch.setattr("rnnlm.adapting.attention.BLOCK", 16)
    monkeypatch.setattr("rnnlm.adapting.remembering.BLOCK", 16)
    model, ids = a_model(rng, cell=cell, layers=2), a_text(rng)
    expected = plain(model, ids, size, theta, 0.3, decay)
    cache = Cache(model, size, theta, 0.3, decay)
    of_words = expected[np.arange(len(ids)), ids]
    np.testing.assert_allclose(token_log_probs(cache, ids, EOS), of_words, rtol=1e-5, atol=5e-5)
    with cache.fresh_state():
        found = cache.predict([[EOS, *ids[:-1]]])[0]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=5e-5)


@caches
def test_windows_do_not_matter(make, rng):
    cache, ids = make(a_model(rng)), a_text(rng)
    whole = token_log_probs(cache, ids, EOS)
    for window in (1, 3, 20):
        np.testing.assert_allclose(token_log_probs(cache, ids, EOS, window), whole, atol=1e-5)
    with cache.fresh_state():
        words = [cache.predict([[x]])[0, 0, t] for x, t in zip([EOS, *ids[:-1]], ids, strict=True)]
    np.testing.assert_allclose(words, whole, atol=1e-5)
    xs = np.array([[EOS, *ids[:-1]]])
    with cache.fresh_state():  # words that are read in each way there is
        mixed = [cache.log_probs(xs[:, :9], ids[np.newaxis, :9])[0],
                 np.take_along_axis(cache.predict(xs[:, 9:20]), ids[np.newaxis, 9:20, np.newaxis], -1)[0, :, 0]]
        cache.states(xs[:, 20:30])
        mixed += [[cache.predict_last(xs[:, 30:31])[0, ids[30]]],
                  cache.word_scores(xs[:, 31:], ids[np.newaxis, 31:], details=True).log_probs]
    np.testing.assert_allclose(np.concatenate(mixed), np.delete(whole, slice(20, 30)), atol=1e-5)


@caches
def test_the_probabilities_of_all_words_sum_to_1(make, rng):
    cache = make(a_model(rng, cell="lstm"))
    with cache.fresh_state():
        probs = np.exp(cache.predict(a_text(rng)[np.newaxis]))
    np.testing.assert_allclose(probs.sum(axis=2), 1, rtol=1e-5)


@caches
def test_details_are_those_of_the_whole_distribution(make, rng):
    cache, ids = make(a_model(rng)), a_text(rng)
    xs, ts, wanted = np.array([[EOS, *ids[:-1]]]), ids[np.newaxis], rng.random((1, len(ids))) < 0.7
    with cache.fresh_state():
        found = cache.word_scores(xs, ts, wanted, True, 3, with_states=True)
    with cache.fresh_state():
        logs = np.array(cache.predict(xs))[wanted].astype(np.float64)
    with cache.fresh_state():
        states = np.array(cache.states(xs))[wanted]
    np.testing.assert_allclose(found.log_probs, logs[np.arange(len(logs)), ts[wanted]], atol=1e-5)
    np.testing.assert_allclose(found.entropies, -(np.exp(logs) * logs).sum(axis=1), atol=1e-5)
    np.testing.assert_array_equal(found.states, states)
    np.testing.assert_allclose(found.top_log_probs, -np.sort(-logs, axis=1)[:, :3], atol=1e-5)
    assert (found.ranks == 1 + (logs > logs[np.arange(len(logs)), ts[wanted], np.newaxis]).sum(axis=1)).all()
    with cache.fresh_state():
        alone = cache.word_scores(xs, ts, wanted, with_states=True)
    np.testing.assert_allclose(alone.log_probs, found.log_probs, atol=1e-5)
    np.testing.assert_array_equal(alone.states, states)


@pytest.mark.parametrize("make", [lambda model: Cache(model, 5, 0.3, 0), lambda model: UnigramCache(model, 5, 0)])
def test_without_weight_it_is_the_network(make, rng):
    model, ids = a_model(rng), a_text(rng)
    np.testing.assert_array_equal(token_log_probs(make(model), ids, EOS), token_log_probs(model, ids, EOS))


def test_theta_0_is_a_unigram_cache(rng):
    model, ids = a_model(rng), a_text(rng)
    found = token_log_probs(Cache(model, 9, 0, 0.2), ids, EOS)
    np.testing.assert_allclose(found, token_log_probs(UnigramCache(model, 9, 0.2), ids, EOS), atol=1e-6)


@caches
def test_forgetting_keeps_the_words(make, rng):
    """As two texts, with one memory: the second's states are those it has alone."""
    model, first, second = a_model(rng), a_text(rng, 9), a_text(rng, 9)
    cache = make(model)
    with cache.fresh_state():
        cache.log_probs([[EOS, *first[:-1]]], first[np.newaxis])
        cache.forget()
        kept = cache.word_scores(np.array([[EOS, *second[:-1]]]), second[np.newaxis], with_states=True)
    with model.fresh_state():
        np.testing.assert_allclose(kept.states, model.states([[EOS, *second[:-1]]])[0], atol=1e-6)
    assert abs(kept.log_probs - token_log_probs(cache, second, EOS)).max() > 1e-3


def test_a_word_that_never_came_is_not_remembered(rng):
    cache = UnigramCache(a_model(rng), 3, 0.5)
    with cache.fresh_state():
        cache.predict([[EOS, 4]])
        assert cache.memory[0].tolist() == [[-1, 4, -2]]  # the word after 4 is not known yet
        cache.forget()
        cache.predict([[EOS, 5]])
        assert cache.memory[0].tolist() == [[-1, 5, -2]]


@caches
def test_a_fresh_state_gives_all_back(make, rng):
    model, ids = a_model(rng), a_text(rng)
    cache, xs = make(model), np.array([[EOS, *ids[:-1]]])
    cache.log_probs(xs[:, :20], ids[np.newaxis, :20])
    following = copy.deepcopy(cache).log_probs(xs[:, 20:], ids[np.newaxis, 20:])
    with pytest.raises(KeyError), cache.fresh_state():
        found = cache.log_probs(xs, ids[np.newaxis])[0]
        np.testing.assert_allclose(found, token_log_probs(make(model), ids, EOS), atol=1e-6)
        raise KeyError
    np.testing.assert_array_equal(cache.log_probs(xs[:, 20:], ids[np.newaxis, 20:]), following)


@caches
def test_states_go_from_one_to_another(make, rng):
    model, ids = a_model(rng), a_text(rng)
    cache, xs = make(model), np.array([[EOS, *ids[:-1]]])
    fresh = cache.get_state()
    with cache.fresh_state():
        cache.log_probs(xs[:, :20], ids[np.newaxis, :20])
        states = cache.get_state()
        following = cache.log_probs(xs[:, 20:], ids[np.newaxis, 20:])
    with cache.fresh_state():
        cache.set_state(states)
        np.testing.assert_array_equal(cache.log_probs(xs[:, 20:], ids[np.newaxis, 20:]), following)
        cache.set_state(fresh)
        np.testing.assert_allclose(cache.log_probs(xs, ids[np.newaxis])[0], token_log_probs(cache, ids, EOS), atol=1e-6)


@caches
def test_copies_share_nothing(make, rng):
    ids = a_text(rng)
    cache, xs = make(a_model(rng)), np.array([[EOS, *ids[:-1]]])
    cache.log_probs(xs[:, :20], ids[np.newaxis, :20])
    others = [copy.deepcopy(cache), pickle.loads(pickle.dumps(cache))]
    following = cache.log_probs(xs[:, 20:], ids[np.newaxis, 20:])
    for other in others:
        np.testing.assert_allclose(other.log_probs(xs[:, 20:], ids[np.newaxis, 20:]), following, atol=1e-6)


@caches
def test_texts_side_by_side_have_a_memory_each(make, rng):
    cache, texts = make(a_model(rng)), rng.integers(0, V, (3, 9))
    alone = [probs_after(cache, [EOS, *text]) for text in texts]
    with cache.fresh_state():
        first = cache.predict_last(np.array([[EOS]]))
        assert first.shape == (1, V)
        cache.set_state([tuple(np.repeat(a, 3, axis=0) for a in layer) for layer in cache.get_state()])
        together = np.exp([cache.predict_last(xs) for xs in (texts[:, :4], texts[:, 4:])][1])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_as_many_texts_as_were_read_before():
    cache = UnigramCache(Alternating())
    cache.predict([[1], [2]])
    with pytest.raises(ArgumentError, match="as many texts as were read before, 2, got 1"):
        cache.predict([[1]])


@pytest.mark.parametrize("make, message", [
    (lambda model: Cache(model, 0), "size must be a whole number of at least 1, got 0"),
    (lambda model: Cache(model, 1.5), "size must be a whole number"),
    (lambda model: Cache(model, theta=-1), "theta must be a number of at least 0, got -1"),
    (lambda model: Cache(model, theta=math.nan), "theta must be a finite number"),
    (lambda model: Cache(model, decay=0.2), "decay must be a number from 0 to 0.1, got 0.2"),
    (lambda model: Cache(model, decay=-0.1), "decay must be a number from 0 to 0.1, got -0.1"),
    (lambda model: Cache(model, weight=1), "weight must be a number of at least 0 and below 1, got 1"),
    (lambda model: UnigramCache(model, weight=-0.1), "weight must be a number of at least 0 and below 1, got -0.1"),
    (lambda model: UnigramCache(model, size=True), "size must be a whole number"),
    (lambda model: Cache("model.npz"), "model must be a LanguageModel, got 'model.npz'"),
    (lambda model: Cache(Cache(model)).set_state(UnigramCache(model).get_state()), "for each of the 1 recurrent"),
    (lambda model: Cache(model).log_probs([[1], [2]], [[1], [2]]), "one text at a time"),
    (lambda model: UnigramCache(model).log_probs([[1], [2]], [[1], [2]]), "one text at a time"),
    (lambda model: Cache(model).log_probs([[1]], [[1, 2]]), "ts must have the shape of xs")])
def test_what_cannot_be_is_refused(make, message, rng):
    with pytest.raises(ArgumentError, match=message):
        make(a_model(rng))


@pytest.mark.parametrize("cache", [Cache, UnigramCache])
def test_a_weight_that_follows_the_text(cache, rng):
    """The first word has no memory; the others have what those before left."""
    model, ids = a_model(rng), a_text(rng, 30)
    of_memory, of_network = (token_log_probs(part, ids, EOS) for part in (cache(model, 9, weight=1 - 1e-12), model))
    following, mean, expected = cache(model, 9, weight=0.25, follow=4), 0.25, [of_network[0]]
    for network, memory in np.exp([of_network, of_memory]).T[1:]:
        weight = 0.2 * 0.25 + 0.8 * mean
        p = (1 - weight) * network + weight * memory
        mean += (weight * memory / p - mean) / 4
        expected.append(math.log(p))
    for window in (30, 7):
        np.testing.assert_allclose(token_log_probs(following, ids, EOS, window=window), expected, rtol=1e-4)
    assert not following.can_be_set
    with pytest.raises(ArgumentError, match="weights that stay"):
        following.predict([[0]])


def test_the_weights_of_both_caches_follow(rng):
    both = CacheSettings(size=3, unigram_size=4, follow=7).around(a_model(rng))
    assert (both.following.words, both.model.following.words) == (7, 7)
