"""Where a model's arrays lie and what computes on them: the host, or a GPU.

Arrays carry their module: ``module_of(array)`` is NumPy for an array in the host's
memory and CuPy for one on a GPU.  There is no global switch.  This is the only file
that names CuPy, which is loaded when a GPU is asked for.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute.matrix_layout import Product
from rnnlm.errors import RnnlmError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import ModuleType
    from typing import Any

    from numpy.typing import DTypeLike

    from rnnlm.compute.kernel import Kernel

DEVICES = ("cpu", "cuda", "cuda-tf32")
_BY_MODULE: dict[ModuleType, Device] = {}  # the first device of each array module


_FACTORS = np.array([0, 1], np.float32)  # cuBLAS reads the factors of a product from memory
_ZERO = _FACTORS.ctypes.data
_ONE = _ZERO + _FACTORS.itemsize


def module_of(array: Any) -> ModuleType:
    """The array module of an array: NumPy, or what makes arrays of this kind."""
    return np if isinstance(array, np.ndarray) else sys.modules[type(array).__module__.partition(".")[0]]


class Device:
    """The host: its arrays are NumPy's, and a kernel is its twin in NumPy.

    Attributes
    ----------
    name : what ``--device`` calls it.
    xp : the array module.
    """

    name = "cpu"

    def __init__(self, xp: ModuleType = np) -> None:
        self.xp = xp
        self._scratch: dict[str, Any] = {}
        _BY_MODULE.setdefault(xp, self)

    def __reduce__(self):
        return device_by_name, (self.name,)  # a copy of a model computes on the same device

    def put(self, array: np.ndarray) -> Any:
        """The array on this device: a copy, unless it is there already."""
        return array

    def get(self, array: Any) -> np.ndarray:
        """The array in the host's memory, in its order: a copy, unless it is there."""
        return array

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


class Cuda(Device):
    """A GPU, the first that this process may use.

    Parameters
    ----------
    tf32 : whether products may be taken in TF32, which has 10 bits of the 23 behind the
        point: faster, and less exact.

    Raises
    ------
    RnnlmError : CuPy or a GPU is missing.
    """

    def __init__(self, tf32: bool = False) -> None:
        super().__init__(_cupy())
        self.name, self.tf32 = "cuda-tf32" if tf32 else "cuda", tf32
        self._functions: dict[Kernel, Any] = {}
        self._processors = int(self.xp.cuda.Device().attributes["MultiProcessorCount"])

    def put(self, array: np.ndarray) -> Any:
        """The array on the GPU."""
        return self.xp.asarray(array)

    def get(self, array: Any) -> np.ndarray:
        """The array in the host's memory."""
        return array if isinstance(array, np.ndarray) else array.get(order="A")

    def launch(self, kernel: Kernel, blocks: int | tuple[int, ...], threads: int, arguments: Sequence[Any],
               shared: int = 0) -> None:
        """Run a kernel; the call returns before the kernel ends."""
        function, most = self._functions.get(kernel) or (self._compiled(kernel), 0)
        if shared > most:  # what a kernel may have without being asked is less
            function.max_dynamic_shared_size_bytes = most = shared
        self._functions[kernel] = function, most
        grid = (blocks,) if isinstance(blocks, int) else blocks
        function(grid, (threads,), tuple(map(_argument, arguments)), shared_mem=shared)

    def _compiled(self, kernel):
        """The kernel's function; CuPy keeps what it has compiled on the disk."""
        options = "-std=c++17", "--device-int128", *kernel.options
        module = self.xp.RawModule(code=kernel.source.read_text(encoding="utf-8"), options=options,
                                   enable_cooperative_groups=kernel.cooperative)
        return module.get_function(kernel.name)

    def wait(self) -> None:
        """Return when the GPU has nothing left to do."""
        self.xp.cuda.get_current_stream().synchronize()

    @property
    def processors(self) -> int:
        """The number of multiprocessors."""
        return self._processors

    def multiply(self, a: Any, b: Any, out: Any, add: bool = False) -> None:
        """out = a @ b, or out += a @ b: one call of cuBLAS where the strides allow."""
        product = Product.of(a, b, out)
        if product is None:
            return self._multiply_copies(a, b, out, add)
        p, cuda = product, self.xp.cuda
        first, second = (b, a) if p.swapped else (a, b)
        handle = cuda.get_cublas_handle()
        blas = cuda.cublas
        # The handle is the thread's, which others may use, too.
        blas.setMathMode(handle, blas.CUBLAS_TF32_TENSOR_OP_MATH if self.tf32 else blas.CUBLAS_DEFAULT_MATH)
        blas.sgemm(handle, *p.transposed, *p.sizes, _ONE, first.data.ptr, p.first, second.data.ptr,
                   p.second, _ONE if add else _ZERO, out.data.ptr, p.out)
        return None

    def _multiply_copies(self, a, b, out, add):
        """``multiply`` where a matrix has no rows or columns without gaps."""
        a, b = self.xp.ascontiguousarray(a), self.xp.ascontiguousarray(b)
        if Product.of(a, b, out):
            self.multiply(a, b, out, add)
            return
        product = self.xp.empty(out.shape, out.dtype)
        self.multiply(a, b, product)
        out[...] = out + product if add else product


def _argument(value):
    """A kernel's argument with the type that it has there."""
    return np.int32(value) if isinstance(value, int) else np.float32(value) if isinstance(value, float) else value


def _cupy():
    """The module CuPy; RnnlmError unless it is installed and finds a GPU."""
    try:
        import cupy
    except ImportError:
        raise RnnlmError("--device cuda needs CuPy, which is not installed: pip install 'numpy-rnnlm[cuda13]', or "
                         "'numpy-rnnlm[cuda12]' for an NVIDIA driver before 580") from None
    try:
        cupy.cuda.runtime.getDeviceCount()
    except Exception as error:
        raise RnnlmError(f"--device cuda finds no GPU ({shown(str(error))}): see what nvidia-smi says, or leave "
                         "--device out to train on the processor") from None
    return cupy


def device_by_name(name: str) -> Device:
    """The Device of a name of DEVICES; RnnlmError if it is not to be had."""
    return HOST if name == "cpu" else Cuda(tf32=name == "cuda-tf32")


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
