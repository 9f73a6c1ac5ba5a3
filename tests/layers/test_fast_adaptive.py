"""The fast layers of adaptive softmax, checked against the plain ones."""

import numpy as np
import pytest
from test_adaptive import arrays

from rnnlm.compute.threads import Workers
from rnnlm.layers import TimeAdaptiveEmbedding, TimeAdaptiveOutput
from rnnlm.layers.fast import FastAdaptiveEmbedding, FastAdaptiveOutput, output, tail, word_blocks, word_scores

TOLERANCE = {np.float32: 1e-5, np.float64: 1e-10}
SIZES = [(1, 1, 3, 4, (1, 2)), (3, 2, 6, 11, (4, 7)), (4, 5, 9, 60, (10,)), (2, 9, 20, 90, (8, 9, 40))]  # N, T, D, V


def agree(fast, plain, dtype):
    """Relative to the whole."""
    fast, plain = np.asarray(fast), np.asarray(plain)
    assert fast.shape == plain.shape
    np.testing.assert_allclose(fast, plain, rtol=0, atol=TOLERANCE[dtype] * max(np.abs(plain).max(), 1e-30))


@pytest.fixture(params=[1, 2], ids=["1 thread", "2 threads"])
def workers(request):
    with Workers(request.param) as workers:
        yield workers


@pytest.fixture(params=[0, 40, 10**6], ids=lambda kept: f"{kept} kept")
def shared(request, monkeypatch):
    """Divide at sizes of the tests; keep little, some and all of the exponentials."""
    monkeypatch.setattr(word_blocks, "KEPT", request.param)
    for module in (output, tail):
        monkeypatch.setattr(module, "BLOCK", 4)
        monkeypatch.setattr(module, "LARGE", 1)
    for name, value in {"PRODUCT": 5, "SCORES": 100, "LEAST_ROWS": 3, "NEAR": 60, "GROUPS": 9}.items():
        monkeypatch.setattr(word_scores, name, value)


def layers(rng, dtype, D, V, cutoffs, workers, scale=1.0):
    params = [(scale * array).astype(dtype) for array in arrays(rng, dtype, D, V, cutoffs)]
    return TimeAdaptiveOutput(*params), FastAdaptiveOutput(*map(np.asfortranarray, params), workers=workers)


@pytest.mark.parametrize("scale", [1.0, 100.0], ids=["", "beyond the range of exp"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("N", "T", "D", "V", "cutoffs"), SIZES)
def test_output(N, T, D, V, cutoffs, dtype, scale, workers, shared, rng):
    plain, fast = layers(rng, dtype, D, V, cutoffs, workers, scale)
    kinds = ((0, V), (0, cutoffs[0]), (cutoffs[-1], V), (cutoffs[0], V))  # first none, then only targets in clusters
    for step, (first, last) in enumerate(kinds):
        xs, ts = rng.normal(size=(N, T, D)).astype(dtype), rng.integers(first, last, (N, T))
        agree(fast.scores(xs), plain.scores(xs), dtype)
        agree(fast.log_probs(xs, ts), plain.log_probs(xs, ts), dtype)
        if step == 1:
            ts[0, 0] = fast.ignore_label
        agree(fast.forward(xs, ts), plain.forward(xs, ts), dtype)
        for dout in (1, 0.5, 1):
            dxs = fast.backward(dout)
            agree(dxs, plain.backward(dout), dtype)
            for fast_grad, plain_grad in zip(fast.grads, plain.grads, strict=True):
                agree(fast_grad, plain_grad, dtype)


@pytest.mark.parametrize(("N", "T", "D", "V", "cutoffs"), SIZES)
def test_word_scores(N, T, D, V, cutoffs, workers, shared, rng):
    plain, fast = layers(rng, np.float64, D, V, cutoffs, workers)
    rows, owners = rng.normal(size=(N * T, D)), rng.integers(0, N * T, 2 * N * T)
    ts = rng.integers(0, V, len(owners))
    agree(fast.products_by_word(rows), plain.products_by_word(rows), np.float64)
    for details, top in ((False, 0), (True, 3)):
        found, wanted = (layer.word_scores(rows, ts, details, top, owners).arrays() for layer in (fast, plain))
        assert found.keys() == wanted.keys()
        for name, array in wanted.items():
            np.testing.assert_allclose(found[name], array, rtol=1e-10, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("N", "T", "D", "V", "cutoffs"), SIZES)
def test_embedding(N, T, D, V, cutoffs, dtype, rng):
    W, _, *tails = arrays(rng, dtype, D, V, cutoffs)
    params = [np.ascontiguousarray(W.T[: cutoffs[0]]), *(array.T.copy() for array in tails)]
    plain, fast = TimeAdaptiveEmbedding(*params), FastAdaptiveEmbedding(*params)
    for first, last in ((0, V), (0, cutoffs[0]), (cutoffs[-1], V)):
        xs, dxs = rng.integers(first, last, (N, T)), rng.normal(size=(N, T, D)).astype(dtype)
        agree(fast.forward(xs), plain.forward(xs), dtype)
        plain.backward(dxs)
        for _ in range(2):
            fast.backward(dxs)
            for fast_grad, plain_grad in zip(fast.grads, plain.grads, strict=True):
                agree(fast_grad, plain_grad, dtype)
