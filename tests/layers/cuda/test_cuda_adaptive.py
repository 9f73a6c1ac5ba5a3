"""Adaptive softmax and adaptive input of a device, checked against the plain layers."""

import numpy as np
import pytest
from held_to_plain import agree, agree_all, on_devices, put

from rnnlm.compute.device import HOST
from rnnlm.errors import ArgumentError, IdError
from rnnlm.layers import TimeAdaptiveEmbedding, TimeAdaptiveOutput
from rnnlm.layers.adaptive import tail_shapes
from rnnlm.layers.cuda import CudaAdaptiveEmbedding, CudaAdaptiveOutput
from rnnlm.layers.cuda import adaptive as module

D, V, CUTOFFS = 8, 23, (5, 12)
IDS = ([[0, 4, 5], [11, 12, 22]],     # of every kind
       [[1, 5, 2], [11, 5, 5]],       # none in the last cluster
       [[0, 1, 2]],                   # none in any
       [[-1, 12, 3], [5, -1, -1]],    # some that do not count
       [[-1, -1]])


def arrays(rng, dtype):
    """W and b of the head, then P and W of each cluster, which lie as in a model."""
    size = CUTOFFS[0] + len(CUTOFFS)
    shapes = [(D, size), (size,), *(shape for tail in tail_shapes(D, CUTOFFS, V) for shape in tail.values())]
    found = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    return [array if i in (2, 4) else np.asarray(array, order="F") for i, array in enumerate(found)]  # P by rows


def both(device, rng, dtype):
    params = arrays(rng, dtype)
    return TimeAdaptiveOutput(*params), CudaAdaptiveOutput(*put(device, *params), device=device)


@on_devices
def test_training(device, dtype, rng):
    plain, layer = both(device, rng, dtype)
    for ids in IDS:
        ts = np.array(ids)
        xs = rng.normal(size=(*ts.shape, D)).astype(dtype)
        loss = layer.forward(*put(device, xs), ts)
        assert loss.shape == () and float(loss) == pytest.approx(plain.forward(xs, ts), rel=1e-6)
        for _ in range(2):
            agree(device, device.get(layer.target_log_probs())[ts >= 0], plain.target_log_probs()[ts >= 0], dtype)
        for dout in (1, 0.5, 1):
            agree(device, layer.backward(dout), plain.backward(dout), dtype)
            agree_all(device, layer.grads, plain.grads, dtype)


@on_devices
def test_scores(device, dtype, rng):
    plain, layer = both(device, rng, dtype)
    for ids in IDS[:3]:
        ts = np.array(ids)
        xs = rng.normal(size=(*ts.shape, D)).astype(dtype)
        (own,) = put(device, xs)
        agree(device, layer.scores(own), plain.scores(xs), dtype)
        agree(device, layer.log_probs(own, ts), plain.log_probs(xs, ts), dtype)
    agree(device, layer.products_by_word(own[0]), plain.products_by_word(xs[0]), dtype)
    agree(device, layer.biases, plain.biases, dtype)


@on_devices
@pytest.mark.parametrize("at_a_time", [1, 60, 10**6])
def test_word_scores(device, dtype, at_a_time, monkeypatch, rng):
    monkeypatch.setattr(module, "SCORES", at_a_time)
    plain, layer = both(device, rng, dtype)
    rows, ts, owners = rng.normal(size=(5, D)).astype(dtype), np.array([0, 22, 5, 11, 4, 12, 1]), [4, 0, 0, 1, 2, 2, 3]
    (own,) = put(device, rows)
    for details, top in ((False, 0), (True, 0), (True, 3)):
        found = layer.word_scores(own, ts, details, top, np.array(owners)).arrays()
        for name, array in plain.word_scores(rows, ts, details, top, np.array(owners)).arrays().items():
            agree(HOST, found[name], array, dtype)


@on_devices
def test_embedding(device, dtype, rng):
    W, _, *tails = arrays(rng, dtype)
    shared = [W.T[: CUTOFFS[0]], *(array.T for array in tails)]  # as a tied model has them
    plain, layer = TimeAdaptiveEmbedding(*shared), CudaAdaptiveEmbedding(*put(device, *shared), device=device)
    for ids in IDS:
        xs = np.abs(np.array(ids))
        dxs = rng.normal(size=(*xs.shape, D)).astype(dtype)
        agree(device, layer.forward(xs), plain.forward(xs), dtype)
        plain.backward(dxs)
        for _ in range(2):
            layer.backward(*put(device, dxs))
            agree_all(device, layer.grads, plain.grads, dtype)


def test_wrong_ids_are_named(rng):
    _, layer = both(HOST, rng, np.float32)
    xs = np.zeros((2, 2, D), np.float32)
    for wrong in (V, -2):
        with pytest.raises(IdError, match=f"targets must be from 0 to {V - 1}"):
            layer.forward(xs, np.full((2, 2), wrong))
    with pytest.raises(IdError, match=f"targets must be from 0 to {V - 1}"):
        layer.log_probs(xs, np.full((2, 2), -1))
    with pytest.raises(ArgumentError, match="one for each step"):
        layer.log_probs(xs, np.zeros((2, 3), int))
