import numpy as np
import pytest

from rnnlm.models import initializers
from rnnlm.models.initializers import (
    log_frequencies,
    orthogonal,
    scaled_identity,
    scaled_normal,
    scales,
    time_scales,
    uniform,
)


def filled(initializer, shape, rng, dtype=np.float32, **options):
    out = np.full(shape, np.nan, dtype)
    initializer(out, rng, **options)
    return out


def test_uniform_fills_its_range_and_no_more(rng):
    W = filled(uniform, (200, 50), rng, scale=0.2)
    assert -0.2 <= W.min() < -0.19
    assert 0.19 < W.max() <= 0.2


def test_scaled_normal_keeps_the_size_of_what_passes_through(rng):
    x = rng.standard_normal((500, 400))
    assert (x @ filled(scaled_normal, (400, 300), rng)).std() == pytest.approx(1, rel=0.02)


def test_orthogonal_keeps_lengths(rng):
    W = filled(orthogonal, (40, 40), rng, gain=0.5)
    np.testing.assert_allclose(W @ W.T, 0.25 * np.eye(40), atol=1e-6)


@pytest.mark.parametrize("initializer", [orthogonal, scaled_identity])
def test_what_is_not_square_is_refused(initializer, rng):
    with pytest.raises(ValueError, match=r"square shape, got \(2, 3\)"):
        filled(initializer, (2, 3), rng)


def test_time_scales_forget_at_speeds_from_at_once_to_slowly(rng):
    W, a = filled(time_scales, (500, 500), rng, slowest=0.9), scales(500, 0.9)
    assert (a[0], a[-1]) == (0, 0.9)
    np.testing.assert_allclose(np.diag(W), a, atol=0.08)
    off_diagonal = W[~np.eye(500, dtype=bool)]
    assert off_diagonal.std() == pytest.approx(0.3 / np.sqrt(500), rel=0.02)


@pytest.mark.parametrize("initializer", [uniform, scaled_normal, orthogonal])
def test_the_generator_alone_decides(initializer):
    first, again, other = (filled(initializer, (5, 5), np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("initializer", [uniform, scaled_normal, time_scales, orthogonal, scaled_identity])
@pytest.mark.parametrize("size", [1, 50, 64, 10_000])
def test_slices_types_and_orders_of_memory_change_no_bit(initializer, size, monkeypatch):
    whole = filled(initializer, (23, 23), np.random.default_rng(3))
    monkeypatch.setattr(initializers, "SLICE", size)
    generator = np.random.default_rng(3)
    np.testing.assert_array_equal(filled(initializer, (23, 23), generator), whole)
    np.testing.assert_array_equal(filled(initializer, (23, 23), np.random.default_rng(3), np.float64), whole)
    transposed = np.empty((23, 23), np.float32).T
    initializer(transposed, np.random.default_rng(3))
    np.testing.assert_array_equal(transposed, whole)


def test_first_values_are_those_of_one_draw_rounded_to_float32(monkeypatch):
    monkeypatch.setattr(initializers, "SLICE", 16)
    drawn = np.random.default_rng(3).standard_normal((6, 5)) * (2.0 / np.sqrt(6))
    W = filled(scaled_normal, (6, 5), np.random.default_rng(3), np.float64, gain=2.0)
    np.testing.assert_array_equal(W, drawn.astype(np.float32))


def test_log_frequencies_are_those_of_counts_that_are_one_more():
    bias = log_frequencies(np.array([0, 1, 3]))
    assert bias.dtype == np.float32
    np.testing.assert_allclose(bias, [-1.9459101, -1.2527630, -0.5596158], rtol=1e-6)  # ln 1/7, ln 2/7, ln 4/7
