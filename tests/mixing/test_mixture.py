"""Mixtures: known answers, one distribution, the same whatever windows they read."""

import copy
import math

import numpy as np
import pytest
from mixing_models import Fixed, a_bigram_model, a_network

from rnnlm.compute.functions import softmax
from rnnlm.errors import ArgumentError
from rnnlm.mixing.mixture import KINDS, Mixture
from rnnlm.scoring.evaluation import token_log_probs
from rnnlm.scoring.generation import generate, last_scores
from rnnlm.scoring.words import sequence_scores, stream_scores

WORDS = ["<eos>", *"abcdefghijk"]


def a_mixture(kind="linear", weights=(0.5, 0.3, 0.2)):
    return Mixture([a_network(0), a_network(1, cell="lstm", layers=2), a_bigram_model(WORDS)[0]], weights, kind)


def plain(mixture, ids):
    """(n, V) probabilities by the definition, word by word in 64 bits."""
    rows = []
    for part in mixture.parts:
        with part.fresh_state():
            rows.append([softmax(np.array(part.predict([[word]])[0, 0], np.float64)) for word in [0, *ids[:-1]]])
    weights = mixture.weights[:, np.newaxis, np.newaxis]
    if mixture.kind == "linear":
        return np.sum(weights * np.array(rows), axis=0)
    products = np.prod(np.array(rows) ** weights, axis=0)
    return products / products.sum(axis=1, keepdims=True)


def test_a_linear_mixture_by_hand():
    mixture = Mixture([Fixed([0.5, 0.25, 0.25]), Fixed([0.1, 0.1, 0.8])], [0.75, 0.25])
    assert np.exp(mixture.predict(np.array([[0]]))[0, 0]) == pytest.approx([0.4, 0.2125, 0.3875])
    assert np.exp(mixture.log_probs(np.array([[0, 0]]), np.array([[2, 0]])))[0] == pytest.approx([0.3875, 0.4])


def test_a_log_linear_mixture_by_hand():
    """(0.5, 0.25, 0.25) (0.1, 0.1, 0.8)^2 = (0.005, 0.0025, 0.16); sum 0.1675."""
    mixture = Mixture([Fixed([0.5, 0.25, 0.25]), Fixed([0.1, 0.1, 0.8])], [1, 2], "log-linear")
    probs = np.array([0.005, 0.0025, 0.16]) / 0.1675
    assert np.exp(mixture.predict(np.array([[0]]))[0, 0]) == pytest.approx(probs)
    assert np.exp(mixture.log_probs(np.array([[0, 0]]), np.array([[2, 0]])))[0] == pytest.approx(probs[[2, 0]])


@pytest.mark.parametrize("kind", KINDS)
def test_against_the_definition_word_by_word(kind, rng):
    mixture, ids = a_mixture(kind), rng.integers(0, 12, 30)
    probs = plain(mixture, ids)
    np.testing.assert_allclose(np.exp(token_log_probs(mixture, ids, 0, window=7)), probs[np.arange(30), ids], rtol=1e-4)
    with mixture.fresh_state():
        found = np.exp(mixture.predict(np.concatenate([[0], ids[:-1]])[np.newaxis]))[0]
    np.testing.assert_allclose(found, probs, rtol=1e-4)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
    with mixture.fresh_state():
        (_, scores), = stream_scores(mixture, ids, 0, details=True, top=3)
    np.testing.assert_allclose(np.exp(scores.log_probs), probs[np.arange(30), ids], rtol=1e-4)
    np.testing.assert_allclose(scores.entropies, -(probs * np.log(probs)).sum(axis=1), rtol=1e-4)
    assert scores.ranks.tolist() == [1 + sum(row > row[i]) for row, i in zip(probs, ids, strict=True)]
    assert scores.top.tolist() == np.argsort(-probs, axis=1)[:, :3].tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_a_mixture_of_one_is_that_one(kind, rng):
    ids, network = rng.integers(0, 12, 20), a_network(3)
    np.testing.assert_allclose(token_log_probs(Mixture([network], [1], kind), ids, 0),
                               token_log_probs(network, ids, 0), atol=1e-6)
    alone = Mixture([network, a_network(4)], [1, 0], kind)
    np.testing.assert_allclose(token_log_probs(alone, ids, 0), token_log_probs(network, ids, 0), atol=1e-6)


def test_equal_parts_change_nothing(rng):
    ids, network = rng.integers(0, 12, 20), a_network(3)
    mixture = Mixture([network, a_network(3)], [0.3, 0.7])
    np.testing.assert_allclose(token_log_probs(mixture, ids, 0), token_log_probs(network, ids, 0), atol=1e-6)


