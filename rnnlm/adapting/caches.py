"""A model with its temperature and its caches, as numbers that can be tuned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnlm.adapting.cache import Cache
from rnnlm.adapting.temperature import Tempered
from rnnlm.adapting.unigram_cache import UnigramCache

if TYPE_CHECKING:
    from rnnlm.scoring.predictor import Predictor


@dataclass(frozen=True)
class CacheSettings:
    """The numbers of a softmax temperature, a Cache and a UnigramCache.

    Attributes
    ----------
    size, theta, weight, decay : those of the Cache; size None: there is none.
    unigram_size, unigram_weight : those of the UnigramCache; size None: there is none.
    temperature : that of the network; 1: its own.
    follow : words that the weights of the caches follow; None: they stay.
    """

    size: int | None = None
    theta: float = 0.1
    weight: float = 0.1
    decay: float = 0.0
    unigram_size: int | None = None
    unigram_weight: float = 0.05
    temperature: float = 1.0
    follow: int | None = None

    def around(self, model: Predictor) -> Predictor:
        """The model with all: the temperature innermost, the unigrams outermost."""
        if self.temperature != 1:
            model = Tempered(model, self.temperature)
        if self.size is not None:
            model = Cache(model, self.size, self.theta, self.weight, self.decay, self.follow)
        if self.unigram_size is not None:
            model = UnigramCache(model, self.unigram_size, self.unigram_weight, self.follow)
        return model
