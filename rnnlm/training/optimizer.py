"""What all update rules share: they go over the parameters block by block.

An optimizer knows neither layers nor models.  It takes the parameters and their
gradients as two lists of arrays and steps in place.  A gradient may be a RowGradient:
the result is exactly that of the full matrix, in which all other rows are zero.
"""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnlm.compute import arguments
from rnnlm.compute.default_workers import DEFAULT
from rnnlm.compute.device import HOST, device_with, module_of
from rnnlm.compute.functions import writable
from rnnlm.compute.row_gradient import RowGradient
from rnnlm.compute.threads import SERIAL
from rnnlm.errors import ArgumentError
from rnnlm.training.blocks import pieces_of, update_rows
from rnnlm.training.catching_up import CatchesUp
from rnnlm.training.clipping import clip_scale
from rnnlm.training.device_updates import Clip, update, update_by_calls
from rnnlm.training.parts import name_misfit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rnnlm.compute.threads import Workers
    from rnnlm.training.fused import Fused


class Optimizer(CatchesUp):
    """An update rule; a subclass has a ``default_lr``, slot names and ``rule``.

    Weight decay is decoupled from the rule (Loshchilov & Hutter, 2019): first
    w <- w - lr * decay * w.

    Parameters
    ----------
    lr : the learning rate; it may be changed between steps.
    factors : for each parameter the factor of its rate; () for 1 throughout.
    decays : for each parameter its weight decay, a number or an array of the
        parameter's shape; () for the ``weight_decay`` of the rule throughout.

    Attributes
    ----------
    steps : how many updates were made.
    slots : for each slot name a list of arrays in the order of the parameters, {}
        before the first update.
    """

    default_lr: float | None = None  # the rate of the command without --lr
    slot_names: tuple[str, ...] = ()
    weight_decay = 0.0
    moves_only_by_gradient = False  # a weight without gradient stays where it is, and so do its slots

    def __init__(self, lr: float, factors: Sequence[float] = (), decays: Sequence[float | np.ndarray] = ()) -> None:
        self.lr = arguments.not_negative("lr", lr)
        self.factors = arguments.kind("factors", factors, list | tuple, "a list of numbers")
        self.decays = arguments.kind("decays", decays, list | tuple, "a list of numbers and arrays")
        self.steps = 0
        self.slots: dict[str, list[np.ndarray]] = {}
        super().__init__()

    @classmethod
    def constants(cls) -> dict[str, Any]:
        """The rule's own constants and their defaults, a dict: {"momentum": 0.9}."""
        parameters = inspect.signature(cls).parameters.values()
        return {p.name: p.default for p in parameters
                if p.name not in ("lr", "factors", "decays") and p.kind != p.VAR_KEYWORD}

    def slots_for(self, params: Sequence[np.ndarray]) -> dict[str, list[np.ndarray]]:
        """The slots, which are made of zeros if there are none yet."""
        if self.slots.keys() != set(self.slot_names):
            self.slots = {name: [np.zeros_like(w) for w in params] for name in self.slot_names}
        return self.slots

    def snapshot(self) -> dict[str, Any]:
        """What the optimizer needs to continue, besides ``lr`` and the slots."""
        return {"steps": self.steps, "unsettled": self.unsettled}

    def restore(self, values: dict[str, Any]) -> None:
        """Continue from a snapshot."""
        self.steps, self.unsettled = values["steps"], values.get("unsettled", 0)
        self.lagging = self.unsettled > 0

    def __setstate__(self, state):
        CatchesUp.__init__(self)  # of one that was pickled before rows could miss steps
        vars(self).update(state)
        self.slots = {name: list(map(writable, arrays)) for name, arrays in self.slots.items()}
        self.rates, self.met = writable(self.rates), {i: writable(met) for i, met in self.met.items()}

    def rule(self, scale: float) -> Callable[..., None]:
        """The rule of this step, a function (out, rate, w, g, *slots).

        It changes w and the slots in place.  All are arrays of one shape but the rate;
        out is memory to work in; g is to be multiplied by scale.
        """
        raise NotImplementedError

    def update(self, params: Any, grads: Sequence[np.ndarray | RowGradient] | None = None, scale: float = 1.0,
               workers: Workers = DEFAULT) -> Any:
        """Make one step in place, with the gradients times ``scale``.

        Parameters
        ----------
        params : list of arrays; or a layer, without ``grads``: its params and grads are
            meant, and it is returned.
        grads : list of the arrays' gradients.
        scale : the factor of the gradients, which clipping may ask for.
        workers : the Workers that share the step.
        """
        if grads is None and hasattr(params, "params"):
            self.update(params.params, params.grads, scale, workers)
            return params
        if not self._fits(params, grads):
            if isinstance(params, list) and params and (device := device_with(params[0])) is not HOST:
                self._update_on(device, params, grads, scale)
                return None
            name_misfit(params, grads, self.factors, self.decays)
        late = self.met if self.lagging else ()
        if late:
            self._step_late(params, grads)
        self.steps += 1
        rule, pieces = self.rule(scale), []
        for i, (w, g, slots, rate, decay) in enumerate(self._by_parameter(params, grads)):
            if i in late or (isinstance(g, RowGradient) and self.moves_only_by_gradient and not np.any(decay)):
                update_rows(rule, rate, decay, w, g, slots)
            else:
                pieces += pieces_of(rate, decay, w, g, slots)
        # One array larger than a piece at least: otherwise waking a thread costs more
        # than it brings.
        sharing = workers if len(pieces) > len(params) else SERIAL
        workers.compute(sharing.each, lambda piece: piece.update(rule, workers), pieces)
        return None

    def fused(self, scale: float) -> Fused | None:
        """The rule of this step as numbers, for a GPU; None: by ``rule`` alone."""
        return None

    def _update_on(self, device, params, grads, scale):
        """``update`` where the arrays are another device's."""
        if [w.shape for w in params] != [g.shape for g in grads]:
            raise arguments.wrong("grads", "arrays of their parameters' shapes", [g.shape for g in grads])
        if any(np.ndim(array) and module_of(array) is not device.xp
               for arrays in (*self.slots.values(), self.decays) for array in arrays):
            raise ArgumentError(f"an optimizer's slots and decays must be where its parameters are ({device.name}): "
                                "create the optimizer after move_to")
        self.steps += 1
        clip = scale if isinstance(scale, Clip) else None
        fused = self.fused(1.0 if clip else scale) if _rule_owner(self, "fused") is _rule_owner(self, "rule") else None
        by_parameter = self._by_parameter(params, grads)
        if fused is not None:
            update(device, by_parameter, fused, clip)
            return
        if clip:
            norm, loss = device.numbers(clip.norm, clip.norm if clip.loss is None else clip.loss)
            if not (math.isfinite(norm) and math.isfinite(loss)):
                return
            scale = clip_scale(norm, clip.limit)
        update_by_calls(by_parameter, self.rule(scale))

    def _by_parameter(self, params, grads):
        """(w, gradient, its slots, rate, decay) of each parameter."""
        count, slots = len(params), self.slots_for(params)
        by_parameter = zip(*(slots[name] for name in self.slot_names), strict=True) if slots else [()] * count
        rates = [self.lr * factor for factor in self.factors] or [self.lr] * count
        return zip(params, grads, by_parameter, rates, self.decays or [self.weight_decay] * count, strict=True)

    def _fits(self, params, grads):
        """Whether each parameter has a gradient of its shape, and all else there is."""
        try:
            return ([w.shape for w in params if isinstance(w, np.ndarray)] == [g.shape for g in grads]
                    and len(self.factors) in (0, len(params)) and len(self.decays) in (0, len(params)))
        except (AttributeError, TypeError):
            return False


def _rule_owner(optimizer, name):
    """The class that has a method of this name: a subclass may have another rule."""
    return next(kind for kind in type(optimizer).__mro__ if name in vars(kind))
