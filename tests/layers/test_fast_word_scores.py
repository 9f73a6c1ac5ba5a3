"""The output layer's scores of words for speed, checked against the plain ones."""

import tracemalloc

import numpy as np
import pytest

from rnnlm.compute.threads import Workers
from rnnlm.compute.word_scores import word_scores as plain_scores
from rnnlm.errors import ArgumentError, IdError
from rnnlm.layers import TimeOutput
from rnnlm.layers.fast import FastOutput, output
from rnnlm.layers.fast import word_scores as fast


@pytest.fixture(params=[1, 2])
def workers(request):
    with Workers(request.param) as workers:
        yield workers


@pytest.fixture(params=[True, False], ids=["small parts", ""])
def parts(request, monkeypatch):
    """Divide at sizes as small as those of the tests' arrays."""
    if request.param:
        monkeypatch.setattr(output, "BLOCK", 4)
        monkeypatch.setattr(output, "LARGE", 1)
        for name, value in {"PRODUCT": 5, "SCORES": 100, "LEAST_ROWS": 3, "NEAR": 60, "GROUPS": 9}.items():
            monkeypatch.setattr(fast, name, value)


def whole_numbers(rng, M, H, V, spread=3):
    """Inputs whose scores are exact whatever the order of the sums: many are equal."""
    xs, W, b = (rng.integers(-spread, spread + 1, shape).astype(np.float32) / 4 for shape in [(M, H), (H, V), V])
    return xs, W, b


def agree(found, wanted, atol=1e-5):
    assert found.arrays().keys() == wanted.arrays().keys()
    for name, array in wanted.arrays().items():
        assert found.arrays()[name].shape == array.shape
        assert found.arrays()[name].dtype == array.dtype, name
        np.testing.assert_allclose(found.arrays()[name], array, rtol=1e-5, atol=atol, err_msg=name)


@pytest.mark.parametrize("top", [0, 1, 5, 40])
@pytest.mark.parametrize(("M", "H", "V"), [(1, 1, 1), (1, 3, 30), (10, 3, 2), (36, 6, 37), (40, 2, 300)])
def test_fast_is_plain(M, H, V, top, workers, parts, rng):
    xs, W, b = whole_numbers(rng, M, H, V)
    ts = rng.integers(0, V, M)
    layers = FastOutput(np.asfortranarray(W), b, workers), TimeOutput(W, b)
    for details in (False, True):
        found, wanted = (layer.word_scores(xs, ts, details, top) for layer in layers)
        agree(found, wanted)
        if details:
            np.testing.assert_array_equal(found.ranks, wanted.ranks)
        if top:
            np.testing.assert_array_equal(found.top, wanted.top)
            assert found.top.shape == (M, min(top, V))


@pytest.mark.parametrize("details", [True, False])
@pytest.mark.parametrize(("scale", "V"), [(1, 20), (1e4, 20), (1, 2500)])
def test_targets_share_rows(scale, V, details, workers, parts, rng):
    xs, W, b = whole_numbers(rng, 7, 3, V)
    W *= np.float32(scale)
    for owners in (rng.permutation(np.concatenate([np.arange(7), rng.integers(0, 7, 25)])), np.zeros(7, int)):
        ts = rng.integers(0, V, len(owners))
        wanted = TimeOutput(W, b).word_scores(xs[owners], ts, details, 3 * details)
        for layer in (FastOutput(W, b, workers), TimeOutput(W, b)):
            agree(layer.word_scores(xs, ts, details, 3 * details, owners), wanted)


def test_a_target_for_each_row(rng):
    xs, W, b = whole_numbers(rng, 7, 3, 20)
    for layer in (FastOutput(W, b), TimeOutput(W, b)):
        with pytest.raises(ArgumentError, match=r"one for each owner, shape \(7,\), got \(6,\)"):
            layer.word_scores(xs, np.zeros(6, int))
        with pytest.raises(IdError, match="targets must be from 0 to 19"):
            layer.word_scores(xs, np.full(7, 20))


@pytest.mark.parametrize("V", [10, 3000])  # the larger one is where few words are looked at
def test_all_scores_are_equal(V, workers):
    layer = FastOutput(np.zeros((2, V), np.float32), np.zeros(V, np.float32), workers)
    found = layer.word_scores(np.ones((5, 2), np.float32), np.arange(5), True, 3)
    assert found.ranks.tolist() == [1] * 5
    assert found.top.tolist() == [[0, 1, 2]] * 5
    np.testing.assert_allclose([found.log_probs, found.top_log_probs[:, 2]], -np.log(V), atol=1e-5)
    np.testing.assert_allclose(found.entropies, np.log(V), atol=1e-5)


