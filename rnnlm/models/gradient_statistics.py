"""The mean squares of a model's gradients, parameter by parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import ArgumentError

if TYPE_CHECKING:
    from rnnlm.models.parameters import Packing


@dataclass
class GradientStatistics:
    """Mean squares of gradients.

    Attributes
    ----------
    mean_squares : an array for each parameter by name, such as rnn1/Wh.
    window, batch : the length of the windows, and how many streams they had.
    steps : how many windows there were.
    """

    mean_squares: dict[str, np.ndarray]
    window: int
    batch: int
    steps: int

    def mean_root(self) -> float:
        """The mean over the parameters of the mean of their roots of mean squares."""
        return float(np.mean([np.sqrt(array).mean(dtype=np.float64) for array in self.mean_squares.values()]))

    def require(self, packing: Packing) -> None:
        """ArgumentError unless they are of parameters of these names and shapes."""
        wanted = {name: array.shape for name, array in packing.by_name(packing.params).items()}
        if {name: array.shape for name, array in self.mean_squares.items()} != wanted:
            raise ArgumentError("statistics must be those of the model's own gradients, got those of other parameters: "
                                "make them anew from the training text")
