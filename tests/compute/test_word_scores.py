import math

import numpy as np
import pytest

from rnnlm.compute.word_scores import WordScores, word_scores


def test_a_distribution_that_is_known():
    """1/2, 1/4, 1/8, 1/8: the entropy is 1.75 bits, and the last two are a tie."""
    scores = np.log([[4.0, 2.0, 1.0, 1.0]] * 4)
    found = word_scores(scores, np.arange(4), details=True, top=3)
    np.testing.assert_allclose(found.log_probs, np.log([1 / 2, 1 / 4, 1 / 8, 1 / 8]))
    np.testing.assert_allclose(found.entropies, 1.75 * math.log(2))
    assert found.ranks.tolist() == [1, 2, 3, 3]
    assert found.top.tolist() == [[0, 1, 2]] * 4
    np.testing.assert_allclose(found.top_log_probs, np.log([[1 / 2, 1 / 4, 1 / 8]] * 4))


def test_a_word_without_probability_adds_nothing_to_the_entropy():
    found = word_scores(np.array([[0.0, 0.0, -np.inf], [0.0, 0.0, -1e4]]), np.array([0, 2]), details=True)
    np.testing.assert_allclose(found.entropies, math.log(2))
    assert found.ranks.tolist() == [1, 3]


def test_only_what_was_asked_for():
    assert list(word_scores(np.zeros((2, 3)), np.array([0, 1])).arrays()) == ["log_probs"]
    assert word_scores(np.zeros((1, 3)), np.array([0]), top=5).top.tolist() == [[0, 1, 2]]  # there are no more


def test_parts_are_joined_and_picked():
    whole = word_scores(np.log([[1.0, 3.0], [3.0, 1.0], [1.0, 1.0]]), np.array([0, 0, 1]), details=True, top=1)
    again = WordScores.joined([whole.at(slice(0, 1)), whole.at(np.array([1, 2]))])
    for name, array in whole.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], array)
    assert whole.at(np.array([2])).log_probs == pytest.approx(math.log(1 / 2))
