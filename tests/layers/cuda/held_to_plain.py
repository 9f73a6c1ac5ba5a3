"""The devices on which a layer is checked against the plain one, and how exactly."""

import numpy as np
import pytest
from device_arrays import StandIn
from emulator import Emulator, needs_compiler

from rnnlm.compute.device import HOST

on_devices = pytest.mark.parametrize(("device", "dtype"), [
    pytest.param(HOST, np.float64, id="twins, 64 bits"),
    pytest.param(HOST, np.float32, id="twins, 32 bits"),
    pytest.param(StandIn(), np.float32, id="memory apart"),
    pytest.param(Emulator(), np.float32, id="kernels", marks=[needs_compiler, pytest.mark.slow]),
])
TOLERANCE = {np.float32: 1e-5, np.float64: 1e-10}


def put(device, *arrays):
    """Arrays of the device that lie in memory as these do."""
    copies = [array.copy("K") for array in arrays]
    return [device.put(copy.T).T if copy.ndim == 2 and copy.flags.f_contiguous else device.put(copy)
            for copy in copies]


def agree(device, found, plain, dtype):
    """Relative to the largest number: 1e-5 in float32, 1e-10 in float64."""
    found, plain = np.asarray(device.get(found)), np.asarray(plain)
    assert found.shape == plain.shape
    np.testing.assert_allclose(found, plain, rtol=0, atol=TOLERANCE[dtype] * max(np.abs(plain).max(initial=0), 1e-30))


def agree_all(device, found, plain, dtype):
    """``agree`` for lists."""
    for one, other in zip(found, plain, strict=True):
        agree(device, one, other, dtype)
