"""What the parts of a run owe the Trainer: any class with these members will do.

``Model`` and ``Optimizer`` are what Trainer.step needs.  ``ModelToFit``, ``Batches``,
``Schedule`` and ``Average`` are what Trainer.fit needs.  ``Stateful`` parts,
``ModelToSave`` and ``OptimizerToSave`` are what Trainer.snapshot and Trainer.restore
need.
"""

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

    packing: Packing

    def forward(self, xs, ts) -> float:
        """Mean loss of a window (N, T) in nats per token."""

    def backward(self) -> None:
        """Fill ``packing.grads`` with the gradients of the last loss."""


class Stateful(Protocol):
    """What can go on later, or in another process, where it stood at a snapshot."""

    def snapshot(self) -> dict:
        """What is needed for it, but for arrays: strings, numbers and dicts of such."""

    def restore(self, values: dict) -> None:
        """Go on from a snapshot."""


class ModelToFit(Model, Protocol):
    """A model that carries a state from window to window."""

    def reset_state(self) -> None:
        """Forget what was read."""

    def set_progress(self, progress: float) -> None:
        """Be told which part of the training is done, from 0 to 1."""


class ModelToSave(ModelToFit, Stateful, Protocol):
    """A model whose parameters and states have names."""

    random_scheme: int  # how its random numbers are made: see rnnlm/compute/draws.py

    def named_params(self) -> dict[str, np.ndarray]:
        """The parameters, the ones that it works with."""

    def named_state(self, N: int) -> dict[str, np.ndarray]:
        """The states of N streams, the ones that the next window starts from."""


class Optimizer(Protocol):
    """An update rule."""

    lr: float

    def update(self, params, grads, scale, workers) -> Any:
        """One step in place, with the gradients times scale."""


class OptimizerToSave(Optimizer, Stateful, Protocol):
    """An update rule whose memory can be saved."""

    def slots_for(self, params: Arrays) -> dict[str, Arrays]:
        """What the rule remembers, by slot, in the order of the parameters."""


class Batches(Protocol):
    """Windows of a text, in order."""

    batch_size: int  # streams
    time_size: int  # steps of a window
    stream_length: int
    position: int  # in each stream
    random_length: bool  # whether windows vary in length
    at_end: bool

    def __iter__(self):
        """Pairs (xs, ts) from ``position`` on."""


class Schedule(Protocol):
    """The learning rate over time, and when to stop."""

    stop: bool

    def rate(self, step: int, progress: float) -> float:
        """The rate of a step."""

    def update(self, loss: float) -> bool:
        """Take the validation loss of an epoch; whether it is the best so far."""


class Average(Protocol):
    """A mean of the weights, to validate and to save in their place."""

    def update(self, params: Arrays, progress: float, workers) -> None:
        """Take the weights after a step in."""

    def in_place(self, params: Arrays) -> AbstractContextManager:
        """A block in which the parameters hold the average."""


class AverageToSave(Average, Stateful, Protocol):
    """A mean of the weights that can be saved."""

    count: int  # steps averaged

    def values_for(self, params: Arrays) -> Arrays:
        """The arrays of the mean."""


def members(protocol):
    """The names that a protocol and those it is made from ask for, a list."""
    names = [name for kind in protocol.__mro__ if kind not in (Protocol, Generic, object)
             for name in (*get_annotations(kind), *vars(kind))]
    return [name for name in dict.fromkeys(names) if not name.startswith("_") or name == "__iter__"]
