import numpy as np
import pytest

from rnnlm.compute.functions import log_softmax, sigmoid, softmax
from rnnlm.compute.row_gradient import sum_by_id


def test_sigmoid_at_values_known_by_hand():
    x = np.array([0.0, np.log(3), -np.log(3)])
    np.testing.assert_allclose(sigmoid(x), [0.5, 0.75, 0.25])


def test_softmax_of_logs_gives_their_shares():
    np.testing.assert_allclose(softmax(np.log([[1.0, 2.0, 5.0]])), [[0.125, 0.25, 0.625]])


@pytest.mark.parametrize("scale", [1e4, 1e30])
def test_extreme_scores_neither_overflow_nor_warn(scale):
    x = np.array([[-scale, 0.0, scale]], dtype=np.float32)
    np.testing.assert_array_equal(softmax(x), [[0, 0, 1]])
    assert np.isfinite(log_softmax(x)).all()
    np.testing.assert_array_equal(sigmoid(x), [[0, 0.5, 1]])


def test_log_softmax_stays_finite_where_softmax_underflows():
    np.testing.assert_allclose(log_softmax(np.array([[0.0, -2000.0]])), [[0, -2000]])


def test_inputs_are_left_alone():
    x = np.array([[1.0, 2.0]])
    for function in (sigmoid, softmax, log_softmax):
        function(x)
        np.testing.assert_array_equal(x, [[1, 2]])


def test_sum_by_id_adds_up_the_rows_of_equal_ids(rng):
    ids, rows = rng.integers(0, 5, 40), rng.normal(size=(40, 3))
    distinct, sums = sum_by_id(ids, rows)
    assert distinct.tolist() == sorted(set(ids.tolist()))
    for i, total in zip(distinct, sums, strict=True):
        np.testing.assert_allclose(total, rows[ids == i].sum(axis=0), rtol=1e-12)


def test_sum_by_id_of_one_row():
    distinct, sums = sum_by_id(np.array([7]), np.array([[1.0, 2.0]]))
    assert (distinct.tolist(), sums.tolist()) == ([7], [[1.0, 2.0]])