def test_a_word_without_probability_under_one_part():
    """A linear mixture still has it, a log-linear one does not."""
    with np.errstate(divide="ignore"):
        parts = [Fixed([0.5, 0.5, 0]), Fixed([0.25, 0.25, 0.5])]
    xs = np.array([[0]])
    assert np.exp(Mixture(parts, [0.5, 0.5]).predict(xs))[0, 0] == pytest.approx([0.375, 0.375, 0.25])
    assert np.exp(Mixture(parts, [1, 1], "log-linear").predict(xs))[0, 0] == pytest.approx([0.5, 0.5, 0])
    assert np.exp(Mixture(parts, [0, 1], "log-linear").predict(xs))[0, 0] == pytest.approx([0.25, 0.25, 0.5])
    assert Mixture(parts, [1, 0]).log_probs(xs, np.array([[2]]))[0, 0] == -math.inf


@pytest.mark.parametrize("kind", KINDS)
def test_a_target_that_32_bits_cannot_hold_keeps_its_log_prob(kind):
    parts = [Fixed([1, 1e-60]), Fixed([1, 1e-50])]
    for part in parts:
        part.scores = part.scores.astype(np.float32)
    scores = Mixture(parts, [0.5, 0.5], kind).word_scores(np.array([[0, 0]]), np.array([[0, 1]]), details=True)
    expected = [0, math.log(5e-51) if kind == "linear" else math.log(1e-55)]
    assert scores.log_probs == pytest.approx(expected, abs=1e-4)
    assert scores.entropies == pytest.approx([0, 0], abs=1e-12)
    assert scores.ranks.tolist() == [1, 2]


@pytest.mark.parametrize("kind", KINDS)
def test_sequences_side_by_side_score_what_they_score_alone(kind, rng, monkeypatch):
    """With groups of streams, too: 40 numbers are those of three streams."""
    mixture, lengths = a_mixture(kind), np.array([3, 0, 1, 9, 3, 12, 2, 2])
    ids = rng.integers(0, 12, lengths.sum())
    alone = np.concatenate([token_log_probs(mixture, part, 0) for part in np.split(ids, np.cumsum(lengths)[:-1])])
    for cells in (40, 1 << 20):
        monkeypatch.setattr("rnnlm.mixing.combined.CELLS", cells)
        for details in (False, True):
            found = sequence_scores(mixture, ids, lengths, 0, details=details)
            np.testing.assert_allclose(found.log_probs, alone, atol=1e-5)


