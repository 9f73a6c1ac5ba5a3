"""The continuous cache: words return after states like those they came after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnlm.adapting.remembering import Remembering
from rnnlm.compute import arguments

if TYPE_CHECKING:
    from rnnlm.scoring.predictor import Scores


MOST_DECAY = 0.1  # of a larger one, 32 bits hold no sums over a block; only some ten words would count


class Cache(Remembering):
    """A network with a memory of its last K hidden states (Grave et al., 2017).

    p(w) = (1 - weight) p_network(w) + weight p_cache(w)
    p_cache(w) proportional to the sum of exp(theta h_t . h_i - decay (t - i)) over the
    last K steps i whose next word was w

    h_t are the states that the output layer reads, behind the projection if there is
    one.  They are not scaled, so theta is small where their norms are large.  The decay
    is not in the paper: with it older words count less, as in the caches of Clarkson &
    Robinson (1997), so that a longer memory is of use.  theta 0 without decay makes a
    UnigramCache.  ``rnnlm.adapting.remembering`` says what is in the memory.

    Parameters
    ----------
    model : LanguageModel, or another predictor that gives states.
    size : K.
    theta : at least 0.
    decay : from 0 to 0.1.
    weight : at least 0 and below 1.
    follow : words that the weight follows; None: it stays.
    """

    by_states = True

    def __init__(self, model: Scores, size: int = 500, theta: float = 0.1, weight: float = 0.1,
                 decay: float = 0.0, follow: int | None = None) -> None:
        super().__init__(model, size, weight, follow)
        arguments.language_model("model", model, "states")
        self.theta = arguments.not_negative("theta", theta)
        self.decay = arguments.number("decay", decay, f"from 0 to {MOST_DECAY:g}", lambda x: 0 <= x <= MOST_DECAY)
