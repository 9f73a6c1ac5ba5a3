"""What a model carries from window to window: the states of its recurrent layers."""

from contextlib import contextmanager

import numpy as np

from rnnlm.compute import arguments


class CarriesStates:
    """The part of a LanguageModel that reads and sets the states of ``recurrent``."""

    def reset_state(self):
        """Forget what was read: the next window starts from zeros."""
        for layer in self.recurrent:
            layer.reset_state()

    def get_state(self):
        """The states of all recurrent layers, a list of tuples of arrays (or None)."""
        return [tuple(getattr(layer, name) for name in layer.state_names) for layer in self.recurrent]

    def set_state(self, states):
        """Go on from what get_state returned."""
        arguments.one_for_each("states", states, len(self.recurrent), "recurrent layers")
        for layer, state in zip(self.recurrent, states, strict=True):
            layer.set_state(*state)

    def named_state(self, N):
        """The states of N streams by name: rnn1/h (N, H), rnn2/h, ...

        Where nothing was read yet, they are zeros from now on.
        """
        arrays = {}
        for number, layer in enumerate(self.recurrent, 1):
            state = [np.zeros((N, layer.hidden_size), self.params[0].dtype) if array is None else array
                     for array in (getattr(layer, name) for name in layer.state_names)]
            layer.set_state(*state)
            part = self.architecture.layer_name(number)
            arrays |= {f"{part}/{name}": array for name, array in zip(layer.state_names, state, strict=True)}
        return arrays

    @contextmanager
    def fresh_state(self):
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
