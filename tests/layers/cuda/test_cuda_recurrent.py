"""The recurrences for a GPU: kernels against their twins, layers against plain ones."""

import copy

import numpy as np
import pytest
from device_arrays import StandIn
from emulator import Emulator, needs_compiler
from recurrent_layers import SameMask, random_arrays, states

from rnnlm.compute.device import HOST, Device
from rnnlm.compute.functions import ACTIVATIONS
from rnnlm.layers.cuda import CudaLSTM, CudaRNN, geometry, recurrent
from rnnlm.layers.lstm import TimeLSTM
from rnnlm.layers.rnn import TimeRNN

LAYERS = {"tanh": (CudaRNN, TimeRNN), "lstm": (CudaLSTM, TimeLSTM)}
EMULATED = Emulator()  # up to 6 blocks


class Counting(Device):
    """The host, which notes the kernels that are launched."""

    def __init__(self):
        super().__init__()
        self.names = []

    def launch(self, kernel, *_args, **_options):
        self.names.append(kernel.name)
        super().launch(kernel, *_args, **_options)


def pair(cell, D, H, device, dtype=np.float64, drop=0, **options):
    """A layer for a GPU and the plain one, with the same numbers."""
    arrays = random_arrays(cell, D, H, np.random.default_rng(H), dtype)
    drops = [SameMask(drop, rng=np.random.default_rng(0)) if drop else None for _ in range(2)]
    cuda, plain = LAYERS[cell]
    return (cuda(*arrays, stateful=True, device=device, weight_drop=drops[0], **options),
            plain(*copy.deepcopy(arrays), stateful=True, weight_drop=drops[1], **options))


def compare(layer, plain, N, T, D, windows=2, **tolerance):
    """Both read the same windows: states, gradients and what goes on agree."""
    rng, H, dtype = np.random.default_rng(N), plain.hidden_size, plain.params[0].dtype
    for _ in range(windows):
        xs = rng.normal(size=(N, T, D)).astype(dtype)
        dhs = rng.normal(size=(N, T, H)).astype(dtype)
        np.testing.assert_allclose(layer.forward(xs), plain.forward(xs), **tolerance)
        np.testing.assert_allclose(layer.backward(dhs), plain.backward(dhs), **tolerance)
        for one, other in zip([*states(layer), *states(layer, "d"), *layer.grads],
                              [*states(plain), *states(plain, "d"), *plain.grads], strict=True):
            np.testing.assert_allclose(one, other, **tolerance)


