"""What a model carries from window to window: the states of its recurrent layers."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rnnlm.compute import arguments

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

    from rnnlm.compute.device import Device
    from rnnlm.layers import TimeRecurrent
    from rnnlm.models.architecture import Architecture

    State = tuple[np.ndarray | None, ...]  # of one layer: h, or h and c


class CarriesStates:
    """The part of a LanguageModel that reads and sets the states of ``recurrent``."""

    if TYPE_CHECKING:
        architecture: Architecture
        device: Device
        params: list[np.ndarray]
        recurrent: list[TimeRecurrent]

    def reset_state(self) -> None:
        """Forget what was read: the next window starts from zeros."""
        for layer in self.recurrent:
            layer.reset_state()

    def get_state(self) -> list[State]:
        """The states of all recurrent layers.

        Returns
        -------
        states : for each layer a tuple of arrays (N, H), such as (h,) or (h, c); None
            for a state that is zeros.
        """
        return [tuple(None if array is None else self.device.get(array)
                      for array in (getattr(layer, name) for name in layer.state_names)) for layer in self.recurrent]

    def set_state(self, states: Sequence[State]) -> None:
        """Continue from what get_state returned."""
        arguments.one_for_each("states", states, len(self.recurrent), "recurrent layers")
        for layer, state in zip(self.recurrent, states, strict=True):
            layer.set_state(*[None if array is None else self.device.put(array) for array in state])

    def named_state(self, N: int) -> dict[str, np.ndarray]:
        """The states of N streams by name: rnn1/h (N, H), rnn2/h, ...

        They are the layers' own arrays, on the model's device.  Where nothing was read
        yet, the states become arrays of zeros.
        """
        arrays, xp = {}, self.device.xp
        for number, layer in enumerate(self.recurrent, 1):
            state = [xp.zeros((N, layer.hidden_size), self.params[0].dtype) if array is None else array
                     for array in (getattr(layer, name) for name in layer.state_names)]
            layer.set_state(*state)
            part = self.architecture.layer_name(number)
            arrays |= {f"{part}/{name}": array for name, array in zip(layer.state_names, state, strict=True)}
        return arrays

    @contextmanager
    def fresh_state(self) -> Iterator[None]:
        """A block in which the model reads from zeros and without dropout.

        Afterwards its state is as before.
        """
        states, trains = self.get_state(), [layer.train for layer in self.switches]
        self.reset_state()
        self.set_training(False)
        try:
            yield
        finally:
            self.set_state(states)
            for layer, train in zip(self.switches, trains, strict=True):
                layer.train = train
