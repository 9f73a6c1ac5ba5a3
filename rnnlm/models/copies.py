"""Copies of a model (copy.deepcopy, pickle, joblib): what they are made from."""

from dataclasses import fields

from rnnlm.errors import ArgumentError
from rnnlm.models.wiring import Wiring

MADE = {"columns", "packing", "params", "grads", "switches", "whole_ratios", "built", "lowest", "trains_output",
        *(field.name for field in fields(Wiring))}  # what follows from the others and the weights, or is not a copy's


class CanBeCopied:
    """The part of a LanguageModel that says what copies are made from."""

    def __getstate__(self):
        """What a copy is made from: each weight once, no gradients, no work buffers."""
        if [*self.layers, self.output] != self.built:
            raise ArgumentError("a model whose layers were replaced cannot be copied: create a new one, and copy the "
                                "arrays of its params")
        state = {name: value for name, value in vars(self).items() if name not in MADE}
        return state | {"weights": self.packing.memory, "states": self.get_state(),
                        "switched": [(layer.train, layer.ratio) for layer in self.switches]}

    def __setstate__(self, state):
        weights, states, switched = (state.pop(name) for name in ("weights", "states", "switched"))
        vars(self).update(state)
        self._build(weights[0].dtype, weights)
        self.set_state(states)
        for layer, (train, ratio) in zip(self.switches, switched, strict=True):
            layer.train, layer.ratio = train, ratio
