"""Words drawn for many texts at once: as the plain functions draw for one."""

from types import SimpleNamespace

import numpy as np
import pytest

from rnnlm.compute.functions import log_softmax
from rnnlm.errors import ArgumentError, RnnlmError
from rnnlm.scoring.constraints import Constraints
from rnnlm.scoring.generation import draw, next_probs
from rnnlm.scoring.limits import Limits
from rnnlm.scoring.sampling import Drawing, Draws

WAYS = {"plain": {}, "cold": {"temperature": 0.3}, "hot": {"temperature": 7.0}, "top k": {"top_k": 3},
        "top p": {"top_p": 0.6}, "all": {"temperature": 1.5, "top_k": 7, "top_p": 0.9}, "greedy": {"temperature": 0},
        "top 1": {"top_k": 1}, "coldest": {"temperature": 1e-300}, "wide": {"top_k": 10**6, "top_p": 1.0}}


class Fixed:
    """A generator whose next number is known."""

    def __init__(self, value):
        self.value = value

    def random(self):
        return self.value


def drawn(scores, points, forbidden=(), scored=False, biases=None, **way):
    """Draws for all columns of the scores (V, n), from these points."""
    draws = Draws(Drawing(**way), Constraints(Limits(0), len(scores), forbidden), scored)
    biases = np.zeros(len(scores), scores.dtype) if biases is None else biases
    ids, log_probs = draws(lambda: (scores - biases[:, np.newaxis], biases),
                           [SimpleNamespace(rng=Fixed(point)) for point in points])
    return (ids.tolist(), log_probs) if scored else ids.tolist()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("V", [2, 3, 10, 97, 100, 1000])
def test_each_text_gets_the_word_that_the_plain_functions_draw(way, V, rng):
    forbidden = [1, V - 2] if V > 5 else []
    scores, points = 3 * rng.standard_normal((V, 40)), rng.random(40)
    expected = [draw(next_probs(column, forbidden=forbidden, **WAYS[way]), Fixed(point))
                for column, point in zip(scores.T, points, strict=True)]
    assert drawn(scores, points, forbidden, **WAYS[way]) == expected
    assert drawn(scores, points, forbidden, biases=rng.standard_normal(V), **WAYS[way]) == expected


@pytest.mark.parametrize("way", ["top k", "top p", "all", "greedy"])
def test_ties_are_cut_in_order_of_ids(way, rng):
    scores, points = rng.integers(0, 3, (30, 50)).astype(float), rng.random(50)
    expected = [draw(next_probs(column, **WAYS[way]), Fixed(point))
                for column, point in zip(scores.T, points, strict=True)]
    assert drawn(scores, points, **WAYS[way]) == expected


def test_a_sum_that_is_exactly_top_p_is_enough():
    """Of four words with probabilities 1/4, two reach 1/2."""
    scores = np.zeros((4, 3))
    assert drawn(scores, [0.1, 0.6, 0.999], top_p=0.5) == [0, 1, 1]
    assert drawn(scores[:, :1], [0.999], top_p=0.5) == [1]


@pytest.mark.parametrize("shift", [-800, -90, 80, 2000])
def test_scores_of_any_size_are_drawn_from(shift, rng):
    scores, points = rng.standard_normal((50, 20)).astype(np.float32), rng.random(20)
    assert drawn(scores + np.float32(shift), points, [3]) == drawn(
        (scores + np.float32(shift)).astype(float), points, [3])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", [20, 60, 95, 1000])
def test_large_biases_take_nothing_from_the_scores(way, size, rng):
    scores, points = 2 * rng.standard_normal((50, 60)), rng.random(60)
    biases = np.where(rng.random(50) < 0.5, size, -size).astype(np.float32)
    expected = [draw(next_probs(column, **WAYS[way]), Fixed(point))
                for column, point in zip(scores.T, points, strict=True)]
    ids = drawn(scores.astype(np.float32), points, biases=biases, **WAYS[way])
    assert np.count_nonzero(np.array(ids) != expected) <= 1  # 32 bits hold 1000.0 to 0.00006


def test_a_forbidden_word_may_have_the_highest_score():
    scores = np.zeros((4, 2), np.float32)
    scores[2] = 1000
    assert drawn(scores, [0.0, 0.999], [2]) == [0, 3]
    scores[2] = np.nan
    assert drawn(scores, [0.0, 0.999], [2]) == [0, 3]


@pytest.mark.parametrize("V", [4, 9, 10, 11, 100])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_ends_of_the_line_are_words_that_can_be_drawn(V, dtype):
    scores = np.full((V, 3), -np.inf, dtype)
    scores[1], scores[V - 2] = 0, 0
    assert drawn(scores, [0.0, 0.25, np.nextafter(1, 0)]) == [1, 1, V - 2]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("temperature", [0, 1])
@pytest.mark.parametrize("n", [1, 2])
def test_no_probabilities_no_word(bad, temperature, n):
    scores = np.zeros((10, n), np.float32)
    scores[:, -1] = bad
    with pytest.raises(RnnlmError, match="scores are not finite"):
        drawn(scores, [0.5] * n, temperature=temperature)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("n", [1, 30])
def test_scores_are_those_of_the_model_whatever_the_way_of_drawing(way, n, rng):
    scores = rng.standard_normal((60, n)).astype(np.float32)
    ids, log_probs = drawn(scores, rng.random(n), [5, 7], scored=True, biases=rng.standard_normal(60), **WAYS[way])
    np.testing.assert_allclose(log_probs, log_softmax(scores.T.astype(float))[np.arange(n), ids], atol=1e-5)


def test_draws_have_the_probabilities_asked_for():
    probs = np.array([0.0, 0.1, 0.4, 0.0, 0.2, 0.3, 0.0])
    with np.errstate(divide="ignore"):
        scores = np.repeat(np.log(probs)[:, np.newaxis], 4000, axis=1)
    shares = np.bincount(drawn(scores, np.random.default_rng(1).random(4000)), minlength=7) / 4000
    np.testing.assert_allclose(shares, probs, atol=4 * np.sqrt(0.25 / 4000))
    assert (shares[probs == 0] == 0).all()


@pytest.mark.parametrize(("way", "message"), [
    ({"temperature": -1}, "temperature must be a number of at least 0, got -1"),
    ({"top_k": 0}, "top_k must be a whole number of at least 1, got 0"),
    ({"top_p": 1.5}, "top_p must be a number above 0 and at most 1, got 1.5")])
def test_a_way_that_cannot_be_is_one_line(way, message):
    with pytest.raises(ArgumentError, match=f"^{message}$"):
        Drawing(**way)
