"""Where a model's arrays lie and what computes on them: the host, or a GPU.

Arrays carry their module: ``module_of(array)`` is NumPy's for an array in the host's
memory and CuPy's for one on a GPU.  There is no global switch.  This is the only file
that names CuPy, which is loaded when a GPU is asked for.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType
    from typing import Any

    from rnnlm.compute.kernel import Kernel


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

    def put(self, array: np.ndarray) -> Any:
        """The array on this device: a copy, unless it is there already."""
        return array

    def get(self, array: Any) -> np.ndarray:
        """The array in the host's memory: a copy, unless it is there already."""
        return array

    def numbers(self, *scalars: Any) -> list[float]:
        """Scalars, arrays of one number or Python's, as floats: one transfer for all."""
        return [float(scalar) for scalar in scalars]

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

    @property
    def processors(self) -> int:
        """How many blocks run at once, at one for each multiprocessor."""
        return 4


HOST = Device()
