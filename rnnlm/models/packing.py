"""All parameters of a model in one array, and all their gradients in another.

The norm of the gradients and the update of a small model are then two or three calls instead of dozens,
and a gradient that is to travel between processes lies in one piece.
"""

import numpy as np

from rnnlm.gradients import RowGradient


def pack(layers):
    """Move the parameters of the layers into one array; the layers keep views of it, of the same shape and order.

    Returns (params, grads) for an optimizer: the packed arrays first, then each parameter whose gradient is a
    RowGradient, which stays where it is.  To be called once, before anybody keeps a layer's arrays.
    """
    dense, alone = [], []
    for layer in layers:
        for i, grad in enumerate(layer.grads):
            (alone if isinstance(grad, RowGradient) else dense).append((layer, i))
    size = sum(layer.params[i].size for layer, i in dense)
    values, slopes = (np.zeros(size, layers[0].params[0].dtype) for _ in range(2))  # gradients start at zero
    start = 0
    for layer, i in dense:
        part = slice(start, start + layer.params[i].size)
        view = _shaped(values[part], layer.params[i])
        view[...] = layer.params[i]
        layer.params[i], layer.grads[i] = view, _shaped(slopes[part], view)
        start = part.stop
    params = [values, *(layer.params[i] for layer, i in alone)]
    grads = [slopes, *(layer.grads[i] for layer, i in alone)]
    return params, grads


def unpack(layers, packed):
    """Arrays that lie like the packed parameters (an optimizer's slot), as views in the form of the parameters."""
    flat, *alone = packed
    alone, views, start = iter(alone), [], 0
    for layer in layers:
        for param, grad in zip(layer.params, layer.grads, strict=True):
            if isinstance(grad, RowGradient):
                views.append(next(alone))
            else:
                views.append(_shaped(flat[start : start + param.size], param))
                start += param.size
    return views


def _shaped(memory, like):
    """``memory`` as an array of the shape and the order of ``like``."""
    order = "F" if like.flags.f_contiguous and not like.flags.c_contiguous else "C"
    return memory.reshape(like.shape, order=order)
