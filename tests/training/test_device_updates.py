"""Update, norm and average by kernels, checked against the plain ones."""

import math

import numpy as np
import pytest
from device_arrays import StandIn
from layers.cuda.emulator import Emulator, needs_compiler

from rnnlm.compute.device import HOST
from rnnlm.errors import ArgumentError
from rnnlm.training import device_updates
from rnnlm.training.averaging import Average
from rnnlm.training.clipping import clip_scale, global_norm
from rnnlm.training.device_updates import Clip
from rnnlm.training.optimizers import OPTIMIZERS, SGD, Adam

on_kernels = pytest.mark.parametrize(("device", "dtype"), [
    pytest.param(HOST, np.float64, id="twins, 64 bits"),
    pytest.param(HOST, np.float32, id="twins, 32 bits"),
    pytest.param(Emulator(), np.float32, id="kernels", marks=[needs_compiler, pytest.mark.slow]),
])
SHAPES = [(5,), (3, 4), (700,)]  # the last: more than one block


def arrays(rng, dtype):
    return [rng.normal(size=shape).astype(dtype) for shape in SHAPES]


def options(dtype):
    """Rates and decays: a number, none, and an array."""
    decays = np.linspace(0, 0.5, 700).astype(dtype)
    return {"factors": [1.0, 0.5, 2.0], "decays": [0.1, 0.0, decays]}


@on_kernels
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("norm", [None, 0.5, 8.0])
def test_a_step_of_each_rule(device, dtype, name, norm, rng):
    plain, ours = (OPTIMIZERS[name](0.1, **options(dtype)) for _ in range(2))
    params = arrays(rng, dtype)
    mine = [w.copy() for w in params]
    clip = None if norm is None else Clip(np.array(norm), 2.0)
    scale = 0.25 if clip is None else clip_scale(norm, 2.0)
    for _ in range(3):
        grads = arrays(rng, dtype)
        plain.update(params, grads, scale)
        ours.steps += 1
        fused = ours.fused(scale if clip is None else 1.0)
        device_updates.update(device, ours._by_parameter(mine, grads), fused, clip)
    tolerance = 1e-13 if dtype == np.float64 else 1e-6
    for found, wanted in [(mine, params), *((ours.slots[slot], plain.slots[slot]) for slot in plain.slot_names)]:
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


@on_kernels
@pytest.mark.parametrize("norm", [math.nan, math.inf])
def test_after_a_norm_that_is_not_finite_all_stays(device, dtype, norm, rng):
    params, grads, rule = arrays(rng, dtype), arrays(rng, dtype), Adam(0.1)
    kept = [w.copy() for w in params]
    rule.steps += 1
    device_updates.update(device, rule._by_parameter(params, grads), rule.fused(1.0), Clip(np.array(norm), 2.0))
    for w, before in zip(params, kept, strict=True):
        np.testing.assert_array_equal(w, before)
    assert not any(slot.any() for slots in rule.slots.values() for slot in slots)


@on_kernels
@pytest.mark.parametrize("count", [1, 3, 4, 9])
def test_norm(device, dtype, count, rng):
    grads = [rng.normal(size=size).astype(dtype) for size in (5, 2000, (30, 7), 1, 60, 1, 2, 3, 4)[:count]]
    exact = math.sqrt(sum(float((grad.astype(np.float64) ** 2).sum()) for grad in grads))
    for _ in range(2):
        assert float(device_updates.global_norm(device, grads)) == pytest.approx(exact, rel=1e-12)
    grads[-1].flat[0] = np.nan
    assert math.isnan(float(device_updates.global_norm(device, grads)))


@on_kernels
def test_average_and_exchange(device, dtype, rng):
    params, values = arrays(rng, dtype), arrays(rng, dtype)
    wanted = [a + 0.3 * (w - a) for w, a in zip(params, values, strict=True)]
    device_updates.average(device, params, values, 0.3)
    for a, mean in zip(values, wanted, strict=True):
        np.testing.assert_allclose(a, mean, rtol=1e-5, atol=1e-6)
    kept = [[array.copy() for array in some] for some in (params, values)]
    device_updates.exchange(device, params, values)
    for some, others in zip((values, params), kept, strict=True):
        for array, other in zip(some, others, strict=True):
            np.testing.assert_array_equal(array, other)
    device_updates.average(device, params, values, 1.0)
    for w, a in zip(params, values, strict=True):
        np.testing.assert_array_equal(w, a)


class Halved(SGD):
    """A rule of a user's own, which is not known as numbers."""

    def rule(self, scale):
        def step(out, rate, w, g):
            np.multiply(g, 0.5 * rate * scale, out=out)
            w -= out

        return step


@pytest.mark.parametrize("rule", [*OPTIMIZERS.values(), Halved])
def test_arrays_of_a_device_are_updated_there(rule, rng):
    device = StandIn()
    plain, ours = (rule(0.1, **options(np.float32)) for _ in range(2))
    ours.decays = [0.1, 0.0, device.put(plain.decays[2])]
    average, mean = Average(), Average()
    params = arrays(rng, np.float32)
    own = [device.put(w) for w in params]
    for _ in range(3):
        grads = arrays(rng, np.float32)
        theirs = [device.put(g) for g in grads]
        norm, own_norm = global_norm(grads), global_norm(theirs)
        assert float(own_norm) == pytest.approx(norm)
        plain.update(params, grads, clip_scale(norm, 0.5))
        ours.update(own, theirs, clip_scale(own_norm, 0.5))
        average.update(params, 1.0)
        mean.update(own, 1.0)
    assert ours.steps == 3
    with average.in_place(params), mean.in_place(own):
        for w, here in zip(params, own, strict=True):
            np.testing.assert_allclose(device.get(here), w, rtol=1e-5, atol=1e-6)
    for w, here in zip(params, own, strict=True):
        np.testing.assert_allclose(device.get(here), w, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rule", [SGD, Halved])
def test_a_norm_that_is_not_finite_changes_no_weight(rule):
    device = StandIn()
    w, g = device.put(np.ones(3, np.float32)), device.put(np.full(3, np.inf, np.float32))
    rule(0.1).update([w], [g], clip_scale(global_norm([g]), 1.0))
    np.testing.assert_array_equal(device.get(w), 1)


def test_misfits_are_named(rng):
    device, rule = StandIn(), SGD(0.1)
    w, g = device.put(np.zeros(3, np.float32)), device.put(np.zeros(4, np.float32))
    with pytest.raises(ArgumentError, match="grads must be arrays of their parameters' shapes"):
        rule.update([w], [g])
    matrix = np.zeros((2, 3), np.float32)
    with pytest.raises(ValueError, match="the same order"):
        rule.update([device.put(matrix)], [device.put(np.zeros((3, 2), np.float32)).T])
