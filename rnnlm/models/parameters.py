"""The memory of a model: all parameters in a few arrays, all gradients in others.

There is one array for each group.  So the norm of the gradients and the update of a
small model are a few calls instead of dozens, gradients can travel between processes in
few pieces, and each group can have a learning rate of its own.  The memory comes first;
layers are built on views of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute.device import module_of
from rnnlm.compute.functions import writable
from rnnlm.compute.row_gradient import RowGradient

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from rnnlm.models.architecture import Parameter


LINE = 64  # bytes of a cache line


class Packing:
    """Memory for parameters and their gradients.

    Parameters
    ----------
    parameters : the Parameters of an Architecture.
    dtype : numpy.dtype of the arrays.
    rows : names of the parameters whose gradient is a RowGradient, on the host.
    memory : arrays that hold values already, as another Packing's ``memory``, on any
        device; None: zeros on the host, to which the system gives memory only when they
        are written.
    frozen : names of the parameters that no optimizer gets.
    grads : arrays for the gradients of ``params``, where something else than new memory
        is to hold them; None in the place of one that has a RowGradient.

    Attributes
    ----------
    params, grads : the arrays for an optimizer: one for each group, then one for each
        parameter whose gradient is a RowGradient.
    groups : the name of the group of each of them.
    memory : ``params``, then an array for each frozen parameter.
    param, grad : views of all arrays by the parameter's name: the layers' arrays.
    """

    def __init__(self, parameters: Iterable[Parameter], dtype: np.dtype, rows: Collection[str] = (),
                 memory: Sequence[np.ndarray] | None = None, frozen: Collection[str] = (),
                 grads: Sequence[np.ndarray | None] = ()) -> None:
        self.parameters = list(parameters)
        trained = [parameter for parameter in self.parameters if parameter.name not in frozen]
        dense = [parameter for parameter in trained if parameter.name not in rows]
        alone = [parameter for parameter in trained if parameter.name in rows]
        groups = list(dict.fromkeys(parameter.group for parameter in dense))
        self.groups = groups + [parameter.group for parameter in alone]
        self.members = [[parameter for parameter in dense if parameter.group == group] for group in groups]
        self.members += [[parameter] for parameter in alone]
        self.members += [[parameter] for parameter in self.parameters if parameter.name in frozen]
        of_rows = [members[0].name in rows for members in self.members]
        shapes = [members[0].shape if alone else sum(map(_size, members))
                  for members, alone in zip(self.members, of_rows, strict=True)]
        self.memory = list(map(writable, memory)) if memory else [_zeros(shape, dtype) for shape in shapes]
        on_host = module_of(self.memory[0]) is np
        zeros = _zeros if on_host else module_of(self.memory[0]).zeros
        slopes = [RowGradient(param) if alone and on_host else zeros(shape, dtype)
                  for param, shape, alone in zip(self.memory[len(grads) :], shapes[len(grads) :],
                                                 of_rows[len(grads) :], strict=True)]
        slopes = [RowGradient(param) if grad is None else grad
                  for param, grad in zip(self.memory, grads, strict=False)] + slopes
        self.params, self.grads = self.memory[: len(self.groups)], slopes[: len(self.groups)]
        self.param, self.grad = self.by_name(self.memory), self.by_name(slopes)
        self._names = {}  # of the parameters of each part of the model
        for name in self.param:
            self._names.setdefault(name.split("/")[0], []).append(name)

    def of(self, part: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The parameters of a part of the model (``rnn1``), and their gradients."""
        names = self._names[part]
        return [self.param[name] for name in names], [self.grad[name] for name in names]

    def by_name(self, packed: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Arrays that lie like ``params`` or ``memory``: views by parameters' names."""
        views = {}
        for i, array in enumerate(packed):
            views |= self.parts(i, array)
        return {parameter.name: views[parameter.name] for parameter in self.parameters if parameter.name in views}

    def parts(self, i: int, array: np.ndarray) -> dict[str, np.ndarray]:
        """An array that lies like ``memory[i]``: a view for each parameter, by name."""
        views, start = {}, 0
        for parameter in self.members[i]:
            stop = start + _size(parameter)
            views[parameter.name] = array if array.shape == parameter.shape else (
                array[start:stop].reshape(parameter.shape, order=parameter.order))
            start = stop
        return views


def _size(parameter):
    """How many numbers it has."""
    return int(np.prod(parameter.shape, dtype=np.int64))


def _zeros(shape, dtype):
    """Zeros from a cache line on; the system gives the memory when it is written."""
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    memory = np.zeros(size + LINE, np.uint8)
    start = -memory.ctypes.data % LINE
    return memory[start : start + size].view(dtype).reshape(shape)
