"""Weights chosen on a text: no other weights make it more probable."""

import numpy as np
import pytest
from mixing_models import Fixed, a_bigram_model, a_network

from rnnlm.errors import ArgumentError
from rnnlm.mixing.mixture import KINDS, Mixture
from rnnlm.mixing.tuning import tuned_weights
from rnnlm.scoring.evaluation import token_log_probs

WORDS = ["<eos>", *"abcdefghijk"]


def the_parts():
    return [a_network(0), a_network(1, cell="lstm"), a_bigram_model(WORDS)[0]]


@pytest.mark.parametrize("kind", KINDS)
def test_no_weights_near_them_are_better(kind, rng):
    parts = the_parts()
    ids = np.concatenate([[0], a_text(parts[0], rng, 150), a_text(parts[2], rng, 150)])
    found = tuned_weights(parts, ids, 0, kind)
    best = token_log_probs(Mixture(parts, found.weights, kind), ids, 0).mean()
    assert found.gap < 1e-5
    for _ in range(12):
        other = np.maximum(found.weights + 0.1 * rng.standard_normal(3), 0)
        other = other / other.sum() if kind == "linear" else other
        assert token_log_probs(Mixture(parts, other, kind), ids, 0).mean() <= best + 1e-5


def a_text(model, rng, size):
    """Words that a model draws."""
    from rnnlm.scoring.generation import generate

    drawn = generate(model, [0], rng=rng)
    return np.array([next(drawn) for _ in range(size)])


def test_log_linear_weights_in_closed_form():
    """(2/3, 1/3)^w / Z = (4/5, 1/5) where the text has 4 of 5: 2^w = 4, so w = 2."""
    found = tuned_weights([Fixed([2 / 3, 1 / 3])], np.array([0, 0, 1, 0, 0]), 0, "log-linear")
    assert found.weights.tolist() == pytest.approx([2], abs=0.01)


def test_a_log_linear_weight_does_not_fall_below_0():
    """The second part is wrong: the best weight would be negative."""
    ids = np.array([0, 0, 1, 0, 0])
    found = tuned_weights([Fixed([0.75, 0.25]), Fixed([0.1, 0.9])], ids, 0, "log-linear")
    assert (found.weights >= 0).all()
    assert found.weights[1] == pytest.approx(0, abs=1e-6)
    assert found.weights[0] == pytest.approx(np.log(4) / np.log(3), abs=0.01)


def test_a_part_that_rules_out_a_word_of_the_text_gets_0():
    """Part 3 has none for a word that the text lacks, which does no harm."""
    with np.errstate(divide="ignore"):
        parts = [Fixed([0.5, 0.25, 0.2, 0.05]), Fixed([0.5, 0.5, 0, 0]), Fixed([0.2, 0.5, 0.3, 0])]
    ids = np.array([0, 1, 2, 0, 1, 1])
    found = tuned_weights(parts, ids, 0, "log-linear")
    assert found.weights[1] == 0
    assert found.weights[2] > 0.1
    with pytest.raises(ArgumentError, match="each of them gives some word none: give a linear mixture"):
        tuned_weights(parts[1:2], ids, 0, "log-linear")


def test_an_outside_model_takes_part_in_linear_tuning(rng):
    parts, ids = the_parts(), rng.integers(0, 12, 50)
    found = tuned_weights(parts, ids, 0, outside=np.zeros(50))  # which knows everything
    assert found.weights.tolist() == pytest.approx([0, 0, 0, 1], abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_each_window_is_told_and_can_end_it(kind, rng, monkeypatch):
    monkeypatch.setattr("rnnlm.mixing.tuning.WINDOW", 8)
    seen = []

    def told(targets):
        seen.append(targets)
        if len(seen) == 3:
            raise KeyboardInterrupt

    parts = the_parts()
    with pytest.raises(KeyboardInterrupt):
        tuned_weights(parts, rng.integers(0, 12, 20), 0, kind, on_window=told)
    assert seen == [8, 8, 4]
    assert parts[0].get_state() == [(None,)]
