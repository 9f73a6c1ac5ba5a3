"""The output layer of a device, checked against the plain one."""

import numpy as np
import pytest
from held_to_plain import agree, agree_all, on_devices, put

from rnnlm.compute.device import HOST
from rnnlm.errors import ArgumentError, IdError
from rnnlm.layers import TimeOutput
from rnnlm.layers.cuda import CudaOutput
from rnnlm.layers.cuda import output as module


def both(device, rng, H, V, dtype, scale=1.0, order="F"):
    W, b = (scale * rng.normal(size=(H, V))).astype(dtype), (scale * rng.normal(size=V)).astype(dtype)
    return TimeOutput(W, b), CudaOutput(*put(device, np.asarray(W, order=order), b), device)


@on_devices
@pytest.mark.parametrize(("N", "T", "H", "V", "order"), [(1, 1, 3, 2, "F"), (2, 3, 4, 9, "C"), (3, 2, 5, 40, "F")])
def test_training(device, dtype, N, T, H, V, order, rng):
    plain, layer = both(device, rng, H, V, dtype, order=order)
    for step in range(3):
        xs, ts = rng.normal(size=(N, T, H)).astype(dtype), rng.integers(0, V, (N, T))
        if step:
            ts[0, 0] = layer.ignore_label
        (own,) = put(device, xs)
        loss = layer.forward(own, ts)
        assert loss.shape == ()
        assert float(loss) == pytest.approx(plain.forward(xs, ts), rel=1e-6)
        agree(device, device.get(layer.target_log_probs())[ts >= 0], plain.target_log_probs()[ts >= 0], dtype)
        for dout in (1, 0.5, 1):
            dxs = layer.backward(dout)
            agree(device, dxs, plain.backward(dout), dtype)
            agree_all(device, layer.grads, plain.grads, dtype)
        assert device.get(own).tobytes() == xs.tobytes()


@on_devices
def test_more_words_than_the_threads_of_a_block_read_at_a_time(device, dtype, rng):
    plain, layer = both(device, rng, 5, 2500, dtype)
    xs, ts = rng.normal(size=(2, 2, 5)).astype(dtype), rng.integers(0, 2500, (2, 2))
    (own,) = put(device, xs)
    assert float(layer.forward(own, ts)) == pytest.approx(plain.forward(xs, ts), rel=1e-6)
    agree(device, layer.backward_states(), plain.backward_states(), dtype)


@on_devices
def test_scores(device, dtype, rng):
    plain, layer = both(device, rng, 4, 9, dtype)
    xs, ts = rng.normal(size=(3, 2, 4)).astype(dtype), rng.integers(0, 9, (3, 2))
    (own,) = put(device, xs)
    agree(device, layer.scores(own), plain.scores(xs), dtype)
    agree(device, layer.log_probs(own, ts), plain.log_probs(xs, ts), dtype)
    rows = xs.reshape(-1, 4)
    (own,) = put(device, rows)
    agree(device, layer.products_by_word(own), plain.products_by_word(rows), dtype)
    agree(device, layer.biases, plain.biases, dtype)


@on_devices
@pytest.mark.parametrize("at_a_time", [1, 30, 10**6])
def test_word_scores(device, dtype, at_a_time, monkeypatch, rng):
    monkeypatch.setattr(module, "SCORES", at_a_time)
    plain, layer = both(device, rng, 4, 9, dtype)
    rows, ts = rng.normal(size=(5, 4)).astype(dtype), rng.integers(0, 9, 7)
    owners = np.array([4, 0, 0, 1, 2, 2, 3])
    (own,) = put(device, rows)
    for details, top in ((False, 0), (True, 0), (False, 3), (True, 20)):
        for given, targets in ((owners, ts), (None, ts[:5])):
            found = layer.word_scores(own, targets, details, top, given).arrays()
            wanted = plain.word_scores(rows, targets, details, top, given).arrays()
            assert found.keys() == wanted.keys()
            for name, array in wanted.items():
                assert isinstance(found[name], np.ndarray)
                agree(HOST, found[name], array, dtype)


@on_devices
@pytest.mark.parametrize("size", [80.0, 1e4])
def test_large_scores_neither_overflow_nor_vanish(device, dtype, size, rng):
    W, b = np.zeros((2, 3), dtype), np.array([size, -size, 0], dtype)
    layer = CudaOutput(*put(device, W, b), device)
    (xs,) = put(device, np.ones((1, 3, 2), dtype))
    assert float(layer.forward(xs, np.array([[0, 1, 2]]))) == pytest.approx(size)  # (0 + 2 size + size) / 3
    layer.backward()
    np.testing.assert_allclose(device.get(layer.grads[1]), [2 / 3, -1 / 3, -1 / 3], rtol=1e-6)


@on_devices
def test_not_a_number_is_not_hidden(device, dtype):
    layer = CudaOutput(*put(device, np.ones((2, 3), dtype), np.zeros(3, dtype)), device)
    (xs,) = put(device, np.full((1, 2, 2), np.nan, dtype))
    with np.errstate(invalid="ignore"):
        assert np.isnan(float(layer.forward(xs, np.array([[0, 1]]))))
        assert np.isnan(device.get(layer.backward())).all()


@on_devices
def test_without_a_target_that_counts_the_loss_is_zero(device, dtype, rng):
    _, layer = both(device, rng, 4, 9, dtype)
    (xs,) = put(device, rng.normal(size=(2, 2, 4)).astype(dtype))
    assert float(layer.forward(xs, np.full((2, 2), -1))) == 0
    assert not device.get(layer.backward()).any()


def test_a_loss_stays_when_the_next_is_computed(rng):
    _, layer = both(HOST, rng, 4, 9, np.float32)
    xs, ts = rng.normal(size=(2, 2, 4)).astype(np.float32), rng.integers(0, 9, (2, 2))
    first = layer.forward(xs, ts)
    kept = float(first)
    layer.forward(2 * xs, ts)
    assert float(first) == kept


def test_wrong_targets_are_named(rng):
    _, layer = both(HOST, rng, 4, 9, np.float32)
    xs = np.zeros((2, 2, 4), np.float32)
    for wrong in (9, -2):
        with pytest.raises(IdError, match="targets must be from 0 to 8"):
            layer.forward(xs, np.full((2, 2), wrong))
    with pytest.raises(IdError, match="targets must be from 0 to 8"):
        layer.log_probs(xs, np.full((2, 2), -1))
    with pytest.raises(ArgumentError, match="one for each step"):
        layer.forward(xs, np.zeros((2, 3), int))
