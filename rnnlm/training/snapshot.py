"""All that a run needs to continue, between two steps: values and named arrays."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np

from rnnlm.errors import ArgumentError


@dataclass
class Snapshot:
    """The position of a run, and all that its next step depends on.

    Attributes
    ----------
    values : strings and numbers, and dicts of such, as JSON has them.
    arrays : by name, the ones that the run works with: they change with it.
    """

    values: dict
    arrays: dict[str, np.ndarray]

    def copy(self) -> Snapshot:
        """A Snapshot that stays as it is while the run continues."""
        return copy.deepcopy(self)

    def require(self, arrays: dict[str, np.ndarray], iteration: int) -> None:
        """ArgumentError unless ``fill`` takes a run back to this snapshot.

        Parameters
        ----------
        arrays : those of the run.
        iteration : how many updates have been made in them.
        """
        if shapes_of(arrays) != shapes_of(self.arrays):
            raise ArgumentError("a snapshot must be of a trainer that was built alike, got other arrays: "
                                "build the trainer as for the run's beginning")
        taken = self.values["iteration"]
        if taken != iteration and any(_shares_memory(arrays[name], array) for name, array in self.arrays.items()):
            raise ArgumentError(f"a snapshot must hold the arrays of its step, {taken}, got those of this trainer, "
                                f"which are at step {iteration}: keep trainer.snapshot().copy() and restore that")

    def fill(self, arrays: dict[str, np.ndarray]) -> None:
        """Write the snapshot's arrays into others, which ``require`` has accepted."""
        for name, array in arrays.items():
            array[...] = self.arrays[name]


def _shares_memory(array, other):
    """Whether both are arrays of the host, in the same memory."""
    return isinstance(array, np.ndarray) and np.may_share_memory(array, other)


def shapes_of(arrays):
    """The shapes of named arrays, a dict."""
    return {name: array.shape for name, array in arrays.items()}
