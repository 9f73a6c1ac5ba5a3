"""All parameters of a model in a few arrays, and all their gradients in others, one for each group.

The norm of the gradients and the update of a small model are then a few calls instead of dozens, a gradient that
is to travel between processes lies in few pieces, and each group can have a learning rate of its own.
"""

from dataclasses import dataclass

import numpy as np

from rnnlm.compute.row_gradient import RowGradient


@dataclass
class Place:
    """Where a parameter stands: ``layer.params[index]``; its name; the group that it belongs to."""

    name: str
    layer: object
    index: int
    group: str

    @property
    def param(self):
        """The parameter."""
        return self.layer.params[self.index]

    @property
    def grad(self):
        """Its gradient."""
        return self.layer.grads[self.index]


class Packing:
    """Moves the parameters at these places into as few arrays as possible; the layers keep views of them.

    ``params``, ``grads``, ``groups``: for an optimizer, one entry for each group, then one for each parameter whose
    gradient is a RowGradient, which stays where it is.  To be made once, before anybody keeps a layer's arrays.
    """

    def __init__(self, places):
        self.places = places
        dense = [place for place in places if not isinstance(place.grad, RowGradient)]
        alone = [place for place in places if isinstance(place.grad, RowGradient)]
        self.groups = list(dict.fromkeys(place.group for place in dense))
        self.members = [[place for place in dense if place.group == group] for group in self.groups]
        dtype = places[0].param.dtype
        self.params = [np.zeros(sum(place.param.size for place in members), dtype) for members in self.members]
        self.grads = [np.zeros_like(params) for params in self.params]
        for members, params, grads in zip(self.members, self.params, self.grads, strict=True):
            views = zip(members, _views(members, params), _views(members, grads), strict=True)
            for place, param, grad in list(views):
                param[...] = place.param
                place.layer.params[place.index], place.layer.grads[place.index] = param, grad
        self.members += [[place] for place in alone]
        self.params += [place.param for place in alone]
        self.grads += [place.grad for place in alone]
        self.groups += [place.group for place in alone]

    def by_name(self, packed):
        """Arrays that lie like ``params`` (an optimizer's slot), as views in the form of the parameters."""
        views = {}
        for i, array in enumerate(packed):
            views |= self.parts(i, array)
        return {place.name: views[place.name] for place in self.places}

    def parts(self, i, array):
        """An array that lies like ``params[i]``, as views in the form of its parameters, by their names."""
        members = self.members[i]
        views = [array] if array.ndim > 1 else _views(members, array)
        return {place.name: view for place, view in zip(members, views, strict=True)}


def _views(members, memory):
    """The parts of a flat array that have the shapes and orders of the members' parameters."""
    views, start = [], 0
    for place in members:
        like = place.param
        order = "F" if like.flags.f_contiguous and not like.flags.c_contiguous else "C"
        views.append(memory[start : start + like.size].reshape(like.shape, order=order))
        start += like.size
    return views
