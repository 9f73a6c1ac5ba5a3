import numpy as np
import pytest
from recurrent_layers import CELLS, KINDS, random_arrays

from rnnlm.layers import WeightDrop

ROWS = np.arange(6)


def dropped(Wh, ratio=0.25, seed=0):
    return WeightDrop(ratio, rng=np.random.default_rng(seed)).forward(Wh)


@pytest.mark.parametrize("k", [1, 3, 4])
def test_a_weight_is_dropped_or_scaled_and_the_diagonals_stay(k, rng):
    Wh = rng.normal(size=(6, 6 * k))
    share = dropped(Wh) / Wh
    for gate in np.split(share, k, axis=1):
        np.testing.assert_array_equal(gate[ROWS, ROWS], 1)
        gate[ROWS, ROWS] = 0
        assert set(np.unique(gate.round(12))) == {0, round(4 / 3, 12)}


def test_the_share_that_is_dropped_and_the_expected_value(rng):
    drop = WeightDrop(0.4, rng=rng)
    Wh = np.ones((6, 12))
    windows = np.array([drop.forward(Wh).copy() for _ in range(4000)])
    np.testing.assert_allclose(windows.mean(axis=0), Wh, atol=0.07)  # five standard deviations of a mean of 4000
    off = np.ones((6, 12), bool)
    off[ROWS, ROWS] = off[ROWS, ROWS + 6] = False
    assert (windows[:, off] == 0).mean() == pytest.approx(0.4, abs=0.005)


def test_every_window_has_a_mask_of_its_own_and_a_seed_repeats_them():
    Wh = np.ones((6, 6))
    drop = WeightDrop(0.5, rng=np.random.default_rng(3))
    first, second = drop.forward(Wh).copy(), drop.forward(Wh).copy()
    assert (first != second).any()
    np.testing.assert_array_equal(first, dropped(Wh, 0.5, seed=3))
    np.testing.assert_array_equal(Wh, 1)


def test_nothing_is_dropped_or_drawn_in_evaluation_or_at_ratio_zero():
    Wh, dWh = np.ones((6, 6)), np.ones((6, 6))
    evaluated, zero = WeightDrop(0.5, rng=np.random.default_rng(2)), WeightDrop(0, rng=None)
    evaluated.forward(Wh)  # the mask of a window in training is not one for those read in evaluation
    evaluated.train, evaluated.rng = False, np.random.default_rng(3)
    for drop in (evaluated, zero):
        assert drop.forward(Wh) is Wh
        drop.backward(dWh)
        np.testing.assert_array_equal(dWh, 1)
    evaluated.train = True
    np.testing.assert_array_equal(evaluated.forward(Wh), dropped(Wh, 0.5, seed=3))


def test_backward_masks_the_gradient_in_place(rng):
    Wh, dWh = np.ones((6, 6)), rng.normal(size=(6, 6))
    drop = WeightDrop(0.5, rng=rng)
    expected = dWh * drop.forward(Wh)
    drop.backward(dWh)
    np.testing.assert_array_equal(dWh, expected)


@pytest.mark.parametrize(("cell", "kind"), KINDS)
def test_a_layer_uses_one_mask_for_a_window_and_a_new_one_for_the_next(cell, kind, rng):
    """As without weight drop, with the recurrent weights that are left.

    A dropped weight has no gradient.
    """
    cls, options = CELLS[cell][kind], CELLS[cell][-1]
    Wx, Wh, *biases = random_arrays(cell, 3, 6, rng)
    layer = cls(Wx, Wh, *biases, weight_drop=WeightDrop(0.5, rng=np.random.default_rng(3)), **options)
    again = WeightDrop(0.5, rng=np.random.default_rng(3))
    xs, dhs = rng.normal(size=(2, 4, 3)), rng.normal(size=(2, 4, 6))
    for _ in range(2):
        left = again.forward(Wh).copy()
        other = cls(Wx, left, *biases, **options)
        np.testing.assert_array_equal(layer.forward(xs), other.forward(xs))
        np.testing.assert_array_equal(layer.backward(dhs), other.backward(dhs))
        np.testing.assert_array_equal(layer.grads[1], again.backward(other.grads[1].copy()))
        off = left == 0
        assert off.mean() == pytest.approx(0.5 * 5 / 6, abs=0.15)
        np.testing.assert_array_equal(layer.grads[1][off], 0)
        assert other.grads[1][off].any()
    layer.weight_drop.train = False
    np.testing.assert_array_equal(layer.forward(xs), cls(Wx, Wh, *biases, **options).forward(xs))
    assert layer.params[1] is Wh and Wh.shape == (6, 6 * cls.state_blocks)


@pytest.mark.parametrize("ratio", [-0.1, 1, 1.5])
def test_a_ratio_that_leaves_nothing_is_refused(ratio, rng):
    with pytest.raises(ValueError, match=f"weight drop ratio must be a number of at least 0 and below 1, got {ratio}"):
        WeightDrop(ratio, rng=rng)
