"""What the parts of a training run owe the Trainer.

Any class with these members will do.

``Model`` and ``Optimizer`` are what Trainer.step needs.  ``ModelToFit``, ``Batches``,
``Schedule`` and ``Average`` are what Trainer.fit needs.  ``Stateful`` parts,
``ModelToSave``, ``OptimizerToSave``, ``BatchesToSave`` and ``AverageToSave`` are what
Trainer.snapshot and Trainer.restore need.  With a ``ModelOfRows`` and an
``OptimizerThatCatchesUp`` the rows of a large embedding may miss steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from inspect import get_annotations
from typing import Any, Generic, Protocol

import numpy as np

Arrays = list[np.ndarray]


class Packing(Protocol):
    """The parameters and their gradients in as few arrays as possible."""

    params: Arrays
    grads: list[Any]  # arrays and RowGradients

    def by_name(self, packed: Arrays) -> dict[str, np.ndarray]:
        """Arrays that lie like ``params``, as views by the names of parameters."""


class Model(Protocol):
    """A differentiable loss."""

    @property
    def packing(self) -> Packing:
        """The memory that it works with."""

    def forward(self, xs: np.ndarray, ts: np.ndarray) -> float:
        """Mean loss of a window (N, T) in nats per token."""

    def backward(self) -> None:
        """Fill ``packing.grads`` with the gradients of the last loss."""


class Stateful(Protocol):
    """What can continue from a snapshot, later or in another process."""

    def snapshot(self) -> dict:
        """What that needs except for arrays: strings, numbers and dicts of such."""

    def restore(self, values: dict) -> None:
        """Continue from a snapshot."""


class ModelToFit(Model, Protocol):
    """A model that carries a state from window to window."""

    def reset_state(self) -> None:
        """Forget what was read."""

    def set_progress(self, progress: float) -> None:
        """Take in which part of the training is done, from 0 to 1."""


class ModelToSave(ModelToFit, Stateful, Protocol):
    """A model whose parameters and states have names."""

    random_scheme: int  # how its random numbers are made: see rnnlm/compute/draws.py

    def named_params(self) -> dict[str, np.ndarray]:
        """The parameters, the ones that it works with."""

    def named_state(self, N: int) -> dict[str, np.ndarray]:
        """The states of N streams, the ones that the next window starts from."""

    def fresh_state(self) -> AbstractContextManager:
        """A block that starts from no states; afterwards they are as before."""


class ModelOfRows(Model, Protocol):
    """A model that reads few rows of some parameters."""

    def rows_read(self, xs: np.ndarray) -> list[np.ndarray | None]:
        """For each parameter the ids of the rows that a window (N, T) reads."""


class Optimizer(Protocol):
    """An update rule."""

    lr: float

    def update(self, params: Arrays, grads: list[Any], scale: float, workers: Any) -> Any:
        """One step in place, with the gradients times scale."""


class OptimizerToSave(Optimizer, Stateful, Protocol):
    """An update rule whose memory can be saved."""

    def slots_for(self, params: Arrays) -> dict[str, Arrays]:
        """The arrays that the rule remembers: for each slot, one for each parameter."""


class OptimizerThatCatchesUp(Optimizer, Protocol):
    """An update rule with which rows may miss steps until they are read again."""

    def catch_up(self, params: Arrays, grads: list[Any], rows: list[np.ndarray | None], workers: Any) -> None:
        """Bring these rows up to date; others may miss the next step."""

    def settle(self, params: Arrays, workers: Any) -> None:
        """Bring all rows up to date; none misses the next step."""

    def settled(self, params: Arrays, workers: Any) -> AbstractContextManager:
        """A block in which all rows are up to date."""

    def lag_arrays(self, params: Arrays, grads: list[Any]) -> tuple[np.ndarray, dict[int, np.ndarray]]:
        """What says how far rows are behind: see rnnlm/training/catching_up.py."""


class Batches(Protocol):
    """Windows of a text, in order."""

    batch_size: int  # streams
    time_size: int  # steps of a window
    stream_length: int
    position: int  # in each stream
    random_length: bool  # whether windows vary in length

    @property
    def at_end(self) -> bool:
        """Whether all windows were read."""

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Pairs (xs, ts) from ``position`` on."""


class BatchesToSave(Batches, Stateful, Protocol):
    """Windows whose order can be saved."""

    random_scheme: int  # how their random numbers are made: see rnnlm/compute/draws.py


class Schedule(Protocol):
    """The learning rate over time, and when to stop."""

    @property
    def stop(self) -> bool:
        """Whether the training should end."""

    def rate(self, step: int, progress: float) -> float:
        """The rate of a step."""

    def update(self, loss: float) -> bool:
        """Take the validation loss of an epoch; whether it is the best so far."""


class Average(Protocol):
    """A mean of the weights, which is validated and saved in place of them."""

    def update(self, params: Arrays, progress: float, workers: Any) -> None:
        """Take in the weights after a step."""

    def in_place(self, params: Arrays) -> AbstractContextManager:
        """A block in which the parameters hold the average."""


class AverageToSave(Average, Stateful, Protocol):
    """A mean of the weights that can be saved."""

    count: int  # steps averaged; ``snapshot`` has it under this name

    def values_for(self, params: Arrays) -> Arrays:
        """The arrays of the mean."""


def members(protocol):
    """The names that a protocol and those it is made from ask for, a list."""
    names = [name for kind in protocol.__mro__ if kind not in (Protocol, Generic, object)
             for name in (*get_annotations(kind), *vars(kind))]
    return [name for name in dict.fromkeys(names) if not name.startswith("_") or name == "__iter__"]
