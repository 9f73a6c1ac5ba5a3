"""Clipping: the norm of all gradients together, and the limit on it."""

import math

import numpy as np

from rnnlm.compute.default_workers import DEFAULT
from rnnlm.compute.device import HOST, device_with
from rnnlm.compute.row_gradient import RowGradient
from rnnlm.compute.threads import SERIAL, slices
from rnnlm.training import device_updates

PIECE = 1 << 19  # values that a thread takes at a time


def global_norm(grads, workers=DEFAULT):
    """L2 norm of all arrays as if they were one vector: sqrt(sum of squares).

    A float; nan or inf pass through.  Of arrays on a GPU it is a scalar array there.
    """
    if len(grads) and (device := device_with(grads[0])) is not HOST:
        return device_updates.global_norm(device, grads)
    pieces = []
    for grad in grads:
        values = grad.values if isinstance(grad, RowGradient) else grad
        flat = values.reshape(-1, order="A", copy=False)
        pieces += [flat] if flat.size <= PIECE else [flat[part] for part in slices(flat.size, PIECE)]
    squares = [0.0] * len(pieces)

    def add(i):
        # np.dot makes no temporary and is four times as fast as (g ** 2).sum()
        squares[i] = float(np.dot(pieces[i], pieces[i]))

    # One array larger than a piece at least: otherwise waking a thread costs more than
    # it brings.
    workers.compute((workers if len(pieces) > len(grads) else SERIAL).each, add, range(len(pieces)))
    return math.sqrt(sum(squares))


def clip_scale(norm, max_norm):
    """The factor that brings gradients of this global norm to at most max_norm.

    It is 1 within the limit, and where the norm is not finite; max_norm = inf never
    clips (Pascanu et al., 2013).  Of a norm on a GPU it is a Clip, which waits for
    nothing.
    """
    if device_with(norm) is not HOST:
        return device_updates.Clip(norm, max_norm)
    return max_norm / norm if max_norm < norm < math.inf else 1.0
