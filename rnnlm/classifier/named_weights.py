"""Weights by name: a layer's Wx, Wh and b, under the various names in textbooks.

An unknown name is refused: as a new attribute that no code reads it would be a silent
mistake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError
from rnnlm.layers.rnn import TimeRNN

if TYPE_CHECKING:
    import numpy as np

INDEX = {"wx": 0, "wh": 1, "b": 2, "bh": 2}  # in params; upper or lower case and underscores make no difference
SHAPES = "(n_features, n_nodes)", "(n_nodes, n_nodes)", "(n_nodes,)"


def index_of(name):
    """The index in ``params`` of a weight by name (Wx, w_x, W_x, ..., B), or None."""
    return INDEX.get(name.replace("_", "").lower())


class NamedWeights:
    """For a layer with ``n_nodes``, ``params`` [Wx, Wh, b] and ``grads``.

    Both lists are empty before ``build(n_features)``.  Other attributes than those
    below are an AttributeError, except in a subclass of the class that names its
    options: it may have attributes of its own.

    Attributes
    ----------
    options : names of attributes that can be set at any time.
    first_options : names of those that are read only when the weights are made.
    inner : names of the layer's own attributes.
    """

    options: tuple[str, ...] = ()
    first_options: tuple[str, ...] = ()
    inner: tuple[str, ...] = ()

    def __setattr__(self, name: str, value: object) -> None:
        if (index := index_of(name)) is not None:
            self._set_weight(index, name, value)
        elif name in self.first_options and self.params:
            raise AttributeError(f"{name} cannot change once the weights are made: make a new {type(self).__name__}")
        elif ("options" not in vars(type(self)) or hasattr(type(self), name)
                or name in (*self.first_options, *self.options, *self.inner, "given")):
            super().__setattr__(name, value)
        else:
            known = ", ".join((*self.first_options, *self.options))
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}: its weights are Wx, Wh and b (or "
                                 f"w_x, W_h, B and the like), its options {known}")

    def __getattr__(self, name: str) -> np.ndarray:
        """A weight or, with a d in front, its gradient."""
        if (index := index_of(name)) is not None:
            arrays = self.params or self.given
        elif name.startswith("d") and (index := index_of(name[1:])) is not None:
            arrays = self.grads
        else:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        try:
            return arrays[index]
        except (IndexError, KeyError):
            raise AttributeError(f"{type(self).__name__} has no {name} yet: the first forward makes it") from None

    def _set_weight(self, index, name, value):
        """Copy the value into a weight; ArgumentError if it has another shape."""
        value = arguments.floats(name, value)
        H = self.n_nodes
        if index == 2 and value.shape == (1, H):
            value = value[0]  # some textbooks have the biases as a row
        D = len(self.params[0]) if self.params else len(value) if value.ndim == 2 else 0
        if value.shape != list(TimeRNN.param_shapes(D, H).values())[index] or 0 in value.shape:
            features = f", n_features = {D}" if self.params and index == 0 else ""
            raise ArgumentError(f"{name} must have shape {SHAPES[index]}, n_nodes = {H}{features}; got {value.shape}")
        if not self.params and index == 0:
            self.build(D)
        if self.params:
            self.params[index][...] = value
        else:
            self.given[index] = value.copy()

    def _take_given(self):
        """Copy into the new weights what was set before the first input came."""
        for index, value in self.given.items():
            self.params[index][...] = value
        self.given = {}
