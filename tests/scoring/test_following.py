"""Weights that follow a text: known answers, and what must not move them."""

import numpy as np
import pytest

from rnnlm.errors import ArgumentError
from rnnlm.scoring.following import KEPT, FollowingWeights

RIGHT_THEN_WRONG = np.log([[0.8, 0.1, 0.5], [0.2, 0.9, 0.5]])


def test_three_words_by_hand():
    """With N = 2, m = 0.5 + (0.8 - 0.5) / 2 = 0.65, so w = 0.1 + 0.8 x 0.65 = 0.62.

    The second word has 0.62 x 0.1 = 0.062 and 0.38 x 0.9 = 0.342, which add up to
    0.404: m = 0.65 + (0.062 / 0.404 - 0.65) / 2.
    """
    assert KEPT == 0.2
    following = FollowingWeights([0.5, 0.5], 2)
    third = 0.1 + 0.8 * (0.65 + (0.062 / 0.404 - 0.65) / 2)
    np.testing.assert_allclose(following.take(RIGHT_THEN_WRONG), [[0.5, 0.62, third], [0.5, 0.38, 1 - third]])


def test_a_part_that_is_always_right_gets_all_but_what_is_kept():
    weights = FollowingWeights([0.3, 0.7], 5).take(np.array([[0.0] * 200, [-np.inf] * 200]))
    np.testing.assert_allclose(weights[:, -1], [0.2 * 0.3 + 0.8, 0.2 * 0.7])


def test_words_that_tell_nothing_move_no_weight():
    weights = FollowingWeights([0.25, 0.75, 0], 3).take(np.array(
        [[-np.inf, -2, -900], [-np.inf, -2, -900], [-np.inf, -1, -1]]))  # the part of weight 0 alone expects the third
    np.testing.assert_allclose(weights, np.repeat([[0.25], [0.75], [0]], 3, axis=1))


def test_a_part_of_weight_0_hides_no_difference_between_the_others():
    """It expects the word so much more that both others vanish beside it."""
    weights = FollowingWeights([0.5, 0.5, 0], 1).take(np.array([[-900, -1], [-2000, -1], [-1, -1]]))
    np.testing.assert_allclose(weights[:, 1], [0.1 + 0.8, 0.1, 0])


def test_parts_of_a_text_give_what_the_whole_gives_and_a_block_starts_afresh(rng):
    log_probs = np.log(rng.dirichlet(np.ones(3), 20).T)
    following = FollowingWeights([0.2, 0.3, 0.5], 4)
    whole = following.take(log_probs)
    with following.fresh():
        np.testing.assert_array_equal(np.concatenate(
            [following.take(log_probs[:, :7]), following.take(log_probs[:, 7:])], axis=1), whole)
    with following.fresh():
        np.testing.assert_array_equal(following.take(log_probs), whole)
    assert following.take(log_probs)[0, 0] != whole[0, 0], "outside of the blocks the text goes on"


def test_no_words_are_refused():
    with pytest.raises(ArgumentError, match="words must be a whole number"):
        FollowingWeights([1.0], 0)
