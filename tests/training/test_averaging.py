import numpy as np
import pytest

from rnnlm.compute.threads import Workers
from rnnlm.training.averaging import Average


def walk(average, steps, params=None, workers=None):
    """Weights that move at every step; returns what they were after each."""
    rng = np.random.default_rng(0)
    params = params if params is not None else [np.zeros((3, 4)), np.zeros(5, np.float32)]
    seen = []
    for step in range(steps):
        for w in params:
            w += rng.normal(size=w.shape).astype(w.dtype)
        average.update(params, (step + 1) / steps, **({"workers": workers} if workers else {}))
        seen.append([w.copy() for w in params])
    return params, seen


def test_the_tail_average_is_the_mean_from_its_start_on():
    average = Average(start=0.7)
    _, seen = walk(average, 10)
    assert average.count == 4  # after steps 7, 8, 9 and 10 of 10
    for i, value in enumerate(average.values):
        np.testing.assert_allclose(value, np.mean([weights[i] for weights in seen[6:]], axis=0), rtol=1e-5)
        assert value.dtype == seen[0][i].dtype


def test_the_exponential_average_weighs_a_step_less_than_the_next():
    average, steps = Average(decay=0.8), 80
    for step in range(steps):  # weights that are 1 after one step alone: their average is what that step counts
        average.update([np.eye(steps)[step]], 0.5)
    (shares,) = average.values
    assert shares.sum() == pytest.approx(1)
    np.testing.assert_allclose(shares[50:-1] / shares[51:], 0.8, rtol=1e-12)
    assert shares[-1] == pytest.approx(0.2)


@pytest.mark.parametrize("steps", [1, 5, 100, 1000])
def test_an_exponential_average_is_not_of_a_runs_beginning(steps):
    average = Average(decay=0.9999)  # over more steps than there are
    for step in range(1, steps + 1):  # weights that grow by 1, so that their average tells its age
        average.update([np.array([float(step)])], step / steps)
    assert steps - average.values[0][0] == pytest.approx((steps - 1) / 11)


def test_before_its_start_there_is_none():
    average, params = Average(start=0.9), [np.ones(3)]
    average.update(params, 0.5)
    assert not average.values
    with average.in_place(params):
        np.testing.assert_array_equal(params[0], 1)


def test_what_a_rollback_has_left_is_gone_with_the_first_step():
    average = Average(decay=0.9)
    average.update([np.array([np.inf, 1e20, 3.0])], 0.1)
    average.count = 0  # back to where there was none
    average.update([np.array([1.0, 2.0, 3.0])], 0.1)
    np.testing.assert_array_equal(average.values[0], [1, 2, 3])


def test_in_the_block_the_weights_are_the_average_and_afterwards_what_they_were():
    average = Average()
    params, seen = walk(average, 4)
    kept = list(params)
    values = [value.copy() for value in average.values]
    with pytest.raises(KeyError), average.in_place(params):
        for w, same, value in zip(params, kept, values, strict=True):
            assert w is same
            np.testing.assert_array_equal(w, value)
        raise KeyError
    for w, before, a, value in zip(params, seen[-1], average.values, values, strict=True):
        np.testing.assert_array_equal(w, before)
        np.testing.assert_array_equal(a, value)


def test_arrays_in_any_order_and_threads_change_nothing(monkeypatch):
    monkeypatch.setattr("rnnlm.training.averaging.PIECE", 7)
    ends = []
    for threads in (1, 2):
        for order in "CF":
            average = Average(decay=0.9)
            with Workers(threads) as workers:
                walk(average, 5, [np.zeros((6, 8), order=order)], workers)
            ends.append(average.values[0])
    for end in ends[1:]:
        np.testing.assert_array_equal(end, ends[0])
