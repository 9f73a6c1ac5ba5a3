import math

import numpy as np
import pytest

from rnnlm.compute.row_gradient import RowGradient
from rnnlm.compute.threads import Workers
from rnnlm.training.clipping import clip_scale, global_norm


def test_norm_is_that_of_all_arrays_as_one_vector():
    assert global_norm([np.array([[3.0, 0.0]]), np.array([4.0])]) == 5


def test_the_norm_of_long_arrays_in_either_order_by_several_threads(rng):
    arrays = [rng.normal(size=(1100, 1000)), np.asfortranarray(rng.normal(size=(7, 5)))]
    expected = np.linalg.norm(np.concatenate([array.ravel() for array in arrays]))
    with Workers(3) as workers:
        assert global_norm(arrays, workers) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("limit", "scale"), [(1, 0.2), (5, 1), (6, 1), (math.inf, 1)])
def test_clipping_brings_the_norm_down_to_the_limit_and_never_up(limit, scale):
    assert clip_scale(5.0, limit) == scale


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_norm_that_is_not_finite_is_said_and_nothing_scaled(bad):
    norm = global_norm([np.array([bad, 1.0])])
    assert not math.isfinite(norm)
    assert clip_scale(norm, 1) == 1


def test_a_row_gradient_is_the_matrix_it_stands_for(rng):
    grad = RowGradient(np.empty((6, 2)))
    np.testing.assert_array_equal(grad, np.zeros((6, 2)))
    ids, rows = np.array([4, 1, 4]), np.array([[1.0, 2.0], [3.0, 4.0], [10.0, 20.0]])
    for _ in range(2):  # nothing is left of what was there before
        grad.set(ids, rows)
        full = np.array([[0, 0], [3, 4], [0, 0], [0, 0], [11, 22], [0, 0]])
        np.testing.assert_array_equal(grad, full)
        assert global_norm([grad]) == np.linalg.norm(full)
    for start in range(6):
        for stop in range(start, 7):
            out = np.full((stop - start, 2), 9.0)
            np.testing.assert_array_equal(grad.fill(slice(start, stop), out), full[start:stop])
