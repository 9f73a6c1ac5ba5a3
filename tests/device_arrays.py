"""Arrays of a device that is not there: NumPy's, which refuse to meet the host's.

They stand in for a GPU's, as CuPy has them: whoever mixes the two without ``put`` and
``get`` gets a TypeError.  This module is also their array module.
"""

from __future__ import annotations

import numpy as np

from rnnlm.compute.device import Device

float32, float64, int32, int64, intp, uint16 = np.float32, np.float64, np.int32, np.int64, np.intp, np.uint16


def _own(x):
    """The NumPy array under an array of the device; TypeError for one of the host."""
    if isinstance(x, Array):
        return x.values
    if isinstance(x, np.ndarray):
        raise TypeError("an array of the host met one of the device")
    if isinstance(x, list | tuple):
        return type(x)(map(_own, x))
    return x


def _wrapped(x):
    if isinstance(x, np.ndarray | np.generic):
        return Array(np.asarray(x))
    return type(x)(map(_wrapped, x)) if isinstance(x, list | tuple) else x


class Array(np.lib.mixins.NDArrayOperatorsMixin):
    """An array of the device; it does what the layers ask of CuPy's."""

    __array_priority__ = 100

    def __init__(self, values):
        self.values = values

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        if method != "__call__":
            raise TypeError(f"{ufunc.__name__}.{method} is not to be had on the device")
        if out is not None:
            options["out"] = tuple(map(_own, out))
        result = getattr(ufunc, method)(*map(_own, inputs), **options)
        return out[0] if out is not None else _wrapped(result)

    def __array_function__(self, function, types, args, options):
        if function.__name__ not in FUNCTIONS:
            raise TypeError(f"{function.__name__} is not to be had on the device")
        out = options.get("out")
        result = function(*map(_own, args), **{name: _own(value) for name, value in options.items()})
        return out if out is not None else _wrapped(result)

    def __array__(self, *_, **__):
        raise TypeError("an array of the device is read by get alone")

    def __getitem__(self, key):
        return Array(np.asarray(self.values[_own(key)]))

    def __setitem__(self, key, value):
        self.values[_own(key)] = _own(value)

    def __iter__(self):
        return map(Array, self.values)

    def __len__(self):
        return len(self.values)

    def __float__(self):
        return float(self.values)

    def __bool__(self):
        raise TypeError("a condition on an array of the device waits for it: read it by get")

    @property
    def T(self):
        return Array(self.values.T)

    def reshape(self, *shape, order="C"):
        return Array(self.values.reshape(*shape, order=order))

    def __getattr__(self, name):
        if name in ("shape", "dtype", "ndim", "size", "nbytes", "itemsize", "strides", "flags"):
            return getattr(self.values, name)
        if name in ("swapaxes", "sum", "copy", "astype", "ravel", "view", "max", "transpose"):
            return lambda *args, **options: _wrapped(getattr(self.values, name)(*args, **options))
        raise AttributeError(name)


FUNCTIONS = {"split", "concatenate", "stack", "zeros_like", "full_like", "empty_like", "fill_diagonal", "dot",
             "may_share_memory", "shape", "ndim", "size", "any", "copyto", "sum", "take"}


def asarray(x, dtype=None):
    """The device's array of the same numbers: what CuPy's copies from the host."""
    return x if isinstance(x, Array) else Array(np.array(x, dtype))


def _maker(name):
    def make(*args, **options):
        return Array(getattr(np, name)(*map(_own, args), **options))

    return make


empty, zeros, ones, arange, ascontiguousarray = map(_maker, ("empty", "zeros", "ones", "arange", "ascontiguousarray"))


class StandIn(Device):
    """A device with memory of its own, which computes with the kernels' twins."""

    name = "a stand-in"

    def __init__(self):
        import device_arrays

        super().__init__(device_arrays)

    def __reduce__(self):
        return StandIn, ()

    def put(self, array):
        return asarray(array)

    def get(self, array):
        return array if isinstance(array, np.ndarray) else array.values.copy(order="A")

    def launch(self, kernel, blocks, threads, arguments, shared=0):
        for argument in arguments:
            assert isinstance(argument, Array | int | float), f"{kernel.name} got {type(argument)}"
            if isinstance(argument, Array):
                flags = argument.flags
                assert flags.c_contiguous or flags.f_contiguous, f"{kernel.name} got an array with gaps"
        kernel.twin(*map(_own, arguments))