@pytest.mark.parametrize("top", [1, 100, 200, 4000])
def test_the_most_probable_of_many_words(top, rng):
    xs, W, b = whole_numbers(rng, 30, 6, 4321, spread=9)
    layers, ts = (FastOutput(W, b), TimeOutput(W, b)), rng.integers(0, 4321, 30)
    found, wanted = (layer.word_scores(xs, ts, True, top) for layer in layers)
    agree(found, wanted, atol=2e-5)
    np.testing.assert_array_equal(found.top, wanted.top)
    np.testing.assert_array_equal(found.ranks, wanted.ranks)


@pytest.mark.parametrize(("weights", "biases"), [
    (1e3, 1), (1, 1e3), (1e3, 1e3), (40, 29), (1e-30, 1), (1, 1e30), (1e35, 1), (1e38, 1e38)])
@pytest.mark.parametrize("V", [7, 2500])
def test_scores_beyond_the_range_of_exp(weights, biases, V, workers, parts, rng):
    xs, W, b = whole_numbers(rng, 12, 3, V)
    W, b = np.float32(weights) * W, np.float32(biases) * b
    layers, ts = (FastOutput(W, b, workers), TimeOutput(W, b)), rng.integers(0, V, 12)
    for details, top in [(False, 0), (True, 3)]:
        with np.errstate(over="ignore", invalid="ignore"):
            found, wanted = (layer.word_scores(xs, ts, details, top) for layer in layers)
        agree(found, wanted)


@pytest.mark.parametrize("V", [9, 2500])
@pytest.mark.parametrize("value", [-np.inf, np.inf, np.nan, -1e38])
def test_words_of_no_finite_score(value, V, parts, rng):
    xs, W, b = whole_numbers(rng, 6, 3, V)
    b[[1, 4]] = value
    layers, ts = (FastOutput(W, b), TimeOutput(W, b)), np.arange(6)
    for details, top in [(False, 0), (True, 2)]:
        with np.errstate(over="ignore", invalid="ignore"):
            found, wanted = (layer.word_scores(xs, ts, details, top) for layer in layers)
        agree(found, wanted)


def test_a_row_of_extreme_scores_among_others(parts, rng):
    xs, W, b = whole_numbers(rng, 9, 3, 50)
    xs[4] *= 1e4
    layers, ts = (FastOutput(W, b), TimeOutput(W, b)), rng.integers(0, 50, 9)
    for details, top in [(False, 0), (True, 2)]:
        agree(*(layer.word_scores(xs, ts, details, top) for layer in layers))


@pytest.mark.parametrize("scale", [1, 4, 12])
def test_against_64_bits(scale, rng):
    """Scores as a trained model's: its entropies are small where it is sure."""
    M, H, V = 50, 40, 10_000
    xs, W = rng.uniform(-1, 1, (M, H)), scale * rng.standard_normal((H, V)) / np.sqrt(H)
    b, ts = -np.log(np.arange(1, V + 1)) + 8, rng.integers(0, V, M)
    narrow = [array.astype(np.float32) for array in (xs, W, b)]
    xs, W, b = (array.astype(np.float64) for array in narrow)
    wanted = plain_scores(xs @ W + b, ts, details=True, top=5)
    layer = FastOutput(*narrow[1:])
    for found in (layer.word_scores(narrow[0], ts), layer.word_scores(narrow[0], ts, True, 5)):
        for name, array in found.arrays().items():
            np.testing.assert_allclose(array, wanted.arrays()[name], atol=1e-5, rtol=0, err_msg=name)


@pytest.mark.parametrize("owners", [np.arange(600), np.zeros(600, int)], ids=["one each", "all of one"])
@pytest.mark.parametrize("bias", [0, np.inf])
def test_memory_does_not_grow_with_rows_and_words(bias, owners, rng, monkeypatch):
    monkeypatch.setattr(fast, "SCORES", 1 << 15)
    monkeypatch.setattr(fast, "NEAR", 1 << 13)
    V = 3000  # 7 MB of scores
    xs, W, b = whole_numbers(rng, 600, 2, V)
    layer, ts = FastOutput(W, b + np.float32(bias)), rng.integers(0, V, 600)
    tracemalloc.start()
    try:
        layer.word_scores(xs, ts, True, 5, owners)
        assert tracemalloc.get_traced_memory()[1] < 2e6
    finally:
        tracemalloc.stop()
