"""Unknown words in mixtures of n-gram models without <unk>: no context crosses them."""

import numpy as np
import pytest
from mixing_models import a_bigram_model, a_network

from rnnlm.mixing.figures import evaluate_parts
from rnnlm.mixing.mapped import Mapped
from rnnlm.mixing.mixture import KINDS, Mixture
from rnnlm.mixing.outside import OutsideProbs, linear_mixture
from rnnlm.mixing.tuning import tuned_weights
from rnnlm.mixing.weights import weights_by_em
from rnnlm.scoring.evaluation import ids_read, token_log_probs
from rnnlm.scoring.readings import piece_scores
from rnnlm.text.encoded import encode_text
from rnnlm.text.spelled import spelled_string

WORDS = ["<eos>", "a", "b", "c"]
TEXT = "a x b\nx c a\nb x\n"
UNKNOWN = [1, 4, 9]  # the places of x
AFTER = [2, 5, 10]


@pytest.fixture
def models():
    """Two n-gram models of the same words in another order, and the vocabulary."""
    (first, vocabulary), (second, other) = a_bigram_model(WORDS), a_bigram_model(["b", "<eos>", "c", "a"])
    return [first, Mapped(second, other, vocabulary)], vocabulary


def own(model, vocabulary):
    """ln p of each token under a model, which knows of unknown words."""
    found = token_log_probs(model, encode_text(TEXT, vocabulary), vocabulary.eos_id)
    assert np.flatnonzero(np.isnan(found)).tolist() == UNKNOWN
    return found


def test_after_an_unknown_word_a_part_has_its_unigrams(models):
    (first, mapped), vocabulary = models
    ids = encode_text(TEXT, vocabulary).with_unknown()[AFTER]
    np.testing.assert_allclose(own(first, vocabulary)[AFTER], first.tables.orders[0].log_probs[ids])
    (second,) = mapped.parts
    np.testing.assert_allclose(own(mapped, vocabulary)[AFTER],
                               second.tables.orders[0].log_probs[mapped.own_ids[ids]])


def test_a_part_with_unk_reads_unknown_words_as_unk():
    _, vocabulary = a_bigram_model(WORDS)
    model, other = a_bigram_model(["b", "<unk>", "<eos>", "c", "a"])
    ids = encode_text(TEXT, vocabulary).with_unknown()
    own_ids = np.array([other.ids["<unk>" if i < 0 else vocabulary.words[i]] for i in ids])
    with model.fresh_state():
        wanted = model.log_probs([[other.eos_id, *own_ids[:-1]]], [own_ids])[0]
    wanted[UNKNOWN] = np.nan
    mapped = Mapped(model, other, vocabulary)
    np.testing.assert_allclose(own(mapped, vocabulary), wanted, rtol=1e-6)
    with mapped.fresh_state():
        whole = mapped.predict(np.array([[0, *ids[:-1]]]))[0]
    np.testing.assert_allclose(whole[AFTER, ids[AFTER]], wanted[AFTER], rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_all_ways_of_scoring_a_mixture_agree(kind, models):
    parts, vocabulary = models
    mixture, text = Mixture(parts, [0.25, 0.75], kind), encode_text(TEXT, vocabulary)
    wanted = own(mixture, vocabulary)
    of_parts = np.array([own(part, vocabulary) for part in parts])
    if kind == "linear":
        np.testing.assert_allclose(wanted, np.log(np.array([0.25, 0.75]) @ np.exp(of_parts)), rtol=1e-6)
    for details in (False, True):
        ((_, scores),) = piece_scores(mixture, vocabulary, spelled_string(TEXT, vocabulary), "stream", details)
        np.testing.assert_allclose(scores.log_probs, wanted, rtol=1e-5)
    assert np.flatnonzero(scores.ranks == -1).tolist() == UNKNOWN
    result, figures = evaluate_parts(mixture, text, vocabulary.eos_id, window=3)
    assert (result.targets, result.log_prob) == (8, pytest.approx(np.nansum(wanted)))
    for part, log_probs in zip(figures, of_parts, strict=True):
        assert (part.targets, part.zeros, part.log_prob) == (8, 0, pytest.approx(np.nansum(log_probs), rel=1e-6))


def test_weights_are_chosen_on_what_is_known(models):
    parts, vocabulary = models
    ids = ids_read(encode_text(TEXT, vocabulary), *parts)
    of_parts = np.array([own(part, vocabulary) for part in parts])
    wanted = weights_by_em(of_parts[:, ~np.isnan(of_parts[0])])
    np.testing.assert_allclose(tuned_weights(parts, ids, vocabulary.eos_id).weights, wanted.weights, atol=1e-6)
    # a log-linear optimum: no near weights are better
    found = tuned_weights(parts, ids, vocabulary.eos_id, "log-linear")
    assert (found.tokens, type(found.tokens)) == (8, int)
    best = found.weights
    total = np.nansum(own(Mixture(parts, best, "log-linear"), vocabulary))
    for step in ([0.05, 0], [0, 0.05], [0.05, 0.05]):
        for near in (best + step, best - step):
            if near.min() >= 0 and near.any():
                other = Mixture(parts, near, "log-linear")
                assert np.nansum(own(other, vocabulary)) <= total + 1e-5


def test_a_file_of_probabilities_has_a_line_for_unknown_words_too(models, tmp_path):
    parts, vocabulary = models
    file, text = tmp_path / "probs.txt", encode_text(TEXT, vocabulary)
    probs = np.linspace(0.1, 0.6, 11)
    file.write_text("".join(f"{p}\n" for p in probs), encoding="utf-8")
    mixed = linear_mixture(parts, [0.2, 0.3, 0.5], OutsideProbs(file))
    result, _ = evaluate_parts(mixed, text, vocabulary.eos_id, window=4)
    of_parts = np.exp([own(part, vocabulary) for part in parts])
    wanted = np.log(np.array([0.2, 0.3]) @ of_parts + 0.5 * probs)
    assert result.log_prob == pytest.approx(np.nansum(wanted), rel=1e-6)


def test_with_a_network_unknown_words_are_left_out(models):
    (first, _), vocabulary = models
    mixture, text = Mixture([a_network(0, words=4), first], [0.5, 0.5]), encode_text(TEXT, vocabulary)
    assert ids_read(text, mixture).tolist() == text.ids.tolist()
    assert np.flatnonzero(np.isnan(own(mixture, vocabulary))).tolist() == UNKNOWN
