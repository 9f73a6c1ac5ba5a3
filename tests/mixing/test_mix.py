"""rnnlm.mix: loaded models as one."""

import math

import numpy as np
import pytest
from mixing_models import a_bigram_model, a_network

import rnnlm
from rnnlm.errors import ArgumentError
from rnnlm.formats.loaded import Loaded
from rnnlm.text.vocabulary import Vocabulary

WORDS = ["<eos>", "<unk>", *"abcdefghij"]
TEXT = "a b c\nd x e\n"


def loaded(seed, words=WORDS):
    return Loaded(a_network(seed, len(words)), Vocabulary(words))


def test_a_mixture_is_a_loaded_model(tmp_path):
    models = [loaded(0), loaded(1), Loaded(*a_bigram_model(WORDS))]
    mixed = rnnlm.mix(*models, weights=[0.5, 0.3, 0.2])
    alone = [np.exp(model.score(TEXT, log_base="e")["log_prob"]) for model in models]
    np.testing.assert_allclose(mixed.score(TEXT, log_base="e")["log_prob"], np.log(np.dot([0.5, 0.3, 0.2], alone)),
                               rtol=1e-4)
    (tmp_path / "text.txt").write_text(TEXT)
    assert mixed.perplexity(tmp_path / "text.txt") == pytest.approx(
        math.exp(-np.log(np.dot([0.5, 0.3, 0.2], alone)).mean()), rel=1e-4)
    assert mixed.pairs([("a b", "b a")]).sentence.log_probs.shape == (1, 2)
    assert len(mixed.generate("a", length=4, seed=0).split()) >= 1
    assert "linear mixture" in repr(mixed)
    with pytest.raises(ArgumentError, match="several models together have no hidden states"):
        mixed.states(TEXT)


def test_weights_are_equal_or_chosen_on_a_text(tmp_path):
    models = [loaded(0), loaded(1)]
    assert rnnlm.mix(*models).model.weights.tolist() == [0.5, 0.5]
    (tmp_path / "text.txt").write_text(TEXT * 9)
    for tune in (TEXT * 9, tmp_path / "text.txt"):
        for kind in ("linear", "log-linear"):
            tuned = rnnlm.mix(*models, tune=tune, kind=kind)
            best = min(model.perplexity(TEXT * 9) for model in (rnnlm.mix(*models, kind=kind), *models))
            assert tuned.perplexity(TEXT * 9) <= best * (1 + 1e-5)
    with pytest.raises(ArgumentError, match="weights must be left out with it: give one of the two"):
        rnnlm.mix(*models, weights=[0.5, 0.5], tune=TEXT)


def test_other_words_are_warned_of_or_refused():
    with pytest.warns(UserWarning, match=r"^model 2 and model 1 have different vocabularies: 1 word \(j\) only in"):
        rnnlm.mix(loaded(0), Loaded(*a_bigram_model(WORDS[:-1])))
    with pytest.raises(ArgumentError, match=r"model 1 has 1 word \(j\) that model 2 lacks, and lacks no word"):
        rnnlm.mix(loaded(0), loaded(1, WORDS[:-1]))
    with pytest.raises(ArgumentError, match=r"a model must be what rnnlm\.load returns, got a LanguageModel"):
        rnnlm.mix(loaded(0), a_network(1))
