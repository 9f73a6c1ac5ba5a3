"""The memory of a model: all parameters in a few arrays, all gradients in others.

One array for each group: the norm of the gradients and the update of a small model are
a few calls instead of dozens, a gradient that is to travel between processes lies in
few pieces, and each group can have a learning rate of its own.  The memory comes first;
layers are built on views of it.
"""

import numpy as np

from rnnlm.compute.functions import writable
from rnnlm.compute.row_gradient import RowGradient


class Packing:
    """Memory for parameters and their gradients.

    ``params``, ``grads``, ``groups``: for an optimizer, one entry for each group, then
    one for each parameter whose gradient travels as rows.  ``param``, ``grad``: views
    of them, the arrays of the layers, by the parameter's name.

    Parameters
    ----------
    parameters : iterable of Parameter
    dtype : numpy.dtype
    rows : collection of str
        The names of those whose gradient is a RowGradient.
    params : list of arrays, optional
        Memory that holds values already, as another Packing's ``params``; otherwise it
        is zeros, which the system only gives out when they are written.
    """

    def __init__(self, parameters, dtype, rows=(), params=None):
        self.parameters = list(parameters)
        dense = [parameter for parameter in self.parameters if parameter.name not in rows]
        alone = [parameter for parameter in self.parameters if parameter.name in rows]
        groups = list(dict.fromkeys(parameter.group for parameter in dense))
        self.members = [[parameter for parameter in dense if parameter.group == group] for group in groups]
        self.members += [[parameter] for parameter in alone]
        self.groups = groups + [parameter.group for parameter in alone]
        shapes = [*(sum(map(_size, members)) for members in self.members[: len(groups)]),
                  *(parameter.shape for parameter in alone)]
        self.params = list(map(writable, params)) if params else [np.zeros(shape, dtype) for shape in shapes]
        self.grads = [np.zeros(shape, dtype) for shape in shapes[: len(groups)]]
        self.grads += [RowGradient(param) for param in self.params[len(groups) :]]
        self.param, self.grad = self.by_name(self.params), self.by_name(self.grads)
        self._names = {}  # of the parameters of each part of the model
        for name in self.param:
            self._names.setdefault(name.split("/")[0], []).append(name)

    def of(self, part):
        """The parameters of a part of the model (``rnn1``), and their gradients."""
        names = self._names[part]
        return [self.param[name] for name in names], [self.grad[name] for name in names]

    def by_name(self, packed):
        """Arrays that lie like ``params``: a view for each parameter, by name."""
        views = {}
        for i, array in enumerate(packed):
            views |= self.parts(i, array)
        return {parameter.name: views[parameter.name] for parameter in self.parameters}

    def parts(self, i, array):
        """An array that lies like ``params[i]``: a view for each parameter, by name."""
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
