"""Softmax temperature: a network made surer of itself, or less sure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.adapting.around import Around, scores_and_states, scores_of_rows
from rnnlm.compute import arguments
from rnnlm.compute.default_workers import computing
from rnnlm.compute.threads import slices
from rnnlm.compute.word_scores import WordScores, rows_and_owners
from rnnlm.layers.fast.output import FastOutput
from rnnlm.models import LanguageModel

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rnnlm.scoring.predictor import Scores

ROWS = 256  # whose scores of every word are held at a time


class Tempered(Around):
    """p(w) proportional to p_network(w)^(1 / T) (Guo et al., 2017).

    With scores s that is softmax(s / T).  T above 1 makes the network less sure of
    itself, T below 1 surer.  ``predict`` gives the scores s / T.

    Parameters
    ----------
    model : LanguageModel, or another predictor that gives scores and states.
    temperature : T, above 0.
    """

    def __init__(self, model: Scores, temperature: float) -> None:
        super().__init__(model)
        arguments.language_model("model", model, "states")
        self.temperature = above_0("temperature", temperature)

    @property
    def static(self) -> Scores:
        """The model without adaptation, at this temperature."""
        inside = getattr(self.model, "static", None)
        return self if inside is None else Tempered(inside, self.temperature)

    @computing
    def states(self, xs: ArrayLike) -> np.ndarray:  # ids (N, T) -> (N, T, H)
        """Those of the network inside; carries the state on."""
        return self.model.states(xs)

    def scores_and_states(self, xs: np.ndarray, ts: np.ndarray | None = None,
                          with_states: bool = True) -> tuple[np.ndarray, np.ndarray | None]:
        """(Scores (N, T, V), states (N, T, H) or None), see ``Around``."""
        scores, states = scores_and_states(self.model, xs, ts, with_states)
        return scores / scores.dtype.type(self.temperature), states

    @computing
    def word_scores(self, xs: ArrayLike, ts: ArrayLike, wanted: np.ndarray | None = None, details: bool = False,
                    top: int = 0, *, with_states: bool = False, repeats: np.ndarray | None = None) -> WordScores:
        """What ``LanguageModel.word_scores`` gives."""
        if not isinstance(self.model, LanguageModel):
            return super().word_scores(xs, ts, wanted, details, top, with_states=with_states, repeats=repeats)
        xs, ts = arguments.ids_of_windows("xs", xs), arguments.targets_of_windows(xs, ts)
        arguments.mask("wanted", wanted, ts.shape)
        arguments.mask("repeats", repeats, ts.shape)
        wanted = np.ones(ts.shape, bool) if wanted is None else wanted
        rows, owners = rows_and_owners(self.model.states(xs), wanted, repeats)
        if not wanted.any():
            return WordScores.empty(details, min(top, self.architecture["vocab_size"]))
        found = tempered_scores(self.model.output, rows, ts[wanted], owners, self.temperature, details, top,
                                self.workers)
        if with_states:
            found.states = rows[owners]
        return found


def tempered_scores(output, rows, ts, owners, temperature, details, top, workers):
    """The WordScores of targets (M,) whose owners are rows (R, H) of states.

    output : of a LanguageModel.
    """
    divisor = rows.dtype.type(temperature)
    if isinstance(output, FastOutput):  # (h W + b) / T is (h / T) W + b / T
        W, b = output.params
        return FastOutput(W, b / divisor, workers, grads=output.grads).word_scores(rows / divisor, ts, details, top,
                                                                                   owners)
    order, found = np.argsort(owners, kind="stable"), []
    for part in slices(len(order), ROWS):
        mine = order[part]
        scores = output.scores(rows[np.newaxis, owners[mine]])[0] / divisor
        found.append(scores_of_rows(scores, ts[mine], details, top, workers))
    return WordScores.joined(found).at(np.argsort(order))


def above_0(name, value):
    """A number above 0."""
    return arguments.number(name, value, "above 0", lambda x: x > 0)
