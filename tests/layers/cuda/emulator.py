"""A device on which kernels run without a GPU: C++, a thread of the system a block.

See emulator.hpp for what a kernel may use.
"""

import ctypes
import re
import shutil
import subprocess
from functools import cache, partial
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest

from rnnlm.compute.device import Device

HEADER = Path(__file__).with_name("emulator.hpp")
KERNEL = re.compile(r"__global__\s+(?:__launch_bounds__\s*\([^)]*\)\s*)?void\s+"
                    r"(?:__launch_bounds__\s*\([^)]*\)\s*)?(\w+)\s*\(")
SHARED = 232448  # bytes of shared memory that a block can have on an H100
OPTIONS = ["-std=c++17", "-O1", "-ffp-contract=off", "-Wno-unknown-pragmas", "-shared", "-fPIC", "-pthread"]
TYPES = np.float32, np.float64, np.int32, np.uint32, np.int64, np.uint8, np.uint16, np.uint64  # of arrays
WRAPPER = """
extern "C" void launch_{0}(const unsigned* grid, unsigned threads, size_t shared, void** arguments) {{
    emulator::launch({0}, grid, threads, shared, arguments);
}}
"""

needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++, which runs kernels on a CPU")


@cache
def compiled(source, options):
    """The library of a file's kernels, compiled once a process."""
    folder = Path(mkdtemp())
    call = partial(subprocess.run, check=True, cwd=folder, capture_output=True, text=True)
    try:
        read = call(["g++", "-E", "-P", *options, "-x", "c++", source]).stdout
        text = f'#include "{HEADER}"\n#include "{source}"\n' + "".join(map(WRAPPER.format, KERNEL.findall(read)))
        (folder / "kernels.cpp").write_text(text)
        call(["g++", *options, *OPTIONS, "kernels.cpp", "-o", "kernels.so"])
        return ctypes.CDLL(folder / "kernels.so")
    finally:
        shutil.rmtree(folder)


class Emulator(Device):
    """The host's arrays, and kernels as they are written.

    Parameters
    ----------
    processors : how many blocks a cooperative kernel may have.

    Attributes
    ----------
    launches : the name, the blocks and the threads of each launch.
    """

    name = "emulator"
    processors = 6

    def __init__(self, processors=6):
        super().__init__()
        self.processors, self.launches = processors, []

    def launch(self, kernel, blocks, threads, arguments, shared=0):
        """Run a kernel to its end."""
        grid = (blocks, 1, 1) if isinstance(blocks, int) else (*blocks, 1, 1)[:3]
        assert 0 < threads <= 1024
        assert shared <= SHARED
        assert not kernel.cooperative or np.prod(grid) <= self.processors
        self.launches.append((kernel.name, grid, threads))
        values = [self._value(argument) for argument in arguments]
        pointers = (ctypes.c_void_p * len(values))(*[ctypes.addressof(value) for value in values])
        launch = getattr(compiled(str(kernel.source.resolve()), kernel.options), f"launch_{kernel.name}")
        launch((ctypes.c_uint * 3)(*grid), ctypes.c_uint(threads), ctypes.c_size_t(shared), pointers)

    @staticmethod
    def _value(argument):
        """An argument as the kernel takes it."""
        if isinstance(argument, np.ndarray):
            assert argument.flags.c_contiguous, "kernels take arrays without gaps"
            assert argument.dtype in TYPES, argument.dtype
            return ctypes.c_void_p(argument.ctypes.data)
        return ctypes.c_int32(argument) if isinstance(argument, int) else ctypes.c_float(argument)
