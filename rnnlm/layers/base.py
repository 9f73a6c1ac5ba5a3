"""What every layer is: parameters, their gradients, a forward and a backward pass.

The contract, which the trainer and the models build on:

- ``params`` and ``grads`` are lists of arrays in the same order; the arrays are filled
  anew, never exchanged.  Whoever builds the layer may hand in the memory of both.
- ``backward`` overwrites ``grads``; a second call after one ``forward`` gives the same.
- Where it helps, ``backward`` is two steps: ``backward_states`` returns what the layer
  below needs, ``backward_weights`` then fills ``grads``.  An output layer also gives
  the latter in pieces (``weight_work``), which may run in parallel with each other and
  with the layers below.
- A layer never writes into its input, nor, before its next ``forward``, into an array
  that it has handed out.
- A copy (copy.deepcopy, pickle) has the parameters and the settings, not the window
  that was read last: that is the user's data, and most of the memory.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.compute.device import module_of
from rnnlm.compute.functions import writable
from rnnlm.errors import ArgumentError, IdError, RnnlmError

if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from numpy.typing import DTypeLike

UNSIGNED = {np.dtype(np.int32): np.uint32, np.dtype(np.int64): np.uint64}


def untouched_zeros(like):
    """Zeros of the shape, type and memory order of ``like``.

    The system only gives the memory when it is written.

    np.zeros_like writes its zeros: 120 MB at once for an output layer of 100,000 words.
    """
    xp = module_of(like)
    if like.flags.f_contiguous and not like.flags.c_contiguous:
        return xp.zeros(like.shape[::-1], like.dtype).T
    return xp.zeros(like.shape, like.dtype)


def require_ids(ids, V, name="ids"):
    """IdError unless all ids are from 0 to V - 1: NumPy counts back from the end."""
    unsigned = UNSIGNED.get(ids.dtype)
    # Without their signs negative numbers are larger than any id: one pass finds both.
    if unsigned is not None and ids.size and np.maximum.reduce(ids.view(unsigned), axis=None) < V:
        return
    if ids.dtype.kind not in "iu":
        raise arguments.wrong(name, "an array of ids, which are whole numbers", ids)
    if ids.size and (ids.min() < 0 or ids.max() >= V):
        raise IdError(f"{name} must be from 0 to {V - 1}, got {ids.min()} to {ids.max()}")


def require_targets(ts, N, T):
    """ArgumentError unless there is one target for each of T steps in N rows."""
    if arguments.has("the targets", ts, ("shape", "dtype"), "an array of ids").shape != (N, T):
        raise ArgumentError(f"the targets must be one for each step, shape (N, T) = {(N, T)}, got {ts.shape}")


class NoForwardError(ArgumentError, AttributeError):
    """A step backward before the one that it needs: the layer has no cache."""


class NoCache:
    """What a layer's class has for a cache: an error, until ``before`` makes one.

    With a ``__getattr__`` in its place Python looks up all attributes of layers more
    slowly, by 2 % of a small window.
    """

    def __init__(self, before):
        self.before = before

    def __get__(self, layer, kind):
        if layer is None:
            return self
        raise NoForwardError(f"{kind.__name__}.backward needs the values of the last {self.before}: call "
                             f"{self.before} first")


class Weight:
    """A layer's array by its textbook name.

    ``layer.Wx`` is one of ``params``, ``layer.dWx`` one of ``grads``.

    What is assigned to a weight is copied into its array.  Without this, ``layer.Wx =
    w`` would make an attribute that no code reads.
    """

    def __init__(self, arrays, index, name):
        self.arrays, self.index, self.name = arrays, index, name

    def __get__(self, layer, kind):
        return self if layer is None else getattr(layer, self.arrays)[self.index]

    def __set__(self, layer, value):
        owner = type(layer).__name__
        if self.arrays == "grads":
            raise AttributeError(f"{self.name} of {owner} is what backward fills: it cannot be set")
        array, value = layer.params[self.index], np.asarray(value)
        if value.shape != array.shape or value.dtype.kind not in "fiu":
            raise ArgumentError(f"{self.name} of {owner} must be an array of numbers of shape {array.shape}, got "
                                f"{arguments.described(value)}")
        array[...] = value


class Layer:
    """A differentiable function with parameters.

    Subclasses write ``forward`` and ``backward``.

    Parameters
    ----------
    params : arrays, in the order of ``param_names``.
    grads : list of arrays, the memory of their gradients; None: new arrays.

    Attributes
    ----------
    params, grads : lists of the arrays.  Each array is also an attribute of its own:
        Wx and dWx for the name "Wx".
    cache : what ``forward`` leaves for ``backward``.
    slopes : what ``backward_states`` leaves for ``backward_weights``.
    """

    param_names: tuple[str, ...] = ()
    cache, slopes = NoCache("forward"), NoCache("backward_states")

    if TYPE_CHECKING:
        params: list[np.ndarray]
        grads: list[np.ndarray]

        def __getattr__(self, name: str) -> Any:
            """The arrays by name: Wx and dWx of the weights, h and dh of a state."""

        def __setattr__(self, name: str, value: Any) -> None:
            """A weight takes a copy of the array."""

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        for index, name in enumerate(cls.param_names):
            setattr(cls, name, Weight("params", index, name))
            setattr(cls, f"d{name}", Weight("grads", index, f"d{name}"))

    def __init__(self, *params: np.ndarray, grads: list[np.ndarray] | None = None) -> None:
        for param in params:
            if not isinstance(param, np.ndarray):
                arguments.has(f"what {type(self).__name__} is made of", param, ("shape", "dtype", "flags"), "arrays")
        self.params = list(params)
        self.grads = [untouched_zeros(p) for p in params] if grads is None else list(grads)
        self._buffers = {}

    def __getstate__(self):
        """What a copy takes over."""
        return {name: value for name, value in vars(self).items() if name not in ("cache", "slopes", "_buffers")}

    def __setstate__(self, state):
        vars(self).update(state, _buffers={})
        if self.param_names and len(self.params) != len(self.param_names):
            raise RnnlmError(f"a {type(self).__name__} has the arrays {', '.join(self.param_names)}, got "
                             f"{len(self.params)}: it was pickled by an earlier version; save models with save_model")
        for arrays in (self.params, self.grads):  # lists that layers may share
            arrays[:] = map(writable, arrays)

    @property
    def xp(self) -> ModuleType:
        """The array module of the parameters; NumPy without any."""
        return module_of(self.params[0]) if self.params else np

    def window(self, xs: np.ndarray, width: int | None = None, letter: str = "D") -> tuple[int, int, int]:
        """The shape of a window of vectors (N, T, width).

        Parameters
        ----------
        xs : the window.
        width : what its last axis must measure; None: anything.
        letter : what the error calls the width.

        Raises
        ------
        ArgumentError : the window has not three axes, or another width.
        """
        shape = xs.shape if isinstance(xs, np.ndarray) else self._array(xs).shape
        if len(shape) != 3 or width not in (None, shape[2]):
            numbers = letter if width is None else f"{letter} = {width}"
            hint = ": for a single sequence pass xs[np.newaxis]" if len(shape) == 2 else ""
            raise ArgumentError(f"{type(self).__name__} takes an array (N, T, {letter}): N rows, T steps, {numbers} "
                                f"numbers; got the shape {shape}{hint}")
        return shape

    def window_of_ids(self, ids: np.ndarray) -> tuple[int, int]:
        """The shape of a window of ids (N, T); ArgumentError unless it has two axes."""
        shape = ids.shape if isinstance(ids, np.ndarray) else self._array(ids).shape
        if len(shape) != 2:
            hint = ": for a single sequence pass ids[np.newaxis]" if len(shape) == 1 else ""
            raise ArgumentError(f"{type(self).__name__} takes ids (N, T): N rows, T steps; got the shape {shape}{hint}")
        return shape

    def _array(self, xs):
        return arguments.has(f"what {type(self).__name__} reads", xs, ("shape", "dtype"), "an array")

    def buffer(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
        """An uninitialised array, in memory that the next call hands out again.

        A fresh array of the scores' size (28 MB for 700 tokens and 10,000 words) costs
        6 ms of page faults.

        Parameters
        ----------
        name : which memory; calls with the same name get the same one.
        shape, dtype : those of the array.
        """
        size = math.prod(shape)
        memory = self._buffers.get(name)
        if memory is None or memory.size < size or memory.dtype != dtype:
            self._buffers[name] = None  # the old memory goes before the new comes
            memory = self._buffers[name] = self.xp.empty(size, dtype)
        return memory[:size].reshape(shape)
