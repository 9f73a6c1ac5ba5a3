"""The rates of dynamic evaluation, chosen on validation text.

First by a grid, then beyond its edge while the best point is there, then finer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.adapting.dynamic import DynamicModel
from rnnlm.compute import arguments
from rnnlm.compute.threads import slices
from rnnlm.errors import ArgumentError, DivergenceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from rnnlm.models import LanguageModel
    from rnnlm.models.gradient_statistics import GradientStatistics

STEPS = 100  # words at a time; a signal is obeyed after them
BEYOND = 4        # points that are tried beyond an edge of the grid at most
LONGEST = 30_000  # tokens: a part of the text will do, and the whole grid reads it


@dataclass(frozen=True)
class Tried:
    """A point that was tried.

    Attributes
    ----------
    lr, decay : the rates.
    perplexity : of the text; inf where the evaluation diverged.
    """

    lr: float
    decay: float
    perplexity: float


def tune_dynamic(model: LanguageModel, ids: ArrayLike, eos_id: int, method: str = "rms", *,
                 window: int | None = None, lrs: Sequence[float] | None = None, decays: Sequence[float] | None = None,
                 eps: float | None = None, statistics: GradientStatistics | None = None, recurrent: float = 1.0,
                 on_tried: Callable[[Tried], object] | None = None,
                 on_window: Callable[[int], object] | None = None) -> list[Tried]:
    """Try each learning rate with each decay, then rates between; the best comes first.

    While the best point is at an edge of the grid, one beyond it is tried.  Beside the
    best point of all, two further learning rates are tried, each
    halfway to its neighbour in the grid (by the logarithm), and then two decays: four
    points more.  A rate that is given stays at what is given.

    Parameters
    ----------
    model : LanguageModel.
    ids : (n,), validation text, of which the first 30,000 tokens are read.
    eos_id : the id of <eos>.
    method, window, eps, statistics, recurrent : see DynamicModel.
    lrs, decays : the grid; None: multiples of the method's defaults.
    on_tried : called with each Tried; what it raises ends the search.
    on_window : the same, called with the number of targets after each few of them.

    Raises
    ------
    ArgumentError : a text without a token, or another argument is wrong.
    DivergenceError : the evaluation diverges at every point of the grid.
    """
    ids = arguments.ids_of_text("ids", ids)[:LONGEST]
    if not ids.size:
        raise ArgumentError("ids must hold a token to tune on, got none")

    def perplexity(lr, decay):
        dynamic = DynamicModel(model, method, window=window, lr=lr, decay=decay, eps=eps, statistics=statistics,
                               recurrent=recurrent)
        return _perplexity(dynamic, ids, eos_id, on_window)

    usual = DynamicModel(model, method, window=window, eps=eps, statistics=statistics).settings
    search = _Search(perplexity, on_tried)
    search.add(_grid(lrs, usual.lr, usual.row.lr_factors, math.inf),
               _grid(decays, usual.decay, usual.row.decay_factors, 1.0))
    search.require_best()
    for rate, given, factors, most in (("decay", decays, usual.row.decay_factors, 1.0),
                                       ("lr", lrs, usual.row.lr_factors, math.inf)):
        if given is None:
            search.go_on(rate, _step(factors), most)
    if lrs is None:
        search.add(_halfway(search.best.lr, usual.row.lr_factors, math.inf), [search.best.decay])
    if decays is None:
        search.add([search.best.lr], _halfway(search.best.decay, usual.row.decay_factors, 1.0))
    return sorted(search.found, key=lambda tried: tried.perplexity)


class _Search:
    """What was tried so far."""

    def __init__(self, perplexity, on_tried):
        self.perplexity, self.on_tried, self.found = perplexity, on_tried, []

    def add(self, lrs, decays):
        """Try each learning rate with each decay."""
        for decay in decays:
            for lr in lrs:
                self.found.append(Tried(lr, decay, self.perplexity(lr, decay)))
                if self.on_tried:
                    self.on_tried(self.found[-1])

    def go_on(self, rate, step, most):
        """Try the next value of lr or decay while the best one is at an edge."""
        for _ in range(BEYOND):
            best, values = self.best, sorted({getattr(tried, rate) for tried in self.found})
            beyond = {values[0]: values[0] / step, values[-1]: min(values[-1] * step, most)}.get(getattr(best, rate))
            if len(values) == 1 or beyond in (None, *values):
                return
            point = {"lr": best.lr, "decay": best.decay, rate: float(f"{beyond:.3g}")}
            self.add([point["lr"]], [point["decay"]])

    @property
    def best(self):
        return min(self.found, key=lambda tried: tried.perplexity)

    def require_best(self):
        """DivergenceError if nothing that was tried gives probabilities."""
        if self.best.perplexity == math.inf:
            lrs = sorted({tried.lr for tried in self.found})
            rates = f"the learning rate {lrs[0]:g}" if len(lrs) == 1 else (
                f"each of the learning rates from {lrs[0]:g} to {lrs[-1]:g}")
            raise DivergenceError(f"dynamic evaluation diverged with {rates}, so there is none to choose: give a lower "
                                  "one, with --dynamic-lr or lrs")


def _grid(given, usual, factors, most):
    """The values to try, each once, ascending."""
    return sorted(set(given)) if given is not None else sorted({min(usual * factor, most) for factor in factors})


def _halfway(value, factors, most):
    """The values between this one and its neighbours in a grid, in three digits.

    They are used as they are printed, so that they can be given again.
    """
    step = math.sqrt(_step(factors))
    return sorted({min(float(f"{value * factor:.3g}"), most) for factor in (1 / step, step)} - {value})


def _step(factors):
    """The factor from a value of a grid to the next one."""
    first, second, *_ = sorted(factors)
    return second / first


def _perplexity(dynamic, ids, eos_id, on_window):
    """That of the ids; inf where the evaluation diverges."""
    xs, total = np.concatenate([[eos_id], ids[:-1]]), 0.0
    try:
        with dynamic.fresh_state():
            for part in slices(len(ids), STEPS):
                total += float(dynamic.log_probs(xs[np.newaxis, part], ids[np.newaxis, part]).sum(dtype=np.float64))
                if on_window:
                    on_window(part.stop - part.start)
        found = math.exp(-total / len(ids))
    except (DivergenceError, OverflowError):
        return math.inf
    return math.inf if math.isnan(found) else found
