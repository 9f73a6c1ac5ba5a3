"""What predictors around another predictor share: they change what that one says."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.compute.default_workers import computing, workers_of
from rnnlm.compute.threads import slices
from rnnlm.compute.word_scores import WordScores
from rnnlm.errors import ArgumentError
from rnnlm.layers.fast.word_scores import detailed_scores
from rnnlm.scoring.predictor import can_be_set, require_states, vocab_size_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from numpy.typing import ArrayLike

    from rnnlm.compute.threads import Workers
    from rnnlm.models.architecture import Architecture
    from rnnlm.scoring.predictor import Scores

STEPS = 256  # whose scores of every word are held at a time


class Around:
    """A predictor around another one, whose probabilities it changes.

    Subclasses write ``scores_and_states``; those that have more to carry on than the
    inner predictor write ``own_state`` and ``set_own_state``.

    Parameters
    ----------
    model : LanguageModel or another predictor.

    Attributes
    ----------
    workers : those of the model.
    """

    def __init__(self, model: Scores) -> None:
        self.model = arguments.language_model("model", model, "log_probs")
        self.workers: Workers = workers_of(model)

    @property
    def vocabulary_fingerprint(self) -> str | None:
        """That of the Vocabulary whose ids the model reads; None: not known."""
        return getattr(self.model, "vocabulary_fingerprint", None)

    @property
    def vocab_size(self) -> int:
        """V, the number of words."""
        return vocab_size_of(self.model)

    @property
    def architecture(self) -> Architecture:
        """That of the network inside; an n-gram model has none."""
        return self.model.architecture

    @property
    def adapts(self) -> bool:
        """Whether what was read changes more than the hidden state."""
        return getattr(self.model, "adapts", False)

    @property
    def can_be_set(self) -> bool:
        """Whether the model inside has states that can be set."""
        return can_be_set(self.model)

    @property
    def static(self) -> Scores:
        """The model inside without adaptation, as tables of scores show it."""
        return getattr(self.model, "static", self.model)

    def scores_and_states(self, xs: np.ndarray, ts: np.ndarray | None = None,
                          with_states: bool = True) -> tuple[np.ndarray, np.ndarray | None]:
        """(Scores (N, T, V), states (N, T, H)) after each of the ids xs (N, T).

        Parameters
        ----------
        xs : ids (N, T).
        ts : the words that came next, (N, T); None: the last of them is not known yet.
        with_states : whether the states are wanted; otherwise they may be None.
        """
        raise NotImplementedError

    def own_state(self) -> tuple[np.ndarray, ...] | None:
        """The arrays that this predictor carries on; None: it carries nothing."""
        return None

    def set_own_state(self, state: Sequence[np.ndarray] | None) -> None:
        """Continue from what ``own_state`` returned; None: start afresh."""

    def get_state(self) -> list[tuple[np.ndarray | None, ...]]:
        """The layers of the model inside, then what this predictor carries on.

        Returns
        -------
        states : a tuple of arrays for each, with a row a stream.

        Raises
        ------
        ArgumentError : the model inside has none.
        """
        require_states(self, "a state")
        own = self.own_state()
        return [*self.model.get_state(), *([] if own is None else [own])]

    def set_state(self, states: Sequence[Sequence[np.ndarray | None]]) -> None:
        """Continue from what ``get_state`` returned."""
        if self.own_state() is None:
            self.model.set_state(states)
            return
        self.model.set_state(states[:-1])
        self.set_own_state(states[-1])

    @contextmanager
    def fresh_state(self) -> Iterator[None]:
        """A block in which all starts afresh; afterwards everything is as before."""
        own = self.own_state()
        with self.model.fresh_state():
            self.set_own_state(None)
            try:
                yield
            finally:
                self.set_own_state(own)

    def forget(self) -> None:
        """Forget the hidden state, and keep what was learned from the text."""
        forget(self.model)

    @computing
    def predict(self, xs: ArrayLike) -> np.ndarray:  # ids (N, T) -> (N, T, V)
        """The scores of every word at every step; carries the state on."""
        return self.scores_and_states(arguments.ids_of_windows("xs", xs), with_states=False)[0]

    def predict_last(self, xs: ArrayLike) -> np.ndarray:  # ids (N, T) -> (N, V)
        """What ``predict`` gives for the last step."""
        return self.predict(xs)[:, -1]

    def log_probs(self, xs: ArrayLike, ts: ArrayLike) -> np.ndarray:  # ids (N, T), ids (N, T) -> (N, T)
        """ln p of every target, given all before it; carries the state on."""
        return self.word_scores(xs, ts).log_probs.reshape(np.shape(xs))

    @computing
    def word_scores(self, xs: ArrayLike, ts: ArrayLike, wanted: np.ndarray | None = None, details: bool = False,
                    top: int = 0, *, with_states: bool = False, repeats: np.ndarray | None = None) -> WordScores:
        """What ``LanguageModel.word_scores`` gives."""
        ts, top = arguments.targets_of_windows(xs, ts), arguments.whole("top", top, 0)
        xs = arguments.ids_of_windows("xs", xs)
        arguments.mask("wanted", wanted, ts.shape)
        found = self._window_scores(xs, ts, details, top, with_states)
        return found if wanted is None else found.at(wanted.ravel())

    def _window_scores(self, xs, ts, details, top, with_states):
        """The WordScores of a window of one text, from the scores of all words."""
        require_one_stream(xs)
        found = []
        for steps in slices(xs.shape[1], STEPS):
            scores, states = self.scores_and_states(xs[:, steps], ts[:, steps], with_states)
            found.append(scores_of_rows(scores[0], ts[0, steps], details, top, self.workers))
            if with_states:
                found[-1].states = states[0].copy()
        return WordScores.joined(found)


def scores_of_rows(scores, ts, details, top, workers):  # (M, V), ids (M,)
    """The WordScores of targets, each predicted by its own row of scores."""
    return detailed_scores(lambda some, out: np.copyto(out, some), scores.shape[1], scores, np.arange(len(scores)), ts,
                           workers, details, top)


def scores_and_states(model, xs, ts=None, with_states=True):
    """(Scores (N, T, V), states (N, T, H) or None) of any predictor.

    The scores are new memory, or filled anew by the model's next call.
    """
    if hasattr(model, "scores_and_states"):
        return model.scores_and_states(xs, ts, with_states)
    if not with_states or not hasattr(model, "output"):
        return model.predict(xs), None
    states = model.states(xs)
    return model.output.scores(states), states


def forget(model: Any) -> None:
    """Forget the hidden state of any predictor, and keep what it has adapted."""
    if hasattr(model, "forget"):
        model.forget()
    else:
        with model.fresh_state():
            state = model.get_state()
        model.set_state(state)


def require_one_stream(xs):
    """ArgumentError unless the window xs (N, T) is of one text."""
    if len(xs) != 1:
        raise ArgumentError(f"xs must hold one text at a time, (1, T), for a predictor that adapts, got {len(xs)}: "
                            "what it learns from one must not depend on the others beside it")
