"""Weights: what is refused, and what expectation-maximisation finds."""

import math

import numpy as np
import pytest

from rnnlm.errors import ArgumentError
from rnnlm.mixing.weights import require_weights, weights_by_em


@pytest.mark.parametrize(("weights", "message"), [
    ([0.5, math.nan], "a weight must be a finite number of at least 0, got nan"),
    ([0.5, math.inf], "a weight must be a finite number"),
    ([1.5, -0.5], "a weight must be a number of at least 0, got -0.5"),
    ([0.5, 0.4], "must add up to 1, they add up to 0.9"),
    ([0.5], "weights must be one for each of 2 models, got 1"),
    ([0.5, 0.3, 0.2], "weights must be one for each of 2 models, got 3"),
    ([0.5, "0.5"], "a weight must be a number"),
    ([True, False], "a weight must be a number"),
    ("11", "weights must be a list of numbers"),
    (None, "weights must be a list of numbers"),
])
def test_weights_that_cannot_be(weights, message):
    with pytest.raises(ArgumentError, match=message):
        require_weights(weights, 2, adds_up=True)


def test_rounded_weights_are_made_to_add_up():
    assert require_weights([0.333, 0.333, 0.333], 3, adds_up=True).tolist() == pytest.approx([1 / 3] * 3)
    assert require_weights(np.array([3, 1]), 2, adds_up=False).tolist() == [3, 1]
    with pytest.raises(ArgumentError, match="weights must not all be 0"):
        require_weights([0, 0], 2, adds_up=False)


def test_two_parts_that_each_know_other_words():
    """Part 1 knows 3 of 4 tokens, part 2 the other: w^3 (1 - w) is largest at 3/4."""
    with np.errstate(divide="ignore"):
        log_probs = np.log([[0.2, 0.01, 0.5, 0], [0, 0, 0, 0.3]])
    found = weights_by_em(log_probs)
    assert found.weights.tolist() == pytest.approx([0.75, 0.25])
    assert found.tokens == 4


def test_a_quadratic_in_closed_form():
    """Two tokens, two parts: 1 and 1/4 under the first, 1/2 and 1 under the second.

    With w the weight of part 2: token 1 has 1 - w / 2, token 2 has 1/4 + 3w/4.  The
    derivative of their product is 3/4 - 1/8 - 3w/4 = 5/8 - 3w/4, which is 0 at 5/6.
    """
    found = weights_by_em(np.log([[1, 0.25], [0.5, 1]]), tolerance=1e-12)
    assert found.weights.tolist() == pytest.approx([1 / 6, 5 / 6], abs=1e-5)


def test_no_other_weights_are_better_by_more_than_the_gap(rng):
    log_probs = np.log(rng.dirichlet(np.ones(7), (3, 200))[..., 0])
    found = weights_by_em(log_probs, tolerance=1e-4)
    assert 0 <= found.gap <= 1e-4
    best = np.log(found.weights @ np.exp(log_probs)).mean() + found.gap
    for weights in rng.dirichlet(np.ones(3), 500):
        assert np.log(weights @ np.exp(log_probs)).mean() <= best


def test_the_search_ends(rng):
    found = weights_by_em(np.log(rng.random((3, 50))), tolerance=1e-300, most_iterations=17)
    assert found.iterations == 17
    assert found.gap > 0


def test_a_part_that_predicts_nothing_gets_nothing():
    found = weights_by_em([[-1.0, -2.0, -1.5], [-math.inf] * 3])
    assert found.weights.tolist() == [1, 0]
    assert found.iterations == 2


def test_tokens_that_nothing_predicts_are_left_out():
    """Those of ln p -inf everywhere, and unknown words, which have nan."""
    log_probs = np.log([[0.5, 0.1, 0.3], [0.1, 0.4, 0.3]])
    more = np.insert(log_probs, [1, 2], [[-math.inf, math.nan]] * 2, axis=1)
    found, plain = weights_by_em(more), weights_by_em(log_probs)
    assert found.weights.tolist() == plain.weights.tolist()
    assert found.tokens == 3


def test_a_single_part_and_tiny_probabilities():
    assert weights_by_em([[-3.0]]).weights.tolist() == [1]
    found = weights_by_em(np.array([[-2000.0, -2001], [-2001, -2000]]))
    assert found.weights.tolist() == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize(("log_probs", "message"), [
    (np.empty((2, 0)), "got 0 tokens and none of them is predicted"),
    ([[-math.inf], [-math.inf]], "got 1 token and none of them is predicted"),
    ([-1.0, -2.0], r"log_probs must be an array of shape \(K, n\)"),
    (np.empty((0, 4)), r"log_probs must be an array of shape \(K, n\)"),
    ([[math.inf]], "log_probs must be below infinity"),
    ("text", "log_probs must be an array of numbers"),
])
def test_what_tells_nothing_is_refused(log_probs, message):
    with pytest.raises(ArgumentError, match=message):
        weights_by_em(log_probs)
