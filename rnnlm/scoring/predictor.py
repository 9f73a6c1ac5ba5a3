"""What scoring and generation need of a model, as types for type checkers.

A predictor gives ln p of the next token and carries a state: a network, an n-gram
model, a mixture, a network that adapts.  One that adapts (a cache, dynamic evaluation)
has two things more:

    adapts     True: it reads one sequence at a time, (1, T), each wholly in order
    forget()   forgets where the sequence stands, but not what it has adapted to

Where a text is read as many sequences, it is opened once by ``fresh_state``, and
``forget`` is called at the end of each.  One that is made of others says in
``can_be_set`` whether all of them have states that can be set.

One that says ``reads_unknown``, True, can read UNKNOWN among the ids: a word that it
does not know.  Such a word has nan for ln p.  Other predictors never meet it: for them
it is <unk>, or it is left out.

One that knows something of each token of a text, whatever the order in which it is
read, has two others:

    in_order(log_probs)  is given ln p of the text's next tokens as written, and returns
                         what they become
    end_of_text()        is called after the last of them
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError, RnnlmError


class Scores(Protocol):
    """A model that gives ln p of the tokens of a text, such as a LanguageModel."""

    def fresh_state(self) -> AbstractContextManager[Any]:
        """A block in which the model starts afresh; afterwards its state is back."""

    def log_probs(self, xs: np.ndarray, ts: np.ndarray) -> np.ndarray:
        """ln p of the targets ts (N, T) after the ids xs (N, T): (N, T), nats."""

    # For entropies, ranks and the most probable words it also has ``predict``, as
    # Predicts below, or ``word_scores`` with the arguments of LanguageModel's.


class Predicts(Protocol):
    """A model that scores every word as the next one, such as a LanguageModel.

    It may also have ``predict_last(xs)``: the scores (N, V) after the last step alone.
    Several texts at once, and beam search, need ``get_state()`` and
    ``set_state(states)`` as well: for each layer a tuple of arrays with a row a stream,
    or None.
    """

    def fresh_state(self) -> AbstractContextManager[Any]:
        """A block in which the model starts afresh; afterwards its state is back."""

    def predict(self, xs: np.ndarray) -> np.ndarray:
        """Scores (N, T, V) of every word after each of the ids xs (N, T)."""


Predictor = Scores | Predicts


def adapts(model: Any) -> bool:
    """Whether a predictor adapts to what it reads."""
    return bool(getattr(model, "adapts", False))


def vocab_size_of(predictor: Any) -> int:
    """V of a predictor, which says it itself or in its architecture."""
    size = getattr(predictor, "vocab_size", None)
    return predictor.architecture.vocab_size if size is None else size


def reads_unknown(model: Any) -> bool:
    """Whether a predictor can read UNKNOWN, a word that its vocabulary lacks."""
    return bool(getattr(model, "reads_unknown", False))


def require_finite(log_probs: np.ndarray, of: str = "") -> None:
    """RnnlmError unless ln p of words are all finite; of: what has the words."""
    if np.isfinite(log_probs).all():
        return
    why = "its scores are not finite"
    if not np.isnan(log_probs).any():
        why = ("a word has the probability 0, whose logarithm is not finite; a linear mixture with a model that gives "
               "it a probability would do")
    raise RnnlmError(f"the model gives no probabilities{of and f' for {of}'}: {why}")


def can_be_set(model: Any) -> bool:
    """Whether a predictor, and what it is made of, has states that can be set."""
    return bool(getattr(model, "can_be_set", hasattr(model, "set_state")))


def bytes_of(states: Any) -> int:
    """The bytes of what ``get_state`` returned."""
    return sum(array.nbytes for layer in states for array in layer if array is not None)


def require_states(model: Any, what: str, *methods: str) -> None:
    """ArgumentError unless a predictor can be set to a state, as ``what`` needs it.

    methods : names of what else it must have.
    """
    if adapts(model) and not can_be_set(model):
        raise ArgumentError(f"{what} cannot be had from a {type(model).__name__}, which learns from one stream in "
                            "order: use it without dynamic evaluation")
    arguments.has("model", model, ("fresh_state", *methods, "get_state", "set_state"), "a LanguageModel")
