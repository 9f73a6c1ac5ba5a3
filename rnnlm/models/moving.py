"""A model on another device than the host: its arrays move there, and are read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnlm.compute.device import HOST, Device

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Self

    import numpy as np

    from rnnlm.models.architecture import Architecture
    from rnnlm.models.parameters import Packing


class CanMove:
    """The part of a LanguageModel that says where its arrays are.

    Attributes
    ----------
    device : the Device that has ``params``, ``grads`` and the states.  What goes into
        the model and comes out of it are arrays of the host: ids, scores, states.
    """

    device: Device = HOST

    if TYPE_CHECKING:
        architecture: Architecture
        packing: Packing
        switches: list[Any]

        def _build(self, dtype: Any, weights: Any = None, grads: Any = ()) -> None:
            """Make the memory and the layers."""

    def move_to(self, device: Device) -> Self:
        """Move the weights to a device; the layers are made anew, states are forgotten.

        Create optimizer and average afterwards: they have arrays of their own.  Another
        device than the host has one kind of layers, so ``plain`` means nothing there.

        ArgumentError if the device does not compute with its type.
        """
        if device is self.device:
            return self
        device.require_type(self.packing.memory[0].dtype)
        weights = [device.put(self.device.get(array)) for array in self.packing.memory]
        self.device = device
        self._build_again(weights)
        return self

    def lie_in(self, weights: Sequence[np.ndarray], grads: Sequence[np.ndarray | None]) -> None:
        """Take other memory for the arrays of ``packing``; the layers are made anew.

        Parameters
        ----------
        weights : arrays like ``packing.params``, which hold the weights already.
        grads : arrays like ``packing.grads``; None in the place of a RowGradient.
        """
        self._build_again([*weights, *self.packing.memory[len(weights) :]], grads)

    def _build_again(self, weights, grads=()):
        trains = [layer.train for layer in self.switches]
        self._build(weights[0].dtype, weights, grads)
        for layer, train in zip(self.switches, trains, strict=True):
            layer.train = train
