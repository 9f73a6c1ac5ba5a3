"""Dropout on a device draws and drops as the plain layers do."""

import numpy as np
import pytest
from device_arrays import StandIn
from held_to_plain import agree_all, on_devices, put

from rnnlm.compute.draws import SCHEME, Columns
from rnnlm.layers import TimeDropout, TimeEmbedding, TimeWordDropout, WeightDrop
from rnnlm.layers.cuda import CudaDropout, CudaEmbedding, CudaWeightDrop, CudaWordDropout
from rnnlm.layers.cuda.draws import bits_on


def generators():
    return [np.random.default_rng(3) for _ in range(2)]


@on_devices
@pytest.mark.parametrize("per_window", [False, True])
@pytest.mark.parametrize("scheme", [1, 2])
def test_values(device, dtype, per_window, scheme, rng):
    ours, theirs = generators()
    layer = CudaDropout(0.4, device, rng=ours, per_window=per_window)
    plain = TimeDropout(0.4, rng=theirs, per_window=per_window)
    layer.random_scheme = plain.random_scheme = scheme
    for N, T, D in ((3, 4, 5), (1, 1, 1), (7, 2, 61)):
        xs, dxs = rng.normal(size=(2, N, T, D)).astype(dtype)
        own, back = put(device, xs, dxs)
        first = layer.forward(own)
        agree_all(device, [first, layer.backward(back), layer.backward(back)],
                  [plain.forward(xs), plain.backward(dxs), plain.backward(dxs)], dtype)
        assert (device.get(first) == 0).any() or D == 1
    assert ours.bit_generator.state == theirs.bit_generator.state


@on_devices
def test_columns_of_a_batch(device, dtype, rng):
    ours, theirs = generators()
    layer, plain = CudaDropout(0.4, device, rng=ours), TimeDropout(0.4, rng=theirs)
    layer.columns = plain.columns = Columns(2, 5, 9)
    xs = rng.normal(size=(3, 4, 5)).astype(dtype)
    for _ in range(2):
        agree_all(device, [layer.forward(*put(device, xs))], [plain.forward(xs)], dtype)
    assert ours.bit_generator.state == theirs.bit_generator.state


def test_the_bits_of_some_columns_are_drawn_on_the_device(rng):
    class Launches(StandIn):
        kernels = ()

        def launch(self, kernel, *arguments):
            self.kernels += (kernel.name,)
            super().launch(kernel, *arguments)

    device = Launches()
    assert bits_on(device, rng, 3, 20, Columns(2, 5, 9), SCHEME).shape == (3, 20)
    assert device.kernels == ("pcg64",)


@on_devices
def test_words(device, dtype, rng):
    W, (ours, theirs) = rng.normal(size=(9, 4)).astype(dtype), generators()
    layer = CudaWordDropout(CudaEmbedding(*put(device, W), device), 0.4, device, rng=ours)
    plain = TimeWordDropout(TimeEmbedding(W), 0.4, rng=theirs)
    for _ in range(2):
        xs, dxs = rng.integers(0, 9, (3, 5)), rng.normal(size=(3, 5, 4)).astype(dtype)
        agree_all(device, [layer.forward(xs)], [plain.forward(xs)], dtype)
        layer.backward(*put(device, dxs))
        plain.backward(dxs)
        agree_all(device, layer.grads, plain.grads, dtype)


@on_devices
@pytest.mark.parametrize(("H", "gates"), [(1, 1), (3, 1), (5, 4)])
def test_weights(device, dtype, H, gates, rng):
    ours, theirs = generators()
    layer, plain = CudaWeightDrop(0.4, device, rng=ours), WeightDrop(0.4, rng=theirs)
    Wh, dWh = rng.normal(size=(2, H, gates * H)).astype(dtype)
    own, back = put(device, Wh, dWh)
    agree_all(device, [layer.forward(own), layer.backward(back)], [plain.forward(Wh), plain.backward(dWh)], dtype)
    agree_all(device, [own, back], [Wh, dWh], dtype)


@on_devices
def test_nothing_is_dropped_in_evaluation(device, dtype, rng):
    (xs,) = put(device, rng.normal(size=(2, 3, 4)).astype(dtype))
    for layer in (CudaDropout(0.4, device, rng=rng), CudaDropout(0.0, device, rng=None),
                  CudaWeightDrop(0.4, device, rng=rng)):
        layer.train = layer.ratio == 0
        assert layer.forward(xs) is xs
        assert layer.backward(xs) is xs
