"""Norm, update and average of arrays on a device: a kernel for each array, or for all.

On a GPU a pass over the arrays costs little, a call much.  So a step of a rule is a
single kernel, and so is the norm of up to four arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rnnlm.compute.update_kernels import AVERAGE, EXCHANGE, NORM_OF_ALL, THREADS, UPDATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from rnnlm.compute.device import Device
    from rnnlm.training.fused import Fused

BLOCKS = 16    # at most, for each multiprocessor
TOGETHER = 4   # arrays in one launch of the norm


class Clip(NamedTuple):
    """A factor of the gradients that the device computes: limit / norm above the limit.

    Where the norm is not finite, or the loss if there is one, the update leaves
    everything as it is.  Both are scalars of the device, float64.
    """

    norm: Any
    limit: float
    loss: Any = None


def _blocks(device, size):
    return max(1, min(-(-size // THREADS), BLOCKS * device.processors))


def global_norm(device: Device, grads: Sequence[Any]) -> Any:
    """The L2 norm of all arrays as one vector, float64: a scalar of the device."""
    norm = device.xp.zeros(2, np.float64) if not grads else device.xp.empty(2, np.float64)
    partial = device.scratch("norm_of_all", BLOCKS * device.processors, np.float64)
    finished = device.scratch("finished", 1, np.int32)
    for start in range(0, len(grads), TOGETHER):
        arrays = list(grads[start : start + TOGETHER])
        missing = TOGETHER - len(arrays)
        sizes = [array.size for array in arrays] + [0] * missing
        device.launch(NORM_OF_ALL, _blocks(device, max(sizes)), THREADS, (
            *arrays, *arrays[:1] * missing, partial, finished, norm, *sizes, int(start > 0)))
    return norm[0]


def update(device: Device, by_parameter: Iterable[tuple], fused: Fused, clip: Clip | None) -> None:
    """Make one step in place.

    Parameters
    ----------
    device : the Device of the arrays.
    by_parameter : (w, gradient, its slots, rate, decay) of each parameter.
    fused : the rule.
    clip : the Clip of the gradients; None: the numbers of the rule have it.
    """
    for w, g, slots, rate, decay in by_parameter:
        require_one_order(w, g, *slots, *([decay] if np.ndim(decay) else []))
        first, second = (*slots, w, w)[:2]  # in place of a slot that there is not, any array
        decays, keep = (decay, 1.0) if np.ndim(decay) else (w, 1.0 - rate * decay)
        norm, limit, loss = clip or (w, 1.0, w)
        loss = norm if loss is None else loss
        device.launch(UPDATE, _blocks(device, w.size), THREADS, (
            w, g, first, second, decays, norm, loss, w.size, fused.kind, int(np.ndim(decay) > 0),
            int(clip is not None), float(limit), float(keep), float(rate), float(rate * fused.step),
            *map(float, fused[2:])))


def update_by_calls(by_parameter: Iterable[tuple], rule: Callable[..., None]) -> None:
    """``update`` for a rule that is not known as numbers."""
    for w, g, slots, rate, decay in by_parameter:
        w *= 1.0 - rate * decay
        rule(np.empty_like(w), rate, w, g, *slots)


def require_one_order(*arrays: Any) -> None:
    """ValueError unless all lie in memory without gaps, in the same order."""
    if not (all(x.flags.c_contiguous for x in arrays) or all(x.flags.f_contiguous for x in arrays)):
        raise ValueError("a parameter, its gradient, its slots and its decay must lie in memory in the same order, "
                         "without gaps")


def average(device: Device, params: Sequence[Any], values: Sequence[Any], weight: float) -> None:
    """a <- a + weight * (w - a) for each array w of params and a of values."""
    for w, a in zip(params, values, strict=True):
        require_one_order(w, a)
        device.launch(AVERAGE, _blocks(device, w.size), THREADS, (w, a, w.size, float(weight)))


def exchange(device: Device, params: Sequence[Any], values: Sequence[Any]) -> None:
    """Exchange what the arrays of params and of values hold."""
    for w, a in zip(params, values, strict=True):
        require_one_order(w, a)
        device.launch(EXCHANGE, _blocks(device, w.size), THREADS, (w, a, w.size))
