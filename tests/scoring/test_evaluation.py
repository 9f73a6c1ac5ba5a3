import math

import numpy as np
import pytest

from rnnlm.compute.functions import perplexity
from rnnlm.errors import RnnlmError
from rnnlm.formats.model_file import load_model, save_model
from rnnlm.models import LanguageModel, Regularisation
from rnnlm.scoring.evaluation import Evaluation, evaluate, token_log_probs
from rnnlm.text.corpus import EncodedText, read_text
from rnnlm.text.vocabulary import Vocabulary


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
    assert Evaluation(sentences=0, words=0, oov=0, targets=0, log_prob=0.0).bits_per_token == math.inf


WRITTEN = ["a", "zebra", "b", "\n", "zebra", "\n", "\n", "b", "yak", "\n"]


def read(tmp_path, vocabulary):
    (tmp_path / "text.txt").write_text("a zebra b\nzebra\n\nb yak\n", encoding="utf-8")
    return read_text(tmp_path / "text.txt", vocabulary)


def test_each_token_as_written_has_a_value_where_unknown_words_are_left_out(tmp_path, rng):
    """Against the model's reading of the ids that are left."""
    vocabulary = Vocabulary(["<eos>", "a", "b"])
    model = LanguageModel(3, 4, 5, rng=rng)
    text = read(tmp_path, vocabulary)
    values = token_log_probs(model, text, vocabulary.eos_id)
    known = [token in ("a", "b", "\n") for token in WRITTEN]
    assert np.isfinite(values).tolist() == known
    ids = vocabulary.encode([token for token in WRITTEN if token in ("a", "b", "\n")])
    np.testing.assert_array_equal(values[known], token_log_probs(model, ids, vocabulary.eos_id))
    assert evaluate(model, text, vocabulary.eos_id).log_prob == pytest.approx(np.nansum(values))


def test_each_token_as_written_has_a_value_where_unknown_words_are_unk(tmp_path, rng):
    vocabulary = Vocabulary(["<eos>", "a", "b", "<unk>"])
    model = LanguageModel(4, 4, 5, rng=rng)
    values = token_log_probs(model, read(tmp_path, vocabulary), vocabulary.eos_id)
    ids = vocabulary.encode([token if token in ("a", "b", "\n") else "<unk>" for token in WRITTEN])
    np.testing.assert_array_equal(values, token_log_probs(model, ids, vocabulary.eos_id))


def test_one_value_a_token_for_a_long_text_that_is_mapped_from_the_cache(tmp_path, monkeypatch, rng):
    monkeypatch.setenv("RNNLM_CACHE", str(tmp_path / "cache"))
    vocabulary, model = Vocabulary(["<eos>", "a", "b"]), LanguageModel(3, 4, 5, rng=rng)
    short = token_log_probs(model, read(tmp_path, vocabulary), 0)
    monkeypatch.setattr("rnnlm.text.numbered_cache.LONG", 1)
    np.testing.assert_array_equal(token_log_probs(model, read(tmp_path, vocabulary), 0), short)


def test_a_text_of_another_vocabulary_is_not_scored(tmp_path, rng):
    ours, others = Vocabulary(["<eos>", "a", "b"]), Vocabulary(["<eos>", "b", "a"])
    save_model(tmp_path / "m", LanguageModel(3, 4, 5, rng=rng), ours)
    model, vocabulary = load_model(tmp_path / "m")
    for score in (evaluate, token_log_probs):
        score(model, read(tmp_path, vocabulary), 0)
        score(model, read(tmp_path, Vocabulary(ours.words)), 0)
        with pytest.raises(RnnlmError, match=r"^text was encoded with another vocabulary than the model's: encode it "
                                             r"with the one that load_model returns with the model$"):
            score(model, read(tmp_path, others), 0)


@pytest.mark.parametrize("plain", [True, False])
def test_ids_that_the_model_does_not_know_are_one_line(plain, rng):
    model = LanguageModel(12, 5, 6, rng=rng, plain=plain)
    for bad in (-1, 12):
        with pytest.raises(RnnlmError, match=f"must be from 0 to 11, got {min(bad, 3)} to {max(bad, 3)}$"):
            token_log_probs(model, [3, bad], 0)
        with pytest.raises(RnnlmError, match=f"must be from 0 to 11, got .*{bad}"):
            model.predict([[3, bad]])
        with pytest.raises(RnnlmError, match="must be from 0 to 11, got"):
            token_log_probs(model, [3], bad if bad > 0 else 99)
    with pytest.raises(RnnlmError, match="targets must be from 0 to 11, got -2 to 3"):
        model.forward([[3, 4]], [[3, -2]])


TEXT = EncodedText(np.array([1, 0]), np.array([False, False]), words=1, sentences=1, oov=0)


@pytest.mark.parametrize(("change", "message"), [
    ({"text": "held.txt"}, r"text must be an EncodedText, got 'held.txt': read_text\(path, vocabulary\) makes one"),
    ({"text": np.array([1, 0])}, r"text must be an EncodedText, got an array of int64, of shape \(2,\).*"),
    ({"model": "runs/a"}, r"model must be a LanguageModel, got 'runs/a': load_model\('runs/a'\) gives a pair, .*"),
    ({"model": (1, 2)}, r"model must be a LanguageModel, got a tuple: load_model\(path\) gives a pair, "
                        r"\(model, vocabulary\)"),
    ({"eos_id": None}, "eos_id must be a whole number of at least 0, got None"),
    ({"eos_id": Vocabulary(["<eos>"])}, "eos_id must be a whole number of at least 0, got a Vocabulary"),
    ({"window": 0}, "window must be a whole number of at least 1, got 0"),
    ({"window": 2.0}, "window must be a whole number of at least 1, got 2.0")])
def test_what_cannot_be_evaluated_is_one_line(change, message, model):
    with pytest.raises(RnnlmError, match=f"^{message}$"):
        evaluate(**{"model": model, "text": TEXT, "eos_id": 0} | change)


@pytest.mark.parametrize("ids", ["the license", 3, [[1, 2]], [1.5], None, [[1], [1, 2]]])
def test_what_is_no_text_has_no_probabilities(ids, model):
    with pytest.raises(RnnlmError, match=r"^ids must be an array of ids of shape \(n,\), got [^\n]*$"):
        token_log_probs(model, ids, 0)


def test_no_tokens_no_values(model):
    assert token_log_probs(model, [], 0).shape == (0,)
