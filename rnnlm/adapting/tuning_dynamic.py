"""The rates of dynamic evaluation, chosen on validation text by a grid."""

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
LONGEST = 30_000  # tokens: a part of the text will do, and the whole grid reads it


@dataclass(frozen=True)
class Tried:
    """A point of the grid.

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
                 eps: float | None = None, statistics: GradientStatistics | None = None,
                 on_tried: Callable[[Tried], object] | None = None,
                 on_window: Callable[[int], object] | None = None) -> list[Tried]:
    """Try each learning rate with each decay; the best comes first.

    Parameters
    ----------
    model : LanguageModel.
    ids : (n,), validation text, of which the first 30,000 tokens are read.
    eos_id : the id of <eos>.
    method, window, eps, statistics : see DynamicModel.
    lrs, decays : the grid; None: multiples of the method's defaults.
    on_tried : called with each Tried; what it raises ends the search.
    on_window : the same, called with the number of targets after each few of them.

    Raises
    ------
    ArgumentError : a text without a token, or another argument is wrong.
    """
    ids = arguments.ids_of_text("ids", ids)[:LONGEST]
    if not ids.size:
        raise ArgumentError("ids must hold a token to tune on, got none")
    usual = DynamicModel(model, method, window=window, eps=eps, statistics=statistics).settings
    found = []
    for decay in _grid(decays, usual.decay, usual.row.decay_factors, 1.0):
        for lr in _grid(lrs, usual.lr, usual.row.lr_factors, math.inf):
            dynamic = DynamicModel(model, method, window=window, lr=lr, decay=decay, eps=eps, statistics=statistics)
            found.append(Tried(lr, decay, _perplexity(dynamic, ids, eos_id, on_window)))
            if on_tried:
                on_tried(found[-1])
    return sorted(found, key=lambda tried: tried.perplexity)


def _grid(given, usual, factors, most):
    """The values to try, each once, ascending."""
    return sorted(set(given)) if given is not None else sorted({min(usual * factor, most) for factor in factors})


def _perplexity(dynamic, ids, eos_id, on_window):
    xs, total = np.concatenate([[eos_id], ids[:-1]]), 0.0
    try:
        with dynamic.fresh_state():
            for part in slices(len(ids), STEPS):
                total += float(dynamic.log_probs(xs[np.newaxis, part], ids[np.newaxis, part]).sum(dtype=np.float64))
                if on_window:
                    on_window(part.stop - part.start)
        return math.exp(-total / len(ids))
    except (DivergenceError, OverflowError):
        return math.inf
