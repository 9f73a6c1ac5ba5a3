"""The rates of dynamic evaluation, chosen on validation text by a grid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnlm.adapting.dynamic import DynamicModel
from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError, DivergenceError
from rnnlm.scoring.evaluation import token_log_probs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from rnnlm.models import LanguageModel
    from rnnlm.models.gradient_statistics import GradientStatistics

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
                 on_tried: Callable[[Tried], object] | None = None) -> list[Tried]:
    """Try each learning rate with each decay; the best comes first.

    Parameters
    ----------
    model : LanguageModel.
    ids : (n,), validation text, of which the first 30,000 tokens are read.
    eos_id : the id of <eos>.
    method, window, eps, statistics : see DynamicModel.
    lrs, decays : the grid; None: multiples of the method's defaults.
    on_tried : called with each Tried; what it raises ends the search.

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
            found.append(Tried(lr, decay, _perplexity(dynamic, ids, eos_id)))
            if on_tried:
                on_tried(found[-1])
    return sorted(found, key=lambda tried: tried.perplexity)


def _grid(given, usual, factors, most):
    """The values to try, each once, ascending."""
    return sorted(set(given)) if given is not None else sorted({min(usual * factor, most) for factor in factors})


def _perplexity(dynamic, ids, eos_id):
    try:
        return math.exp(-token_log_probs(dynamic, ids, eos_id).mean())
    except (DivergenceError, OverflowError):
        return math.inf