def divide_by(monkeypatch, groups, streams, units, columns, column_warps, parts, held=0, count=None):
    """Let layers be divided like this, forward and backward, whatever their sizes."""
    def launches(N, H, gates, backward, *_limits):
        wide, inputs = (units, gates * H) if backward else (units * gates, H)
        warps, width = max(column_warps, -(-wide // (4 * columns))), -(-inputs // 32) * 32
        shared = 4 * (wide * (width + 4 + parts * streams) + 2 * streams * width * bool(held))
        return count or N, geometry.Division(groups, streams, units, -(-H // units), columns, warps, parts, held,
                                             shared, 0)

    monkeypatch.setattr(recurrent, "launches", launches)


# Each number of streams, and of columns, is a compilation: others are slow.
OTHER = pytest.mark.slow


@needs_compiler
@pytest.mark.parametrize("cell", LAYERS)
@pytest.mark.parametrize(("N", "H", "division"), [
    (5, 12, (2, 3, 4, 3, 1, 1)),        # two groups of three blocks, of 3 and 2 streams
    (7, 9, (3, 3, 5, 3, 1, 2)),         # three groups, the last with 1 stream; the second block with fewer units
    (3, 33, (1, 3, 17, 3, 2, 3)),       # inputs end after a warp's first step
    (6, 5, (3, 3, 5, 3, 1, 2)),         # one block a group, the last group without streams
    (7, 5, (2, 3, 3, 3, 1, 1, 0, 5)),   # a launch for 5 streams, a launch for 2
    (5, 33, (2, 3, 33, 3, 3, 2, 3)),    # weights in registers, for LSTMs 3 of the 5 reads of their inputs
    pytest.param(1, 1, (1, 1, 1, 5, 1, 1), marks=OTHER),
    pytest.param(2, 7, (1, 2, 3, 2, 2, 1), marks=OTHER),  # more warps than columns
    pytest.param(5, 7, (1, 5, 4, 10, 1, 2), marks=OTHER),
    pytest.param(8, 6, (1, 8, 2, 5, 2, 1), marks=OTHER),
    pytest.param(10, 6, (1, 10, 2, 3, 2, 1), marks=OTHER),
], ids=lambda x: "-".join(map(str, x)) if isinstance(x, tuple) else str(x))
def test_kernels_compute_what_the_plain_layers_do(monkeypatch, cell, N, H, division):
    divide_by(monkeypatch, *division)
    layer, plain = pair(cell, 3, H, EMULATED, np.float32)
    compare(layer, plain, N, 3, 3, rtol=2e-5, atol=2e-5)
    assert not layer._counters().any()  # ready for the next launch


@needs_compiler
@pytest.mark.parametrize("activation", ["relu", "sigmoid", "identity"])
def test_kernels_know_the_activations(monkeypatch, activation):
    divide_by(monkeypatch, 2, 3, 5, 3, 1, 1)
    layer, plain = pair("tanh", 3, 5, EMULATED, np.float32, activation=activation)
    compare(layer, plain, 4, 2, 3, rtol=2e-5, atol=2e-5)


@needs_compiler
def test_a_state_may_be_given_in_part(monkeypatch):
    divide_by(monkeypatch, 1, 3, 3, 3, 1, 1)
    layer, plain = pair("lstm", 2, 3, EMULATED, np.float32)
    for state in ((None, np.ones((3, 3), np.float32)), (np.ones((3, 3), np.float32), None)):
        layer.set_state(*state)
        plain.set_state(*state)
        compare(layer, plain, 3, 1, 2, windows=1, rtol=2e-5, atol=2e-5)


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize("cell", LAYERS)
@pytest.mark.parametrize(("N", "H"), [(1, 40), (3, 65), (12, 70)])
def test_what_the_geometry_says_is_right(cell, N, H):
    layer, plain = pair(cell, 9, H, EMULATED, np.float32, drop=0.3)
    compare(layer, plain, N, 2, 9, rtol=1e-4, atol=1e-4)
    assert layer.divisions


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("drop", [0, 0.4])
@pytest.mark.parametrize(("N", "T"), [(1, 1), (3, 4)])
@pytest.mark.parametrize(("cell", "activation"), [("lstm", None), *(("tanh", name) for name in ACTIVATIONS)])
def test_twins_compute_what_the_plain_layers_do(cell, activation, N, T, drop, dtype):
    options = {"activation": activation} if activation else {}
    layer, plain = pair(cell, 4, 5, HOST, dtype, drop, **options)
    compare(layer, plain, N, T, 4, rtol=1e-10 if dtype == np.float64 else 1e-4, atol=1e-5 if dtype == np.float32 else 0)
    assert layer.divisions


@pytest.mark.parametrize("cell", LAYERS)
def test_without_state_each_window_starts_from_zeros(cell):
    layer, plain = pair(cell, 4, 5, HOST)
    layer.stateful = plain.stateful = False
    compare(layer, plain, 3, 2, 4, rtol=1e-10)


@pytest.mark.parametrize("cell", LAYERS)
def test_many_streams_are_read_by_several_launches(cell):
    device = Counting()
    layer, plain = pair(cell, 2, 3, device)
    N = 2 * 4 * 10 + 1  # four blocks of 10 streams are a launch
    compare(layer, plain, N, 2, 2, windows=1, rtol=1e-10)
    assert len([name for name in device.names if name.endswith("_forward")]) == 3


@pytest.mark.parametrize("cell", LAYERS)
def test_weights_that_do_not_fit_are_left_to_the_plain_loop(monkeypatch, cell):
    layer, plain = pair(cell, 2, 3, Counting())
    monkeypatch.setattr(Counting, "shared_bytes", 100)
    compare(layer, plain, 4, 2, 2, rtol=1e-10)
    assert not layer.device.names


@pytest.mark.parametrize("cell", LAYERS)
def test_arrays_stay_on_their_device(cell):
    device, rng = StandIn(), np.random.default_rng(0)
    arrays = random_arrays(cell, 4, 5, rng)
    layer = LAYERS[cell][0](*map(device.put, arrays), stateful=True, device=device)
    plain = LAYERS[cell][1](*arrays, stateful=True)
    xs, dhs = rng.normal(size=(2, 3, 4, 4)), rng.normal(size=(2, 3, 4, 5))
    for window in range(2):
        hs = plain.forward(xs[window])
        np.testing.assert_allclose(device.get(layer.forward(device.put(xs[window]))), hs, rtol=1e-10)
        dxs = plain.backward(dhs[window])
        np.testing.assert_allclose(device.get(layer.backward(device.put(dhs[window]))), dxs, rtol=1e-10)
    for one, other in zip([*states(layer, "d"), *layer.grads], [*states(plain, "d"), *plain.grads], strict=True):
        np.testing.assert_allclose(device.get(one), other, rtol=1e-10)


@pytest.mark.parametrize("cell", LAYERS)
def test_a_window_is_few_launches(cell):
    layer, _ = pair(cell, 4, 5, Counting(), np.float32)
    prefix = "lstm" if cell == "lstm" else "rnn"
    xs = np.ones((3, 6, 4), np.float32)
    layer.forward(xs)
    assert layer.device.names == [f"{prefix}_forward"]
    layer.backward(np.ones((3, 6, 5), np.float32))
    assert layer.device.names[1:] == [f"{prefix}_backward", "column_sums"]


@pytest.mark.parametrize("cell", LAYERS)
def test_backward_again_gives_the_same(cell):
    layer, _ = pair(cell, 4, 5, HOST)
    layer.forward(np.ones((3, 6, 4)))
    dhs = np.random.default_rng(0).normal(size=(3, 6, 5))
    dxs, grads = layer.backward(dhs).copy(), copy.deepcopy(layer.grads)
    np.testing.assert_array_equal(layer.backward(dhs), dxs)
    for one, other in zip(layer.grads, grads, strict=True):
        np.testing.assert_array_equal(one, other)
