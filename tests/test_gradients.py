import math

import numpy as np
import pytest

from rnnlm.gradients import clip_by_global_norm, global_norm


def test_norm_is_that_of_all_arrays_as_one_vector():
    assert global_norm([np.array([[3.0, 0.0]]), np.array([4.0])]) == 5


def test_clipping_scales_all_arrays_alike_and_returns_the_norm_before():
    grads = [np.array([[3.0, 0.0]]), np.array([4.0])]
    assert clip_by_global_norm(grads, 1) == 5
    np.testing.assert_allclose(grads[0], [[0.6, 0]])
    np.testing.assert_allclose(grads[1], [0.8])


@pytest.mark.parametrize("limit", [5, 6, math.inf])
def test_a_norm_within_the_limit_changes_nothing(limit):
    grads = [np.array([3.0, 4.0])]
    assert clip_by_global_norm(grads, limit) == 5
    np.testing.assert_array_equal(grads[0], [3, 4])


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_norm_that_is_not_finite_is_said_and_nothing_scaled(bad):
    grads = [np.array([bad, 1.0])]
    assert not math.isfinite(clip_by_global_norm(grads, 1))
    assert grads[0][1] == 1
