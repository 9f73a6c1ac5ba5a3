"""The processes that a launcher has started, which talk through MPI.

MPI's module is handed in: rnnlm/compute/processes.py loads it.
"""

from __future__ import annotations

import atexit
import os
import time
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute.cores import available_cores, cores_in_sight
from rnnlm.compute.draws import Columns
from rnnlm.compute.launcher import FIRST_SPEAKS
from rnnlm.compute.leaving import FIRST_DRAWS, end_all, ended_by_error
from rnnlm.compute.one_process import WISHES, Processes
from rnnlm.compute.shared_arrays import shared_arrays
from rnnlm.compute.threads import slices
from rnnlm.errors import RnnlmError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from numpy.typing import DTypeLike

PIECE = 1 << 30  # bytes of a message: the counts of older libraries have 31 bits
SHORT, NAP = 0.02, 0.001  # seconds: how long to wait without naps, and a nap
give_way = getattr(os, "sched_yield", lambda: None)  # to whoever needs the core


class MPIProcesses(Processes):
    """The processes that a launcher has started."""

    def __init__(self, MPI: Any, size: int) -> None:
        self.MPI, self.world = MPI, MPI.COMM_WORLD
        self.rank, self.size = self.world.rank, self.world.size
        if self.size != size:
            raise RnnlmError(f"the launcher started {size} processes, but {_library(MPI)}, which mpi4py has loaded, "
                             f"sees {self.size}: start them with the mpiexec of that library")
        self.host = self.world.Split_type(MPI.COMM_TYPE_SHARED)
        self.rank_on_host = self.host.rank
        self._cores = self._count_cores()
        self.wishes, self.heard = np.zeros(WISHES), np.zeros(WISHES)
        self.working, self.agreed_to_leave, self.patience, self.telling = False, (), FIRST_SPEAKS, None
        atexit.register(self._leave)  # before MPI waits for the others

    def columns(self, total: int) -> Columns:
        """Columns next to each other; how many differs by one at most."""
        if total < self.size:
            raise RnnlmError(f"--batch-size must be at least the number of processes, {self.size}, got {total}: start "
                             f"at most {total}")
        return Columns(total * self.rank // self.size, total * (self.rank + 1) // self.size, total)

    def share(self, value: Any) -> Any:
        """The first process's value; the others wait for it without using a core.

        Large arrays are not pickled.  On one host the others have them in the same
        memory, which they cannot write to.
        """
        pickle = self.MPI.pickle
        data, arrays = pickle.dumps_oob(value) if self.first else (b"", [])
        sizes = self._share_bytes(np.array([len(array) for array in arrays], np.int64)).view(np.int64)
        data = self._share_bytes(np.frombuffer(data, np.uint8))
        in_memory = sizes.size > 0 and self.share_memory
        arrays = [self._share_in_memory(size, array) if in_memory else self._received(size, array)
                  for size, array in zip(sizes.tolist(), arrays or sizes, strict=True)]
        return value if self.first else pickle.loads_oob(data, arrays)  # of another process of this very program

    def _share_bytes(self, data):
        """The bytes of the first process; the others do not know how many they are."""
        size = np.array([data.nbytes if self.first else 0], np.int64)
        self._fill(size)
        return self._received(size[0], data)

    def _received(self, size, data):
        """``_share_bytes``, where the number is known."""
        data = np.frombuffer(data, np.uint8) if self.first else np.empty(size, np.uint8)
        self._fill(data)
        return data

    def _share_in_memory(self, size, data):
        """``_received``, in memory that all of this host read."""
        shared = self.one_array((size,), np.uint8)
        if self.first:
            shared[:] = np.frombuffer(data, np.uint8)
        self.barrier()
        shared.flags.writeable = False
        return shared

    def fill(self, array: np.ndarray) -> None:
        """Give the array of all processes the values that it has in the first."""
        flat = _flat(array)
        whole = np.ascontiguousarray(array).reshape(-1) if flat is None else flat
        self._fill(whole)
        if flat is None:
            array[...] = whole.reshape(array.shape)

    def _fill(self, flat):
        for part in slices(flat.size, PIECE // flat.itemsize):
            self.wait(self.world.Ibcast(flat[part]))

    def each(self, value: Any) -> list[Any]:
        """The values of all processes, in order."""
        self.barrier()  # so that this process waits as ``wait`` does
        return self.world.allgather(value)

    @cached_property
    def share_memory(self) -> bool:
        """Whether all processes can write into the same memory."""
        if self.host.size < self.size:
            return False
        try:
            (array,) = shared_arrays(self, [0], (1,), np.uint8)
            if self.first:
                array[0] = 1
        except OSError:  # another system than Linux, or each is in a container of its own
            array = [0]
        self.barrier()
        return all(self.each(bool(array[0])))

    def one_array(self, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
        """An array of zeros, the same memory in all processes."""
        return shared_arrays(self, [0], shape, dtype)[0]

    def array_of_each(self, shape: tuple[int, ...], dtype: DTypeLike) -> list[np.ndarray]:
        """An array of zeros for each process, in memory that the others see, too."""
        return shared_arrays(self, range(self.size), shape, dtype)

    def barrier(self) -> None:
        """Wait for the others; all see then what each has written to shared memory."""
        self.wait(self.world.Ibarrier())

    def begin_sum(self, flat: np.ndarray) -> Any:
        """Begin to add up arrays (n,) of all processes in place; ``wait`` ends it."""
        return self.world.Iallreduce(self.MPI.IN_PLACE, flat)

    def wait(self, request: Any) -> None:
        """Wait for the others.

        MPI's own way to wait keeps a core busy, which another process, perhaps the one
        that is waited for, may need.  And no signal is seen meanwhile.
        """
        patience = time.perf_counter() + SHORT
        while not request.Test():
            if time.perf_counter() < patience:
                give_way()
            else:
                time.sleep(NAP)

    def sum(self, array: np.ndarray) -> None:
        """Add up the arrays of all processes, in place; see Processes."""
        array[-WISHES:] = self.wishes
        self.wait(self.begin_sum(array))
        self.heard = array[-WISHES:].astype(np.float64)

    def begin_to_tell(self, number: float = 0.0) -> None:
        """Begin to tell the others this process's wishes, and a number."""
        self.told = np.append(self.wishes, number)
        self.telling = self.begin_sum(self.told)

    def hear(self) -> float:
        """End what ``begin_to_tell`` began: the sum of the numbers, 0 if it did not."""
        if self.telling is None:
            return 0.0
        self.wait(self.telling)
        self.telling, self.heard = None, self.told[:WISHES]
        return float(self.told[WISHES])

    def agreed(self, wish: int, wished: bool) -> bool:
        """Whether all are to do now what some process wished before the last sum."""
        granted, self.heard[wish] = self.heard[wish] > 0, 0
        self.wishes[wish] = wished and not granted
        return bool(granted)

    def outcome(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call function(*arguments); all raise what it raises in the first process."""
        error = None
        try:
            function(*arguments)
        except Exception as caught:
            if not self.first:
                raise
            error = caught
        error = self.share(self._portable(error))
        if error is not None:
            raise error

    def _portable(self, error):
        """The exception, or one with its message if it cannot travel."""
        try:
            self.MPI.pickle.loads(self.MPI.pickle.dumps(error))
            return error
        except Exception:
            return RnnlmError(str(error))

    def cores(self) -> int:
        """The cores of this process, each divided by how many on this host share it."""
        return self._cores

    def _count_cores(self):
        of_each = self.host.allgather(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity")
                                      else set(range(cores_in_sight())))
        own = of_each[self.host.rank]
        share = sum(1 / sum(core in others for others in of_each) for core in own)
        quota = available_cores() / (self.host.size if available_cores() < len(own) else 1)
        return max(1, int(min(share, quota) + 1e-6))

    @contextmanager
    def together(self, agreed: type[BaseException]) -> Iterator[None]:
        """A block of work: a process that leaves it early ends all others."""
        self.working, self.agreed_to_leave, self.patience = True, agreed, FIRST_SPEAKS
        try:
            yield
        except agreed:
            self.working = False
            raise
        except RnnlmError:
            self.patience = FIRST_DRAWS
            raise
        self.working = False

    def _leave(self):
        """At the end of the process, where MPI would wait for the others for ever.

        A program may call ``rnnlm.train`` again: so an error between two calls counts.
        """
        if self.working or ended_by_error(self.agreed_to_leave):
            end_all(self.rank, self.world.Abort, self.patience)


def _library(MPI):
    name, version = MPI.get_vendor()
    return f"{name} {'.'.join(map(str, version))}"


def _flat(array):
    """A view (n,) of the array as it lies in memory, or None if it has gaps."""
    for order in "CF":
        if array.flags[f"{order}_CONTIGUOUS"]:
            return array.reshape(-1, order=order)
    return None
