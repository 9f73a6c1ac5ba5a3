"""Processes of one host: one copy of the weights, of which each updates a slice.

Each process has the gradients of its columns in memory that the others can read.  When
all are there, it adds up one slice of them, from all processes, and updates this slice
of the weights, which are the same memory for all.  So no gradient travels, and both the
sum and the update take a process a part of the time.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute.device import HOST, device_of
from rnnlm.compute.one_process import WISHES
from rnnlm.compute.row_gradient import RowGradient
from rnnlm.errors import ArgumentError
from rnnlm.training.averaging import Average
from rnnlm.training.catching_up import ROWS
from rnnlm.training.clipping import global_norm
from rnnlm.training.device_sharing import DeviceSharing
from rnnlm.training.local_steps import LocalSteps
from rnnlm.training.optimizer import Optimizer
from rnnlm.training.sharing import Sharing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from typing import Any

    from rnnlm.compute.mpi_processes import MPIProcesses
    from rnnlm.compute.one_process import Processes
    from rnnlm.compute.threads import Workers
    from rnnlm.training import protocols

ALIGNED = 16  # numbers of a slice are a multiple of so many: the slices of two processes share no cache line


class Slices:
    """The slices of all arrays that this process updates: ``params`` and ``grads``."""

    def __init__(self, params: list[np.ndarray], grads: list[Any]) -> None:
        self.params, self.grads = params, grads


class SharedMemory(Sharing):
    """What a Trainer's process shares with the others of its host.

    Parameters
    ----------
    processes, model, batch_size : see Sharing.
    optimizer, average : the parts of the Trainer; they get slices from now on.
    """

    lets_lag = False

    def __init__(self, processes: MPIProcesses, model: Any, batch_size: int, optimizer: Optimizer,
                 average: Average | None) -> None:
        super().__init__(processes, model, batch_size)
        packing = model.packing
        self.weights = [processes.one_array(w.shape, w.dtype) for w in packing.params]
        self.of_each = [processes.array_of_each(w.shape, w.dtype) for w in packing.params]
        if processes.first:
            for new, w in zip(self.weights, packing.params, strict=True):
                new[...] = w
        processes.barrier()
        model.lie_in(self.weights, [None if isinstance(grad, RowGradient) else arrays[processes.rank]
                                    for grad, arrays in zip(packing.grads, self.of_each, strict=True)])
        self.parts = [self._part(len(w)) for w in self.weights]
        grads = [RowGradient(w[part]) if isinstance(grad, RowGradient) else arrays[processes.rank][part]
                 for w, grad, arrays, part in zip(self.weights, packing.grads, self.of_each, self.parts, strict=True)]
        self._slices = Slices(self._own(self.weights), grads)
        self._slots = {name: self._new() for name in optimizer.slot_names}
        optimizer.slots = {name: self._own(arrays) for name, arrays in self._slots.items()}
        optimizer.decays = [decay[part] if np.ndim(decay) else decay
                            for decay, part in zip(optimizer.decays, self.parts, strict=False)]
        self._averages = self._new() if average else []
        if average:
            average.values = self._own(self._averages)

    def _part(self, size):
        """The slice of an array of this length."""
        rank, count = self.processes.rank, self.processes.size
        start, stop = (size * edge // count // ALIGNED * ALIGNED for edge in (rank, rank + 1))
        return slice(start, size if rank == count - 1 else stop)

    def _new(self):
        return [self.processes.one_array(w.shape, w.dtype) for w in self.weights]

    def _own(self, arrays):
        return [array[part] for array, part in zip(arrays, self.parts, strict=True)]

    @property
    def own(self) -> Slices:
        """What this process updates."""
        return self._slices

    def gradients(self, xs: np.ndarray, ts: np.ndarray, workers: Workers) -> tuple[float, float]:
        """Fill this process's slices of the gradients with those of a whole window."""
        loss = self._forward(xs, ts)
        self.model.backward()
        rows = dict(self._write_rows(xs))
        self.processes.barrier()
        for i, (arrays, part) in enumerate(zip(self.of_each, self.parts, strict=True)):
            if i in rows:
                self._sum_rows(i, rows[i])
            else:
                self._sum([array[part] for array in arrays])
        numbers = np.zeros(2 + WISHES)
        numbers[:2] = loss, global_norm(self.own.grads, workers) ** 2
        self.processes.sum(numbers)
        return float(numbers[0]), math.sqrt(numbers[1])

    def _write_rows(self, xs):
        """Show the others the rows that the window reads; yield (index, their ids)."""
        late = {id(grad): rows for grad, rows in self.model.late_gradients(xs)}
        for i, grad in enumerate(self.model.packing.grads):
            if isinstance(grad, RowGradient):
                rows = late[id(grad)]
                shown = self.of_each[i][self.processes.rank][: len(rows)]
                shown[...] = 0
                shown[np.searchsorted(rows, grad.ids)] = grad.values
                yield i, rows

    def _sum_rows(self, i, rows):
        """The gradient of this process's rows of the matrix."""
        part, own = self.parts[i], self.own.grads[i]
        here = slice(*np.searchsorted(rows, (part.start, part.stop)))
        own.ids, own.values = rows[here] - part.start, self._sum([array[here] for array in self.of_each[i]])

    def _sum(self, arrays):
        """Add the arrays of the other processes to this one's; return that."""
        own = arrays[self.processes.rank]
        for rank, array in enumerate(arrays):
            if rank != self.processes.rank:
                own += array
        return own

    def updated(self) -> None:
        """End an update: the next step reads what all have written."""
        self.processes.barrier()

    def slots(self, optimizer: Any) -> dict[str, list[np.ndarray]]:
        """The slots of all parameters."""
        return self._slots

    def averages(self, average: Any) -> list[np.ndarray]:
        """The average of all parameters."""
        return self._averages

    @contextmanager
    def keeping(self, block: AbstractContextManager[object]) -> Iterator[None]:
        """A block in which nobody changes the weights, but for what ``block`` does."""
        with block:
            self.processes.barrier()
            yield
            self.processes.barrier()
        self.processes.barrier()

    def fill(self, arrays: dict[str, np.ndarray]) -> None:
        """Give all processes what is not in shared memory."""
        self.processes.barrier()
        frozen = self.model.frozen
        super().fill({name: array for name, array in arrays.items() if self.is_alone(name) or name in frozen})


def sharing(processes: Processes, model: Any, batches: protocols.Batches | None, optimizer: Any,
            average: Any, sync_every: int | None) -> Sharing | None:
    """How a Trainer of these parts shares its steps; None: it is alone."""
    if batches is None and (sync_every or processes.size > 1):
        raise ArgumentError("what several processes share, and sync_every, need batches: give them to the Trainer")
    if sync_every:
        return LocalSteps(processes, model, batches.batch_size, sync_every, optimizer, average)
    if processes.size == 1:
        return None
    if device_of(model) is not HOST:
        return DeviceSharing(processes, model, batches.batch_size)
    lags = any(isinstance(grad, RowGradient) and len(w) >= ROWS
               for w, grad in zip(model.packing.params, model.packing.grads, strict=True))
    known = isinstance(optimizer, Optimizer) and (average is None or isinstance(average, Average))
    if known and not lags and processes.share_memory:
        return SharedMemory(processes, model, batches.batch_size, optimizer, average)
    return Sharing(processes, model, batches.batch_size)
