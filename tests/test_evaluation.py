import math

import numpy as np
import pytest

from rnnlm.corpus import EncodedText
from rnnlm.evaluation import Evaluation, evaluate, perplexity, token_log_probs
from rnnlm.models import LanguageModel, Regularisation


@pytest.fixture
def model(rng):
    model = LanguageModel(12, 5, 6, layers=2, regularisation=Regularisation(dropout=0.5), rng=rng)
    for param in model.params:  # away from the near-uniform start
        param += 0.5 * rng.standard_normal(param.shape).astype(np.float32)
    return model


def test_the_result_does_not_depend_on_the_window(model, rng):
    ids = rng.integers(0, 12, 301).astype(np.int32)
    whole = token_log_probs(model, ids, 0, window=301)
    for window in (1, 2, 7, 100, 1000):
        np.testing.assert_allclose(token_log_probs(model, ids, 0, window).sum(), whole.sum(), rtol=1e-6)


def test_every_target_counts_and_eos_opens_the_text(model):
    """Against a word-by-word pass written with nothing but the arrays."""
    ids = np.array([3, 0, 7, 7], dtype=np.int32)
    p = {name: array.astype(np.float64) for name, array in model.named_params().items()}
    h1, h2, expected = np.zeros(6), np.zeros(6), []
    for previous, target in zip([0, 3, 0, 7], ids, strict=True):
        h1 = np.tanh(p["embedding/W"][previous] @ p["rnn1/Wx"] + h1 @ p["rnn1/Wh"] + p["rnn1/b"])
        h2 = np.tanh(h1 @ p["rnn2/Wx"] + h2 @ p["rnn2/Wh"] + p["rnn2/b"])
        scores = h2 @ p["affine/W"] + p["affine/b"]
        expected.append(scores[target] - np.log(np.exp(scores).sum()))
    np.testing.assert_allclose(token_log_probs(model, ids, 0), expected, rtol=1e-5)


def test_a_tied_multiplicative_rnn_is_scored_as_its_arrays_say(rng):
    model = LanguageModel(12, 5, 6, cell="mrnn", tied=True, rng=rng)
    for param in model.params:
        param += 0.5 * rng.standard_normal(param.shape).astype(np.float32)
    ids, h, expected = np.array([3, 0, 7, 7], dtype=np.int32), np.zeros(6), []
    p = {name: array.astype(np.float64) for name, array in model.named_params().items()}
    for previous, target in zip([0, 3, 0, 7], ids, strict=True):
        a, m = np.split(p["embedding/W"][previous] @ p["mrnn1/Wx"] + p["mrnn1/b"], 2)
        h = np.tanh(a + (1 + m) * (h @ p["mrnn1/Wh"]))
        scores = p["embedding/W"] @ (h @ p["projection/W"] + p["projection/b"]) + p["affine/b"]
        expected.append(scores[target] - np.log(np.exp(scores).sum()))
    np.testing.assert_allclose(token_log_probs(model, ids, 0), expected, rtol=1e-5)


def test_the_training_state_and_dropout_are_untouched(model, rng):
    xs = rng.integers(0, 12, (3, 4))
    model.predict(xs)
    before = [h.copy() for (h,) in model.get_state()]
    masks = model.dropout_rng.bit_generator.state
    token_log_probs(model, xs[0].astype(np.int32), 0)
    for h, (after,) in zip(before, model.get_state(), strict=True):
        np.testing.assert_array_equal(h, after)
    assert model.dropout_rng.bit_generator.state == masks


def test_with_and_without_oov(model):
    text = EncodedText(np.array([1, 5, 2, 0]), np.array([False, True, False, False]), words=3, sentences=1, oov=1)
    result = evaluate(model, text, 0)
    log_probs = token_log_probs(model, text.ids, 0)
    assert (result.words, result.sentences, result.oov, result.targets) == (3, 1, 1, 4)
    assert result.perplexity == pytest.approx(math.exp(-log_probs.sum() / 4))
    assert result.perplexity_without_oov == pytest.approx(math.exp(-(log_probs.sum() - log_probs[1]) / 3))


def test_numbers_known_by_thought():
    coin = Evaluation(sentences=1, words=9, oov=0, targets=10, log_prob=10 * math.log(0.5))
    assert coin.perplexity == pytest.approx(2)
    assert coin.bits_per_token == pytest.approx(1)
    assert perplexity(1e6, 1) == math.inf
    assert perplexity(0, 0) == math.inf
