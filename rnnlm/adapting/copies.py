"""A copy of a model for reading: the same weights, and nothing that only trains."""

from __future__ import annotations

from rnnlm.compute import arguments
from rnnlm.models import LanguageModel


def bare_copy(model: LanguageModel) -> LanguageModel:
    """A LanguageModel with the weights of another one, without dropout and penalties.

    Its memory lies like the other's, and it computes on the other's workers.

    ArgumentError for a model of another class, whose weights may mean something else.
    """
    arguments.kind("model", model, LanguageModel, "a LanguageModel")
    copy = LanguageModel(**model.architecture, rng=None, dtype=model.params[0].dtype, plain=model.plain,
                         workers=model.workers, frozen=model.frozen)
    for array, values in zip(copy.packing.memory, model.packing.memory, strict=True):
        array[...] = values
    copy.vocabulary_fingerprint = model.vocabulary_fingerprint
    return copy
