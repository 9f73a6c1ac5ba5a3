"""The methods of dynamic evaluation: how far a model steps along a window's gradient.

sgd        w <- w + decay (w0 - w) - lr g
rms        the same with a rate and a decay of each weight's own (Krause et al., 2018):
           lr / (r + eps) and decay r / mean(r), at most 1, where r is the root of the
           mean square of the weight's gradients over the training text
sentence   after each sentence, the gradient clipped to a norm of 0.25, with Nesterov's
           momentum of 0.9 and no decay (van Schijndel & Linzen, 2018)

g is the gradient of the mean loss of a window, in nats a word.  A factor on lr is for
the recurrent layers: large steps harm them sooner than they harm the word vectors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.adapting.moves import Moves
from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError

if TYPE_CHECKING:
    from rnnlm.models import LanguageModel
    from rnnlm.models.gradient_statistics import GradientStatistics

WINDOW = 5  # words; the rates are those of this window, and grow in proportion with it


@dataclass(frozen=True)
class Method:
    """A row of METHODS.

    Attributes
    ----------
    lr, decay : the defaults for windows of WINDOW words.
    by_sentence : whether a step comes after each sentence, and not after each window.
    uses_statistics : whether it needs GradientStatistics.
    eps : the default of what is added to r.
    momentum, max_grad : Nesterov's momentum, and the limit of the gradient's norm.
    lr_factors, decay_factors : of the defaults, what tuning tries.
    """

    lr: float
    decay: float = 0.0
    by_sentence: bool = False
    uses_statistics: bool = False
    eps: float = 0.0
    momentum: float = 0.0
    max_grad: float = math.inf
    lr_factors: tuple[float, ...] = (1 / 2, 1.0, 2.0, 4.0, 8.0)
    decay_factors: tuple[float, ...] = (0.5, 1.0, 2.0)


WIDE = 1 / 16, 1 / 4, 1.0, 4.0  # one rate for all weights depends on how large they are in a model
METHODS = {"sgd": Method(lr=5e-3, decay=1e-3, lr_factors=WIDE),
           # A twentieth of the published rate, with which two recipes' models diverge.
           "rms": Method(lr=2.5e-6, decay=2e-3, uses_statistics=True, eps=2e-5),
           "sentence": Method(lr=0.05, by_sentence=True, momentum=0.9, max_grad=0.25, lr_factors=WIDE)}


@dataclass(frozen=True)
class Settings:
    """A method with all of its numbers.

    Attributes
    ----------
    method : a name of METHODS.
    window : words after which a step comes; None: at the end of a sentence.
    lr, decay, eps : see the equations; None: the method's defaults, where lr and decay
        are multiplied by window / 5.
    recurrent : factor on lr for the recurrent layers; 0 leaves them as trained.
    """

    method: str = "rms"
    window: int | None = None
    lr: float | None = None
    decay: float | None = None
    eps: float | None = None
    recurrent: float = 1.0

    def __post_init__(self) -> None:
        """Fill in what was not given; ArgumentError for what cannot be."""
        row = METHODS[arguments.one_of("method", self.method, tuple(METHODS))]
        if row.by_sentence and self.window is not None:
            raise ArgumentError("window must be left out with the method 'sentence', whose windows are sentences")
        if not row.by_sentence:
            self._set("window", arguments.whole("window", WINDOW if self.window is None else self.window))
        scale = (self.window or WINDOW) / WINDOW
        self._set("lr", arguments.not_negative("lr", row.lr * scale if self.lr is None else self.lr))
        decay = min(row.decay * scale, 1.0) if self.decay is None else self.decay
        self._set("decay", arguments.number("decay", decay, "from 0 to 1", lambda x: 0 <= x <= 1))
        if self.eps is not None and not row.uses_statistics:
            raise ArgumentError(f"eps must be left out with the method {self.method!r}, which has none")
        if row.uses_statistics:
            eps = row.eps if self.eps is None else self.eps
            self._set("eps", arguments.number("eps", eps, "a number above 0", lambda x: 0 < x < math.inf))
        self._set("recurrent", arguments.not_negative("recurrent", self.recurrent))

    def _set(self, name, value):
        object.__setattr__(self, name, value)

    @property
    def row(self) -> Method:
        """The method's row of METHODS."""
        return METHODS[self.method]

    def moves(self, model: LanguageModel, trained: LanguageModel, statistics: GradientStatistics | None) -> Moves:
        """The Moves of a model that has an equal one with the trained weights.

        ArgumentError if the method needs statistics and has none, or those of another
        model.
        """
        packing = model.packing
        if statistics is None:
            if self.row.uses_statistics:
                raise ArgumentError(f"the method {self.method!r} needs statistics: gradient_statistics(model, ids) "
                                    "makes them from the training text")
            count = len(packing.params)
            decays, gains = [self.decay] * count, [self.lr] * count
        else:
            decays, gains = self._of_each_weight(packing, statistics)
        if self.recurrent != 1:
            gains = [np.full_like(w, gain) for w, gain in zip(packing.params, gains, strict=True)]
            by_name = packing.by_name(gains)
            for name in _of_recurrent_layers(model.architecture, by_name):
                by_name[name] *= self.recurrent
        return Moves(packing.params, trained.packing.params, decays, gains, self.row.momentum)

    def _of_each_weight(self, packing, statistics):
        """``decay`` and ``gain`` of each weight, in arrays that lie like it."""
        statistics.require(packing)
        mean = statistics.mean_root()
        decays, gains = ([np.empty_like(w) for w in packing.params] for _ in range(2))
        views = packing.by_name(decays), packing.by_name(gains)
        for name, mean_square in statistics.mean_squares.items():
            decay, gain = (by_name[name] for by_name in views)
            root = np.sqrt(mean_square)
            np.minimum(root * (self.decay / mean if mean else 0.0), 1, out=decay)
            np.divide(self.lr, root + root.dtype.type(self.eps), out=gain)
        return decays, gains


def _of_recurrent_layers(architecture, names):
    """Those of the parameters' names that belong to recurrent layers."""
    layers = {architecture.layer_name(number) for number in range(1, architecture["layers"] + 1)}
    return [name for name in names if name.partition("/")[0] in layers]
