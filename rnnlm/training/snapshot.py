"""All that a run needs to continue, between two steps: values and named arrays."""

import copy
from dataclasses import dataclass

import numpy as np

from rnnlm.errors import ArgumentError


@dataclass
class Snapshot:
    """Where a run stands.

    Attributes
    ----------
    values : strings and numbers, and dicts of such, as JSON has them.
    arrays : by name, the ones that the run works with: they change with it.
    """

    values: dict
    arrays: dict[str, np.ndarray]

    def copy(self):
        """A Snapshot that stays as it is while the run goes on."""
        return copy.deepcopy(self)

    def fill(self, arrays):
        """Write the snapshot's arrays into others with the same names and shapes."""
        if shapes_of(arrays) != shapes_of(self.arrays):
            raise ArgumentError("a snapshot must be of a trainer that was built alike, got other arrays: "
                                "build the trainer as for the run's beginning")
        for name, array in arrays.items():
            array[...] = self.arrays[name]


def shapes_of(arrays):
    """The shapes of named arrays, a dict."""
    return {name: array.shape for name, array in arrays.items()}
