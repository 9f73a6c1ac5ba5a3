"""Processes with a GPU each: their gradients meet in the host's memory.

Each process copies its gradients to its host, where they are added up: in shared memory
if all are on one host, else by MPI.  The sums go back to every GPU, and each makes the
same update of weights of its own.  Of an embedding only rows travel that the window
reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rnnlm.compute.device import device_of
from rnnlm.compute.one_process import WISHES
from rnnlm.training.clipping import global_norm
from rnnlm.training.sharing import Sharing

if TYPE_CHECKING:
    from typing import Any

    from rnnlm.compute.mpi_processes import MPIProcesses
    from rnnlm.compute.threads import Workers

ALL = slice(None)


class Part(NamedTuple):
    """What travels of a gradient: these rows of it, on its device, so many numbers."""

    grad: Any
    rows: Any
    size: int


class DeviceSharing(Sharing):
    """What a Trainer's process shares with the others, its model being on a device.

    Parameters
    ----------
    processes, model, batch_size : see Sharing.
    """

    def __init__(self, processes: MPIProcesses, model: Any, batch_size: int) -> None:
        super().__init__(processes, model, batch_size)
        self.device = device_of(model)
        size, dtype = sum(grad.size for grad in model.packing.grads), self.memory.dtype
        if processes.share_memory:
            self.of_each, self.sums = processes.array_of_each((size,), dtype), processes.one_array((size,), dtype)
            self.memory = self.of_each[processes.rank]
        else:
            self.of_each, self.memory = [], np.empty(size + 1 + WISHES, dtype)

    def gradients(self, xs: np.ndarray, ts: np.ndarray, workers: Workers) -> tuple[Any, Any]:
        """Fill the model's gradients with those of a whole window.

        Returns
        -------
        loss, norm : see Sharing; scalars of the device.
        """
        loss = self._forward(xs, ts)
        self.model.backward()
        parts, start = list(self._parts(xs)), 0
        for part in parts:
            start = self._write(part, start)
        sums, loss = self._sum(start, *self.device.numbers(loss))
        for part in parts:
            sums = self._read(part, sums)
        return self.device.put(np.array(loss)), global_norm(self.model.packing.grads, workers)

    def _parts(self, xs):
        """Yield what travels: all of a gradient, or the rows that the window reads."""
        packing = self.model.packing
        for grad in packing.grads:
            if grad is packing.grad.get("embedding/W"):  # an array of its own: it is not tied
                rows = np.unique(xs)
                yield Part(grad, self.device.put(rows), rows.size * grad.shape[1])
            else:
                yield Part(grad, ALL, grad.size)

    def _write(self, part, start):
        """Copy a part to the host; returns where the next one starts."""
        stop = start + part.size
        self.memory[start:stop] = self.device.get(part.grad[part.rows]).reshape(-1)
        return stop

    def _read(self, part, sums):
        """Copy the sums of a part to the device; returns those of the other parts."""
        part.grad[part.rows] = self.device.put(sums[: part.size].reshape(-1, *part.grad.shape[1:]))
        return sums[part.size :]

    def _sum(self, size, loss):
        """The sums over all processes of so many numbers, and of the losses."""
        if self.of_each:
            return self._sum_in_shared_memory(size, loss)
        numbers = self.memory[: size + 1 + WISHES]
        numbers[size] = loss
        self.processes.sum(numbers)
        return numbers, float(numbers[size])

    def _sum_in_shared_memory(self, size, loss):
        """``_sum``, of which each process computes a slice."""
        processes, numbers = self.processes, np.zeros(1 + WISHES)
        own = slice(size * processes.rank // processes.size, size * (processes.rank + 1) // processes.size)
        processes.barrier()
        np.add(self.of_each[0][own], self.of_each[1][own], out=self.sums[own])
        for array in self.of_each[2:]:
            self.sums[own] += array[own]
        numbers[0] = loss
        processes.sum(numbers)  # afterwards the others have computed their slices, too
        return self.sums, float(numbers[0])
