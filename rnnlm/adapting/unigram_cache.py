"""The unigram cache: a word that occurred lately is likely to occur again."""

from rnnlm.adapting.remembering import Remembering
from rnnlm.scoring.predictor import Scores


class UnigramCache(Remembering):
    """A predictor with a memory of the last K words (Kuhn & De Mori, 1990).

    p(w) = (1 - weight) p_model(w) + weight (how often w is among the last K words) / K

    A text shorter than K is divided by its own length.  See
    ``rnnlm.adapting.remembering`` for what is in the memory.

    Parameters
    ----------
    model : LanguageModel or any other predictor.
    size : K.
    weight : at least 0 and below 1.
    follow : words that the weight follows; None: it stays.
    """

    def __init__(self, model: Scores, size: int = 500, weight: float = 0.05, follow: int | None = None) -> None:
        super().__init__(model, size, weight, follow)
