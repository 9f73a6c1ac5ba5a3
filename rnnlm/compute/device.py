"""Where a model's arrays lie and what computes on them: the host, or a GPU.

Arrays carry their module: ``module_of(array)`` is NumPy for an array in the host's
memory and CuPy for one on a GPU.  There is no global switch.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import ModuleType
    from typing import Any

    from numpy.typing import DTypeLike

    from rnnlm.compute.kernel import Kernel

_BY_MODULE: dict[ModuleType, Device] = {}  # the first device of each array module


def module_of(array: Any) -> ModuleType:
    """The array module of an array: NumPy, or what makes arrays of this kind."""
    return np if isinstance(array, np.ndarray) else sys.modules[type(array).__module__.partition(".")[0]]


class Device:
    """The host: its arrays are NumPy's, and a kernel is its twin in NumPy.

    Attributes
    ----------
    name : what ``--device`` calls it.
    xp : the array module.
    identity : what tells a GPU from the others of its host; "" if it is not known.
    """

    name, identity = "cpu", ""

    def __init__(self, xp: ModuleType = np) -> None:
        self.xp = xp
        self._scratch: dict[str, Any] = {}
        _BY_MODULE.setdefault(xp, self)

    def __reduce__(self):
        return "HOST"  # a copy of a model computes on the same device

    def put(self, array: np.ndarray) -> Any:
        """The array on this device: a copy, unless it is there already."""
        return array

    def get(self, array: Any) -> np.ndarray:
        """The array in the host's memory, in its order: a copy, unless it is there."""
        return array

    def require_type(self, dtype: np.dtype) -> None:
        """ArgumentError unless the device computes with numbers of this type."""

    def numbers(self, *scalars: Any) -> list[float]:
        """Scalars, Python's or arrays of one number, as floats."""
        return [float(scalar) for scalar in scalars]

    @contextmanager
    def filled(self, arrays: Mapping[str, Any]) -> Iterator[dict[str, np.ndarray]]:
        """A block that gets host arrays to fill; afterwards these arrays hold that.

        Parameters
        ----------
        arrays : by name, arrays of this device.
        """
        host = {name: self._to_fill(array) for name, array in arrays.items()}
        yield host
        for name, array in arrays.items():
            if host[name] is not array:
                array[...] = self.put(host[name])

    def _to_fill(self, array):
        """An array of the host that lies in memory as this one does, or itself."""
        if isinstance(array, np.ndarray):
            return array
        return np.empty(array.shape, array.dtype, "C" if array.flags.c_contiguous else "F")

    def launch(self, kernel: Kernel, blocks: int | tuple[int, ...], threads: int, arguments: Sequence[Any],
               shared: int = 0) -> None:
        """Run a kernel.

        Parameters
        ----------
        kernel : the Kernel.
        blocks, threads : how many blocks, and how many threads each has.
        arguments : arrays of this device without gaps, ints (int32) and floats
            (float32), in the order of the kernel's parameters.
        shared : bytes of shared memory that each block gets beside what the kernel
            declares.
        """
        kernel.twin(*arguments)

    def wait(self) -> None:
        """Return when everything that was asked for is done."""

    @property
    def processors(self) -> int:
        """How many blocks run at once, at one for each multiprocessor."""
        return 4

    @property
    def shared_bytes(self) -> int:
        """How much shared memory a block can have."""
        return 232_448  # 227 KB, as on an H100

    def scratch(self, name: str, size: int, dtype: DTypeLike) -> Any:
        """Memory (size,) for a kernel to work in: zeros, then what kernels leave there.

        Calls with the same name get the same memory, which must not grow.
        """
        if name not in self._scratch:
            self._scratch[name] = self.xp.zeros(size, dtype)
        return self._scratch[name]

    def multiply(self, a: Any, b: Any, out: Any, add: bool = False) -> None:
        """out = a @ b, or out += a @ b, of matrices of this device."""
        if add:
            out += a @ b
        else:
            np.matmul(a, b, out=out)


HOST = Device()


def device_of(model: Any) -> Device:
    """The Device of a model; the host for one of the user's own that names none."""
    device = getattr(model, "device", HOST)
    return device if isinstance(device, Device) else HOST


def device_with(array: Any) -> Device:
    """The Device whose kernels can work on an array; the host for all that is no array.

    Of several on one array module it is the first: they differ in their products alone.
    """
    return _BY_MODULE.get(module_of(array), HOST)
