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

    def fill(self, arrays: dict[str, np.ndarray]) -> None:
        """Write the snapshot's arrays into others with the same names and shapes.

        ArgumentError unless they have them.
        """
        if shapes_of(arrays) != shapes_of(self.arrays):
            raise ArgumentError("a snapshot must be of a trainer that was built alike, got other arrays: "
                                "build the trainer as for the run's beginning")
        for name, array in arrays.items():
            array[...] = self.arrays[name]


def shapes_of(arrays):
    """The shapes of named arrays, a dict."""
    return {name: array.shape for name, array in arrays.items()}
