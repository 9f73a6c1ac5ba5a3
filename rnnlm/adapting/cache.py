"""The continuous cache: words return after states like those they came after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnlm.adapting.remembering import Remembering
from rnnlm.compute import arguments

if TYPE_CHECKING:
    from rnnlm.scoring.predictor import Scores


class Cache(Remembering):
    """A network with a memory of its last K hidden states (Grave et al., 2017).

    p(w) = (1 - weight) p_network(w) + weight p_cache(w)
    p_cache(w) proportional to the sum of exp(theta h_t . h_i) over the last K steps i
    whose next word was w

    h_t are the states that the output layer reads, behind the projection if there is
    one.  They are not scaled, so theta is small where their norms are large.  theta 0
    makes a UnigramCache.  See ``rnnlm.adapting.remembering`` for what is in the memory.

    Parameters
    ----------
    model : LanguageModel, or another predictor that gives states.
    size : K.
    theta : at least 0.
    weight : at least 0 and below 1.
    """

    by_states = True

    def __init__(self, model: Scores, size: int = 500, theta: float = 0.1, weight: float = 0.1) -> None:
        super().__init__(model, size, weight)
        arguments.language_model("model", model, "states")
        self.theta = arguments.not_negative("theta", theta)
