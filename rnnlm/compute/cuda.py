"""A GPU through CuPy, which is loaded when a GPU is asked for.

No other file names CuPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute.device import HOST, Device
from rnnlm.compute.matrix_layout import Product
from rnnlm.errors import ArgumentError, RnnlmError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rnnlm.compute.kernel import Kernel

DEVICES = ("cpu", "cuda", "cuda-tf32")
OLDEST = 7  # compute capability, the first with acquire and release
_FACTORS = np.array([0, 1], np.float32)  # cuBLAS reads the factors of a product from memory
_ZERO = _FACTORS.ctypes.data
_ONE = _ZERO + _FACTORS.itemsize


def device_by_name(name: str, number: int | None = None) -> Device:
    """The Device of a name of DEVICES; RnnlmError if it is not to be had.

    number : which GPU, see Cuda.
    """
    return HOST if name == "cpu" else Cuda(tf32=name == "cuda-tf32", number=number)


class Cuda(Device):
    """A GPU.

    Parameters
    ----------
    tf32 : whether products may be taken in TF32, which has 10 bits of the 23 behind the
        point: faster, and less exact.
    number : which GPU of those that this process may use, from 0; after the last comes
        the first again.  None: CuPy's current one, usually the first.  The calling
        thread computes on it from now on, and no other may use this Device.

    Raises
    ------
    RnnlmError : CuPy or a GPU is missing, or cannot be used.
    """

    def __init__(self, tf32: bool = False, number: int | None = None) -> None:
        super().__init__(_cupy(number))
        self.name, self.tf32 = "cuda-tf32" if tf32 else "cuda", tf32
        self._functions: dict[Kernel, Any] = {}
        gpu = self.xp.cuda.Device()
        attributes = gpu.attributes
        if attributes.get("ComputeCapabilityMajor", OLDEST) < OLDEST:  # its blocks cannot wait for each other in order
            raise RnnlmError(f"--device cuda needs a GPU of compute capability {OLDEST}.0 or more, of 2017 or later: "
                             "leave --device out to train on the processor")
        self._processors = int(attributes["MultiProcessorCount"])
        self._shared_bytes = int(attributes["MaxSharedMemoryPerBlockOptin"])
        if number is not None:  # parts of one GPU have the same address, and names of their own
            properties = self.xp.cuda.runtime.getDeviceProperties(gpu.id)
            self.identity = f"{gpu.pci_bus_id} {properties.get('uuid', '')}"

    def __reduce__(self):
        return device_by_name, (self.name,)

    def require_type(self, dtype: np.dtype) -> None:
        """ArgumentError unless it is float32: the kernels know no other."""
        if dtype != np.float32:
            raise ArgumentError(f"a model on a GPU must be of float32, got {dtype}: leave it on the processor")

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

    @property
    def shared_bytes(self) -> int:
        """How much shared memory a block can have, if it asks for it."""
        return self._shared_bytes

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


def _cupy(number):
    """The module CuPy, which computes on this GPU; RnnlmError unless that can be."""
    try:
        import cupy
    except ImportError as error:
        if error.name != "cupy":
            raise RnnlmError(f"--device cuda finds CuPy and cannot load it ({shown(str(error))}): install it anew: "
                             "pip install --force-reinstall 'numpy-rnnlm[cuda13]', or 'numpy-rnnlm[cuda12]'") from None
        raise RnnlmError("--device cuda needs CuPy, which is not installed: pip install 'numpy-rnnlm[cuda13]', or "
                         "'numpy-rnnlm[cuda12]' for an NVIDIA driver before 580") from None
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:
        raise RnnlmError(f"--device cuda finds no GPU ({shown(str(error))}): see what nvidia-smi says, or leave "
                         "--device out to train on the processor") from None
    try:
        if number is not None:
            cupy.cuda.Device(number % count).use()
        cupy.cuda.get_cublas_handle()
    except ImportError as error:
        raise RnnlmError(f"--device cuda finds CuPy, but not the libraries of CUDA ({shown(str(error))}): pip install "
                         "'numpy-rnnlm[cuda13]', or 'numpy-rnnlm[cuda12]', brings them") from None
    except Exception as error:  # another program may have the GPU to itself, or all of its memory
        raise RnnlmError(f"--device cuda cannot use the GPU ({shown(str(error))}): see what nvidia-smi says, or leave "
                         "--device out to train on the processor") from None
    return cupy
