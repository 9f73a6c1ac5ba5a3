"""Kernels: functions in CUDA C++, each with a twin in NumPy that says what it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Kernel:
    """A function that runs on a GPU.

    Parameters
    ----------
    name : of the ``extern "C" __global__`` function.
    source : the file in CUDA C++ that has it.
    twin : a function of the same arguments, on NumPy arrays, which fills the same
        arrays.  It ignores what only says how the work is divided.
    cooperative : all its blocks run at once, so that they can wait for each other.
    options : what else the compiler is told, such as ``-DSTREAMS=5``.
    """

    name: str
    source: Path
    twin: Callable[..., None]
    cooperative: bool = False
    options: tuple[str, ...] = ()
