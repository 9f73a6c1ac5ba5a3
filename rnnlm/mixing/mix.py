"""``rnnlm.mix``: loaded models as one loaded model."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, TypeVar

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError
from rnnlm.mixing.mixture import LINEAR, Mixture
from rnnlm.mixing.tuning import tuned_weights
from rnnlm.mixing.vocabularies import on_vocabulary
from rnnlm.mixing.weights import equal_weights
from rnnlm.scoring.evaluation import ids_read
from rnnlm.text.corpus import read_text
from rnnlm.text.encoded import encode_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    LoadedModel = TypeVar("LoadedModel")


def mix(first: LoadedModel, *others: Any, weights: Sequence[float] | None = None, kind: str = LINEAR,
        tune: str | os.PathLike[str] | None = None) -> LoadedModel:
    """Mix models that ``rnnlm.load`` returned: one distribution over the next word.

    ``perplexity``, ``score``, ``generate`` and the others of the result are those of
    the mixture.  Its vocabulary is that of the first model.  An n-gram model may have
    other words; a warning says what becomes of them.

    Parameters
    ----------
    first, others : the models.
    weights : one for each, in their order; None: equal ones, unless ``tune`` is given.
    kind : "linear": the weighted mean of the probabilities; "log-linear": their
        weighted product, normalised.
    tune : validation text (str) or its file (Path), which the weights make most
        probable.  ``model.weights`` of the result has them.

    Raises
    ------
    ArgumentError : networks of different words, weights that cannot be, or both weights
        and tune.
    RnnlmError : a text that cannot be read.
    """
    if weights is not None and tune is not None:
        raise ArgumentError("tune chooses the weights, so weights must be left out with it: give one of the two")
    for model in (first, *others):
        arguments.has("a model", model, ("model", "vocabulary"), "what rnnlm.load returns")
    vocabulary, parts = first.vocabulary, [first.model]
    for number, other in enumerate(others, 2):
        part, note = on_vocabulary(other.model, other.vocabulary, vocabulary, f"model {number}", "model 1")
        if note:
            warnings.warn(note.removeprefix("note: "), stacklevel=2)
        parts.append(part)
    if tune is not None:
        text = read_text(tune, vocabulary) if isinstance(tune, os.PathLike) else encode_text(tune, vocabulary)
        weights = tuned_weights(parts, ids_read(text, *parts), vocabulary.eos_id, kind).weights
    return type(first)(Mixture(parts, equal_weights(len(parts)) if weights is None else weights, kind), vocabulary)
