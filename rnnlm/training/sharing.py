"""A training step of several processes, each of which owns columns of the batch.

All of them draw the whole window, and read their columns of it.  The mean loss of the
batch and its gradients are sums over the processes, taken in two reductions:

1. the output layer's weights, which are most of a word model, while the layers below
   go back;
2. all other gradients, the loss, and what the processes wish (to stop, to save).

Of an embedding only rows travel that the window reads: each process knows the whole
window's ids, so no process has to ask for them.  Clipping and the update follow in each
process, on equal numbers.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute.device import device_of
from rnnlm.compute.draws import Columns
from rnnlm.compute.one_process import WISHES
from rnnlm.errors import ArgumentError, RnnlmError
from rnnlm.training.clipping import global_norm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from typing import Any

    from rnnlm.compute.mpi_processes import MPIProcesses
    from rnnlm.compute.threads import Workers
    from rnnlm.training.records import Sums

STATE = "state/"  # begins the names of a snapshot's arrays that have a row for each column


class Sharing:
    """What a Trainer's process shares with the others.

    Parameters
    ----------
    processes : the Processes.
    model : the LanguageModel; it reads this process's columns from now on.
    batch_size : of the whole batch.

    Attributes
    ----------
    restored : the arrays that the first process has read, until they are shared.
    own : has ``params`` and ``grads``, those that this process updates.
    lets_lag : whether rows of a large embedding may miss steps.
    """

    lets_lag = True

    def __init__(self, processes: MPIProcesses, model: Any, batch_size: int) -> None:
        self.processes, self.model = processes, model
        self.columns = processes.columns(batch_size) or Columns(0, batch_size, batch_size)
        model.set_columns(self.columns)
        self.memory, self.restored = np.empty(0, model.params[0].dtype), None

    def gradients(self, xs: np.ndarray, ts: np.ndarray, workers: Workers) -> tuple[float, float]:
        """Fill the model's gradients with those of a whole window.

        Returns
        -------
        loss : the mean over the window, in nats per token.
        norm : of all gradients together.
        """
        model, processes = self.model, self.processes
        loss = self._forward(xs, ts)
        dout, early = model.backward_output()
        pending = [processes.begin_sum(grad.reshape(-1)) for grad in early]
        model.backward_layers(dout)
        loss = self._sum_late(xs, loss, early)
        for request in pending:
            processes.wait(request)
        model.add_shared()
        return loss, global_norm(model.packing.grads, workers)

    def _forward(self, xs, ts):
        """This process's part of the mean loss."""
        if xs.shape[0] != self.columns.total:
            raise ArgumentError(f"a window must have {self.columns.total} rows, got {xs.shape[0]}")
        return self.model.forward(self.columns.of(xs), self.columns.of(ts)) * self.columns.share

    def _sum_late(self, xs, loss, early):
        """The second reduction; returns the sum of the losses."""
        late = self.model.late_gradients(xs)
        known = {id(grad) for grad in early} | {id(grad) for grad, _ in late}
        late += [(grad, None) for grad in self.model.packing.grads if id(grad) not in known]
        sizes = [grad.size if rows is None else len(rows) * grad.shape[1] for grad, rows in late]
        buffer = self._buffer(sum(sizes) + 1 + WISHES)
        parts = np.split(buffer, np.cumsum([*sizes, 1]))
        for (grad, rows), part in zip(late, parts, strict=False):
            _write(grad, rows, part)
        parts[len(late)][0] = loss
        self.processes.sum(buffer)
        for (grad, rows), part in zip(late, parts, strict=False):
            _read(grad, rows, part)
        return float(parts[len(late)][0])

    @property
    def own(self) -> Any:
        """What this process updates: everything, on its own copy."""
        return self.model.packing

    def updated(self) -> None:
        """End an update."""

    def begin(self) -> None:
        """Hear that the weights are those to train from: at the start, or restored."""

    def agree(self, sums: Sums) -> None:
        """Make all that a snapshot has equal in all processes, and these Sums, too."""

    def arrays(self) -> list[np.ndarray] | None:
        """What a snapshot keeps of the sharing itself, like ``params``; or None."""
        return None

    def slots(self, optimizer: Any) -> dict[str, list[np.ndarray]]:
        """The slots of all parameters."""
        return optimizer.slots_for(self.model.packing.params)

    def averages(self, average: Any) -> list[np.ndarray]:
        """The average of all parameters."""
        return average.values_for(self.model.packing.params)

    @contextmanager
    def keeping(self, block: AbstractContextManager[object]) -> Iterator[None]:
        """A block in which nobody changes the weights, but for what ``block`` does."""
        with block:
            yield

    def _buffer(self, size):
        if self.memory.size < size:
            self.memory = np.empty(size, self.memory.dtype)
        return self.memory[:size]

    def gathered(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Named arrays of a run, the states of all columns in order among them."""
        states = {name: array for name, array in arrays.items() if name.startswith(STATE)}
        of_each = self.processes.each(states) if states else []
        return arrays | {name: np.concatenate([each[name] for each in of_each]) for name in states}

    def whole(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The arrays to read a checkpoint into: states have rows for all columns."""
        return {name: np.zeros((self.columns.total, *array.shape[1:]), array.dtype) if name.startswith(STATE) else array
                for name, array in arrays.items()}

    def fill(self, arrays: dict[str, np.ndarray]) -> None:
        """Give all processes the first one's arrays, each the states of its columns."""
        whole, self.restored = self.restored or self.whole(arrays), None
        device = device_of(self.model)
        for name, array in arrays.items():
            given = device.get(whole[name])
            self.processes.fill(given)
            if name.startswith(STATE):
                given = self.columns.of(given)
            if given is not array:
                array[...] = device.put(given)

    def is_alone(self, name: str) -> bool:
        """Whether a snapshot's array differs from process to process."""
        return name.startswith(STATE)

    def require_scheme(self, scheme: int) -> None:
        """RnnlmError where random numbers do not belong to columns."""
        if scheme == 1:
            raise RnnlmError("the run began with an earlier version, whose random numbers several processes cannot "
                             "share: resume it with one process")


def _write(grad, rows, out):
    """A gradient as numbers (n,) for the sum: an array, or these rows of it."""
    if rows is None:
        out.reshape(grad.shape)[...] = grad
        return
    out[...] = 0
    out.reshape(len(rows), -1)[np.searchsorted(rows, grad.ids)] = grad.values


def _read(grad, rows, values):
    if rows is None:
        grad[...] = values.reshape(grad.shape)
    else:
        grad.ids, grad.values = rows, values.reshape(len(rows), -1)
