"""Which language models there are, and the arrays that each of them has.

An Architecture yields its parameters, one entry for each array.  Memory, first values,
layers, files and checkpoints are made from these entries: no other place lists names or
shapes.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError, shown
from rnnlm.layers.adaptive import tail_shapes
from rnnlm.models.cells import CELLS, Cell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

MOST_LAYERS = 500  # so that no model file can keep its reader busy for long; the deepest in use have a dozen
EARLIER = {"gru": "gru-textbook"}  # names in earlier files, from before another cell took the name over, and today's
RNN_ACTIVATIONS = ("tanh", "relu")  # that cells without gates have
SOFTMAXES = ("full", "adaptive")
MOST_CUTOFFS = 20  # each cluster is a quarter as wide as the one before, so only a few are of use
RATIOS = ("dropout", "input_dropout")  # in early files; of no use to a model that is not trained
SIZES = ("vocab_size", "wordvec_size", "hidden_size", "layers")
GROUPS = {"inputs": "matrices", "recurrent": "matrices", "biases": "biases"}  # by how first values are made
FIRST = {"Wx": "inputs", "Wh": "recurrent", "b": "biases", "bh": "biases"}  # the arrays that a cell may have


@dataclass(frozen=True)
class Parameter:
    """An array of a model.

    Parameters
    ----------
    name : str
        As in files: the part of the model and the array's name there, ``rnn1/Wx``.
    shape : tuple
    group : str
        "words" (a row or column for each word), "matrices" or "biases".  A group can
        have a learning rate and a weight decay of its own.
    first : str
        How its first values are made: a name of FIRST_VALUES in ``rnnlm.models.start``.
    turn : int
        When they are drawn: the number of the recurrent layer, 0 for what comes before
        the first.  What a seed means depends on this order.
    order : str
        How it lies in memory, "C" or "F".
    """

    name: str
    shape: tuple[int, ...]
    group: str
    first: str
    turn: int
    order: str = "C"


@dataclass(frozen=True)
class Architecture:
    """What decides which arrays a model has, and what its layers compute with them.

    ``dict(architecture)`` is what files hold.

    Parameters
    ----------
    cell : str
        A name of CELLS.
    vocab_size, wordvec_size, hidden_size, layers : int
        V, D, H and the number of recurrent layers.
    activation : str
        One of RNN_ACTIVATIONS, for a cell without gates.
    tied : bool
        The output weights are the word vectors (Press & Wolf, 2017; Inan et al., 2017).
    projection : bool
        A linear layer from H to D before the output; a tied model has one unless H = D.
    softmax : str
        One of SOFTMAXES: a score for every word at once, or first for the frequent
        words and for clusters of the others (Grave et al., 2017).
    cutoffs : tuple of int
        Of an adaptive softmax: the ids at which the clusters begin, ascending.

    Raises
    ------
    ArgumentError
        If there is no such model.
    """

    cell: str
    vocab_size: int
    wordvec_size: int
    hidden_size: int
    layers: int
    activation: str = "tanh"
    tied: bool = False
    projection: bool = False
    softmax: str = "full"
    cutoffs: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Make each value one that can go into a file."""
        arguments.one_of("cell", self.cell, tuple(CELLS))
        arguments.one_of("activation", self.activation, RNN_ACTIVATIONS)
        for name in SIZES:
            most = MOST_LAYERS if name == "layers" else None
            object.__setattr__(self, name, arguments.whole(name, getattr(self, name), 1, most))
        for name in ("tied", "projection"):
            object.__setattr__(self, name, arguments.yes_or_no(name, getattr(self, name)))
        arguments.one_of("softmax", self.softmax, SOFTMAXES)
        object.__setattr__(self, "cutoffs", checked_cutoffs(self.cutoffs, self.softmax, self.vocab_size))
        if self.tied and self.wordvec_size != self.hidden_size:
            object.__setattr__(self, "projection", True)

    @classmethod
    def from_file(cls, values: Any) -> Architecture:
        """The Architecture that a file declares, from a dict.

        ValueError unless a model of that size may be built.
        """
        known = [field.name for field in fields(cls)]
        required, optional = known[: 1 + len(SIZES)], known[1 + len(SIZES) :]
        if not isinstance(values, dict) or values.get("cell") not in tuple(CELLS):
            raise ValueError(f"architecture must be an object with one of the cells {', '.join(CELLS)}, "
                             f"got {shown(values)}")
        if not set(required) <= values.keys() <= {*known, *RATIOS}:
            raise ValueError(f"architecture must have the keys {', '.join(required)} and may have "
                             f"{', '.join(optional)}, got {shown(values)}")
        found = cls(**{key: value for key, value in values.items() if key not in RATIOS})
        if found.projection != values.get("projection", False):
            raise ValueError(f"tied needs a projection where the sizes differ, got {shown(values)}")
        return found

    def keys(self) -> list[str]:
        """The names of the values that files hold, for ``dict(architecture)``."""
        names = [field.name for field in fields(self)]
        return names if self.cutoffs else names[: names.index("softmax")]  # as earlier programs read them

    def __getitem__(self, name: str) -> Any:
        if name not in [field.name for field in fields(self)]:
            raise KeyError(name)
        value = getattr(self, name)
        return list(value) if isinstance(value, tuple) else value  # as JSON has it

    @property
    def row(self) -> Cell:
        """The cell's row of CELLS."""
        return CELLS[self.cell]

    def layer_name(self, number: int) -> str:
        """The name of a recurrent layer, by its number from 1: ``rnn1``."""
        return f"{self.row.prefix}{number}"

    def parameters(self) -> Iterator[Parameter]:
        """The arrays of the model, in the order of its ``params``."""
        V, D, H, last = self.vocab_size, self.wordvec_size, self.hidden_size, self.layers + 1
        inputs = D if self.projection else H  # of the output layer
        yield Parameter("embedding/W", (self.head_size if self.tied else V, D), "words", "vectors", 0)
        for number in range(1, last):
            shapes = self.row.plain.param_shapes(D if number == 1 else H, H)
            for name, shape in shapes.items():
                first = FIRST[name]
                yield Parameter(f"{self.layer_name(number)}/{name}", shape, GROUPS[first], first, number)
        if self.projection:
            yield Parameter("projection/W", (H, D), "matrices", "normal", last + 1)
            yield Parameter("projection/b", (D,), "biases", "zeros", last + 1)
        if not self.tied:  # the weights of a word lie together, as its vector does
            yield Parameter("affine/W", (inputs, self.head_size), "words", "normal", last, "F")
        yield Parameter("affine/b", (self.head_size,), "biases", "zeros", last)
        for number, shapes in enumerate(tail_shapes(inputs, self.cutoffs, V), 1):
            yield Parameter(f"tail{number}/P", shapes["P"], "matrices", "normal", last)
            yield Parameter(f"tail{number}/W", shapes["W"], "words", "normal", last, "F")

    @property
    def head_size(self) -> int:
        """How many scores come first: of the frequent words and of the clusters.

        Without clusters it is V.
        """
        return self.cutoffs[0] + len(self.cutoffs) if self.cutoffs else self.vocab_size

    @property
    def leaky_weights(self) -> set[str]:
        """The names of Wh of a cell without gates.

        Its diagonal says which share of its own state each unit keeps.
        """
        return {parameter.name for parameter in self.parameters()
                if parameter.first == "recurrent" and not self.row.gated}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each parameter by name, in the order of ``parameters``."""
        return {parameter.name: parameter.shape for parameter in self.parameters()}


def checked_cutoffs(cutoffs, softmax, vocab_size):
    """The cutoffs as a tuple; ArgumentError unless the softmax can have them."""
    found = arguments.items("cutoffs", cutoffs, "a list of whole numbers")
    if softmax != "adaptive":
        if found:
            raise ArgumentError("cutoffs must be left out unless softmax is 'adaptive'")
        return ()
    for cutoff in found[: MOST_CUTOFFS + 1]:
        arguments.whole("a cutoff", cutoff)
    if not 1 <= len(found) <= MOST_CUTOFFS or any(a >= b for a, b in pairwise([0, *found, vocab_size])):
        raise ArgumentError(f"cutoffs must be 1 to {MOST_CUTOFFS} rising whole numbers below the size of the "
                            f"vocabulary, {vocab_size:,}, got {shown(str(found[: MOST_CUTOFFS + 1]), 60)}")
    return tuple(map(int, found))


def from_earlier(values):
    """A dict of an earlier file, an architecture or options, with today's names."""
    cell = values.get("cell")
    return values | {"cell": EARLIER[cell]} if isinstance(cell, str) and cell in EARLIER else values


def to_earlier(architecture):
    """A dict with the cell's earlier name; None if files of then do not know it."""
    names = {today: before for before, today in EARLIER.items()}
    cell = architecture.cell
    return None if cell in EARLIER else dict(architecture) | {"cell": names.get(cell, cell)}


def float_type(dtype):
    """The NumPy type of a model's numbers: float32, or float64 for comparisons."""
    if isinstance(dtype, type | np.dtype | str):
        with suppress(TypeError):
            if np.dtype(dtype) in (np.float32, np.float64):
                return np.dtype(dtype)
    raise arguments.wrong("dtype", "numpy.float32 or numpy.float64", dtype)