def test_groups_of_streams_leave_the_states_of_all(rng, monkeypatch):
    xs, ts = rng.integers(0, 12, (2, 7, 5))
    first, second = a_mixture(), a_mixture()
    whole = first.word_scores(xs, ts, details=True)
    monkeypatch.setattr("rnnlm.mixing.combined.CELLS", 30)
    parts = second.word_scores(xs, ts, details=True)
    for name, array in whole.arrays().items():
        np.testing.assert_allclose(parts.arrays()[name], array, atol=1e-5)
    for one, other in zip(first.get_state(), second.get_state(), strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


def test_the_states_are_those_of_the_parts_and_can_be_set_back(rng):
    mixture, xs = a_mixture(), rng.integers(0, 12, (2, 4))
    assert [len(layer) for layer in mixture.get_state()] == [1, 2, 2, 1]
    mixture.predict(xs)
    states, after = copy.deepcopy(mixture.get_state()), mixture.predict(xs).copy()
    mixture.set_state(states)
    np.testing.assert_array_equal(mixture.predict(xs), after)
    with mixture.fresh_state():
        assert all(array is None for layer in mixture.get_state() for array in layer)
        mixture.predict(xs)
    mixture.forget()
    assert all(array is None for layer in mixture.get_state() for array in layer)
    with pytest.raises(ArgumentError, match="states must hold one value for each of the 4 layers of all parts"):
        mixture.set_state(states[:3])


def test_parts_that_adapt_keep_what_they_adapted():
    class Adapting(Fixed):
        adapts = True
        forgotten = 0

        def forget(self):
            self.forgotten += 1

    part = Adapting([0.5, 0.5])
    mixture = Mixture([part, Fixed([0.5, 0.5])], [0.5, 0.5])
    assert mixture.adapts
    assert not a_mixture().adapts
    mixture.predict(np.array([[0, 1]]))
    part.static = Fixed([0.9, 0.1])
    assert mixture.static.parts == [part.static, mixture.parts[1]]
    assert not mixture.static.adapts
    mixture.forget()
    assert (part.forgotten, part.steps, mixture.parts[1].steps) == (1, 2, 0)


def test_a_part_without_states_is_named():
    class Learning:
        adapts, vocab_size = True, 12
        fresh_state = predict = log_probs = None

    with pytest.raises(ArgumentError, match="a Learning learns from one stream in order, so it cannot be set to a"):
        Mixture([a_network(0), Learning()], [0.5, 0.5]).get_state()


@pytest.mark.parametrize("kind", KINDS)
def test_words_are_drawn_from_a_mixture(kind):
    mixture = a_mixture(kind)
    drawn = generate(mixture, [0, 3], rng=np.random.default_rng(0), temperature=0)
    ids = [next(drawn) for _ in range(10)]
    drawn.close()
    text = [0, 3]
    for i in ids:
        with mixture.fresh_state():
            assert last_scores(mixture, np.array([text]))[0].argmax() == i
        text.append(i)


def test_a_mixture_of_mixtures(rng):
    ids = rng.integers(0, 12, 20)
    a, b, c = a_network(0), a_network(1), a_network(2)
    nested = Mixture([Mixture([a, b], [0.5, 0.5]), c], [0.6, 0.4])
    np.testing.assert_allclose(token_log_probs(nested, ids, 0),
                               token_log_probs(Mixture([a, b, c], [0.3, 0.3, 0.4]), ids, 0), atol=1e-6)


def test_it_has_no_states_to_show():
    with pytest.raises(ArgumentError, match="several models together have no hidden states"):
        a_mixture().word_scores(np.array([[0]]), np.array([[1]]), with_states=True)


@pytest.mark.parametrize(("predictors", "options", "message"), [
    ([a_network(0), a_network(0, words=13)], {}, "must have one vocabulary, theirs have 12, 13 words"),
    ([], {"weights": []}, "weights"),
    ("ab", {}, "predictors must be a list of predictors"),
    ([a_network(0), 3], {}, "a predictor must be a LanguageModel"),
    ([a_network(0)], {"weights": [1], "kind": "mean"}, "kind must be one of linear, log-linear, got 'mean'"),
])
def test_what_cannot_be_mixed_is_refused(predictors, options, message):
    with pytest.raises(ArgumentError, match=message):
        Mixture(predictors, **{"weights": [0.5, 0.5], **options})


def test_other_vocabularies_are_refused():
    one, other = a_network(0), a_network(1)
    one.vocabulary_fingerprint, other.vocabulary_fingerprint = "a", "b"
    with pytest.raises(ArgumentError, match="predictors must have one vocabulary, theirs have other words"):
        Mixture([one, other], [0.5, 0.5])
    other.vocabulary_fingerprint = None
    assert Mixture([one, other], [0.5, 0.5]).vocabulary_fingerprint == "a"


def followed(rows, weights, words):
    """ln p of words under weights that follow, by the definition, word by word."""
    means, found = np.array(weights), []
    for probs in np.exp(rows).T:
        shares = (0.2 * np.array(weights) + 0.8 * means) * probs
        found.append(np.log(shares.sum()))
        means = means + (shares / shares.sum() - means) / words
    return found


def test_weights_follow_the_text_whatever_windows_are_read(rng):
    still, ids = a_mixture(), rng.integers(0, 12, 40)
    mixture = Mixture(still.parts, still.weights, follow=6)
    assert mixture.adapts and not mixture.can_be_set
    plainly = followed(np.array([token_log_probs(part, ids, 0) for part in still.parts]), still.weights, 6)
    for window in (40, 7):
        np.testing.assert_allclose(token_log_probs(mixture, ids, 0, window=window), plainly, rtol=1e-6)
    assert np.abs(plainly - token_log_probs(still, ids, 0)).max() > 0.01
    np.testing.assert_array_equal(mixture.weights, still.weights)
    wanted = rng.random(40) < 0.5
    with mixture.fresh_state():
        some = mixture.word_scores(np.array([[0, *ids[:-1]]]), ids[np.newaxis], wanted[np.newaxis])
    np.testing.assert_allclose(some.log_probs, np.array(plainly)[wanted], rtol=1e-6)


@pytest.mark.parametrize(("asked", "message"), [
    (lambda mixture: mixture.predict(np.array([[0]])), "weights that stay"),
    (lambda mixture: mixture.word_scores(np.array([[0]]), np.array([[1]]), details=True), "weights that stay"),
    (lambda mixture: mixture.log_probs(np.array([[0], [1]]), np.array([[1], [2]])), "one text at a time"),
    (lambda mixture: Mixture(mixture.parts, mixture.weights, "log-linear", follow=6), "follow is for linear weights")])
def test_what_weights_that_follow_cannot_give(asked, message):
    with pytest.raises(ArgumentError, match=message):
        asked(Mixture([Fixed([0.5, 0.25, 0.25]), Fixed([0.1, 0.1, 0.8])], [0.75, 0.25], follow=6))
