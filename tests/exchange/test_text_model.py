"""The classic toolkit's text model: its program computes what ours does."""

import numpy as np
import pytest
from sigmoid_network import TextModel

from rnnlm.errors import ArgumentError, DivergenceError
from rnnlm.exchange.exported import Exported
from rnnlm.exchange.text import LONGEST_WORD, export
from rnnlm.models import LanguageModel
from rnnlm.scoring.evaluation import token_log_probs
from rnnlm.text.vocabulary import Vocabulary

WORDS = ["the", "cat", "<eos>", "<unk>", "sat", "été"]
TEXT = "the cat sat </s> </s> été the <unk> cat </s>".split()


def made(rng, words=WORDS, counts=None, **options):
    """A model with weights that matter, and its vocabulary."""
    model = LanguageModel(len(words), 4, 5, rng=rng, dtype=np.float64, **options)
    for param in model.params:
        param[...] = rng.standard_normal(param.shape)
    model.set_training(False)
    return model, Vocabulary(words, counts=counts)


def ours(model, vocabulary, tokens):
    ids = vocabulary.encode(["\n" if token == "</s>" else token for token in tokens])
    return token_log_probs(model, ids, vocabulary.eos_id)


@pytest.mark.parametrize("options", [{}, {"tied": True}, {"projection": True}], ids=["plain", "tied", "projection"])
def test_the_toolkits_program_finds_our_probabilities(rng, tmp_path, options):
    model, vocabulary = made(rng, **options)
    export(Exported(model, vocabulary), tmp_path / "model.txt")
    found = TextModel(tmp_path / "model.txt").log_probs(TEXT)
    np.testing.assert_allclose(found, ours(model, vocabulary, TEXT), rtol=0, atol=1e-6)


@pytest.mark.parametrize("start", [0, 0.1, 1])
def test_the_state_is_ours_whatever_the_program_starts_with(rng, tmp_path, start):
    """Versions start all units with 0, 0.1 or 1, or with what the file says."""
    model, vocabulary = made(rng)
    export(Exported(model, vocabulary), tmp_path / "model.txt")
    found = TextModel(tmp_path / "model.txt").log_probs(TEXT, start=start)
    np.testing.assert_allclose(found, ours(model, vocabulary, TEXT), rtol=0, atol=1e-6)


def test_independent_sentences_each_begin_afresh(rng, tmp_path):
    model, vocabulary = made(rng)
    export(Exported(model, vocabulary), tmp_path / "model.txt")
    found = TextModel(tmp_path / "model.txt").log_probs(TEXT, independent=True)
    sentences = [TEXT[:4], TEXT[4:5], TEXT[5:]]
    expected = [ours(model, vocabulary, sentence) for sentence in sentences]
    np.testing.assert_allclose(found, np.concatenate(expected), rtol=0, atol=1e-6)


def test_words_stand_in_their_order_but_for_the_line_end_and_with_their_counts(rng, tmp_path):
    model, vocabulary = made(rng, counts=[5, 4, 7, 2**40, 1, 0])
    export(Exported(model, vocabulary), tmp_path / "model.txt")
    found = TextModel(tmp_path / "model.txt")
    assert found.words == ["</s>", "the", "cat", "<unk>", "sat", "été"]
    assert found.counts == [7, 5, 4, 2**31 - 1, 1, 0]
    assert found.head["version"] == "10"
    assert found.head["file format"] == "0"
    assert found.head["# of training words"] == str(2**31 - 1)


@pytest.mark.parametrize("word", ["a b", "a\tb", "", "x" * (LONGEST_WORD + 1), "é" * 50, "</s>", "a\rb"])
def test_words_that_the_toolkit_would_read_otherwise_are_refused(rng, tmp_path, word):
    model, vocabulary = made(rng, [*WORDS[:5], word])
    with pytest.raises(ArgumentError, match="--to onnx can hold it"):
        export(Exported(model, vocabulary), tmp_path / "model.txt")
    assert not list(tmp_path.iterdir())


def test_the_longest_word_is_written(rng, tmp_path):
    model, vocabulary = made(rng, [*WORDS[:5], "x" * LONGEST_WORD])
    export(Exported(model, vocabulary), tmp_path / "model.txt")
    assert TextModel(tmp_path / "model.txt").words[-1] == "x" * LONGEST_WORD


def test_what_is_no_whole_model_is_refused(rng, tmp_path):
    model, vocabulary = made(rng)
    with pytest.raises(ArgumentError, match="the vocabulary must have a word for each of the model's 6 ids"):
        export(Exported(model, Vocabulary(WORDS[:4])), tmp_path / "model.txt")
    model.params[0][0, 0] = np.nan
    with pytest.raises(DivergenceError, match="embedding/W holds numbers that are not finite"):
        export(Exported(model, vocabulary), tmp_path / "model.txt")
    gated, _ = made(rng, cell="gru")
    with pytest.raises(ArgumentError, match="with GRU units: --to onnx can"):
        export(Exported(gated, vocabulary), tmp_path / "model.txt")
    assert not list(tmp_path.iterdir())
