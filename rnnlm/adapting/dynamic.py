"""Dynamic evaluation: a model that goes on learning from the text that it scores.

Each word is scored before it is learned from: with the weights that earlier windows
have left (Mikolov et al., 2010; Krause, Kahembwe, Murray & Renals, 2018).  Windows are
counted from the start of the text, or from where the model forgets what it read.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.adapting.copies import bare_copy
from rnnlm.adapting.learner import Learner
from rnnlm.adapting.methods import Settings
from rnnlm.compute import arguments
from rnnlm.compute.default_workers import computing
from rnnlm.compute.word_scores import WordScores
from rnnlm.errors import ArgumentError
from rnnlm.layers.base import require_ids

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike

    from rnnlm.compute.threads import Workers
    from rnnlm.models import LanguageModel
    from rnnlm.models.architecture import Architecture
    from rnnlm.models.gradient_statistics import GradientStatistics


class DynamicModel:
    """A predictor that steps along the gradient of each window that it has scored.

    It reads one stream at a time.  The model that it is made from keeps its weights;
    what learns is a copy.  A copy (copy.deepcopy, pickle) of the predictor has learned
    nothing yet.

    Parameters
    ----------
    model : LanguageModel.
    method : "sgd", "rms" or "sentence"; rnnlm/adapting/methods.py has their equations.
    window : words after which a step comes; None: 5, and a sentence for "sentence".
    lr, decay, eps : see the equations.  None: the defaults of the method; those of lr
        and decay are in proportion to the window.
    statistics : GradientStatistics of the model, for "rms".
    recurrent : factor on lr for the recurrent layers.

    Attributes
    ----------
    static : the model itself, with its trained weights.
    settings : Settings, with all numbers.
    adapts : True: what it says of a text depends on the texts before.
    """

    adapts = True

    def __init__(self, model: LanguageModel, method: str = "rms", *, window: int | None = None,
                 lr: float | None = None, decay: float | None = None, eps: float | None = None,
                 statistics: GradientStatistics | None = None, recurrent: float = 1.0) -> None:
        self.__setstate__({"static": model, "settings": Settings(method, window, lr, decay, eps, recurrent),
                           "statistics": statistics})

    def __getstate__(self):
        """What a copy is made from."""
        return {name: getattr(self, name) for name in ("static", "settings", "statistics")}

    def __setstate__(self, state):
        vars(self).update(state)
        self._ended = None  # the Learner of the last block that ended, whose memory serves the next one
        self._learner = Learner(self.static, self.settings, self.statistics)

    @property
    def workers(self) -> Workers:
        """Those of the model."""
        return self.static.workers

    @property
    def architecture(self) -> Architecture:
        """That of the model."""
        return self.static.architecture

    @property
    def vocabulary_fingerprint(self) -> str | None:
        """That of the Vocabulary whose ids the model reads."""
        return self.static.vocabulary_fingerprint

    @contextmanager
    def fresh_state(self) -> Iterator[None]:
        """A block in which it starts afresh, with the trained weights.

        Afterwards its weights and its state are as before.
        """
        outer, learner = self._learner, self._ended or Learner(self.static, self.settings, self.statistics)
        self._ended = None
        learner.start_afresh()
        self._learner = learner
        try:
            yield
        finally:
            self._ended, self._learner = self._learner, outer

    @computing
    def forget(self) -> None:
        """Forget what was read; what was learned stays.

        The rest of a window is learned from first.
        """
        self._learner.forget()

    def adapted(self) -> LanguageModel:
        """A model with what was learned in the last block of ``fresh_state``.

        Also of the rest of its last window.  ArgumentError if no block has ended.
        """
        if self._ended is None:
            raise ArgumentError("nothing was read yet: score a text first")
        self._ended.forget()
        self._ended.moves.settle()
        return bare_copy(self._ended.model)

    @computing
    def log_probs(self, xs: ArrayLike, ts: ArrayLike) -> np.ndarray:  # ids (1, T), ids (1, T) -> (1, T)
        """ln p of every target, given all before it."""
        return self._scores(xs, ts, False, 0, False).log_probs[np.newaxis]

    @computing
    def word_scores(self, xs: ArrayLike, ts: ArrayLike, wanted: np.ndarray | None = None, details: bool = False,
                    top: int = 0, *, with_states: bool = False, repeats: np.ndarray | None = None) -> WordScores:
        """What is said of every target: see ``LanguageModel.word_scores``."""
        found = self._scores(xs, ts, details, top, with_states)
        arguments.mask("wanted", wanted, np.shape(ts))
        arguments.mask("repeats", repeats, np.shape(ts))
        return found if wanted is None else found.at(wanted[0])

    @computing
    def states(self, xs: ArrayLike) -> np.ndarray:  # ids (1, T) -> (1, T, H)
        """The hidden states from which the next words are predicted."""
        (found,) = self._read(xs, None, lambda model, part: (model.states(part),))
        return found

    @computing
    def predict(self, xs: ArrayLike) -> np.ndarray:  # ids (1, T) -> (1, T, V)
        """Scores (logits) of every word after each of the ids.

        What came after the last one is learned when it is read.
        """
        (found,) = self._read(xs, None, lambda model, part: (model.predict(part),))
        return found

    @computing
    def scores_and_states(self, xs: ArrayLike, ts: ArrayLike | None = None,
                          with_states: bool = True) -> tuple[np.ndarray, np.ndarray | None]:
        """(Scores (1, T, V), states (1, T, H)) after each of the ids xs (1, T).

        Parameters
        ----------
        xs : ids (1, T).
        ts : the words that came next, (1, T); None: the last of them is not known yet.
        with_states : whether the states are wanted; they come in any case.
        """

        def of_part(model, part):
            states = model.states(part)
            return model.output.scores(states), states

        return tuple(self._read(xs, ts, of_part))

    def _read(self, xs, ts, of_part):
        """What a model says after each id: arrays (1, T, ...).

        of_part : a function (model, ids (1, n)) that gives arrays (1, n, ...).
        ts : the targets (1, T), or None where the next ids are all that is known.
        """
        (xs,) = self._stream(xs)
        ts = xs[1:] if ts is None else self._targets(xs[np.newaxis], ts)
        learner, found, start = self._learner, [], 0
        learner.expect(xs[0])
        while start < len(xs):
            part = slice(start, start + learner.room)
            learner.moves.catch_up(xs[part])
            found.append([array.copy() for array in of_part(learner.model, xs[np.newaxis, part])])
            learner.take(xs[part], ts[part])
            start = part.stop
        return [np.concatenate(arrays, axis=1) for arrays in zip(*found, strict=True)]

    def _scores(self, xs, ts, details, top, with_states):
        """The WordScores of all targets."""
        ts, (xs,) = self._targets(xs, ts), self._stream(xs)
        learner, found, start = self._learner, [], 0
        with np.errstate(over="ignore", invalid="ignore"):  # said below
            learner.expect(xs[0])
            while start < len(xs):
                part = slice(start, start + learner.room)
                found.append(self._part(learner, xs[part], ts[part], details, top, with_states))
                learner.require_finite(found[-1].log_probs)
                start = part.stop
        return WordScores.joined(found)

    def _part(self, learner, xs, ts, details, top, with_states):
        """The WordScores of words that the window still takes."""
        learner.moves.catch_up(xs)
        fills = len(xs) == learner.room
        if fills and not details and not top:
            log_probs, states = learner.read_last(xs, ts)
            return WordScores(log_probs, states=states if with_states else None)
        found = learner.model.word_scores(xs[np.newaxis], ts[np.newaxis], None, details, top, with_states=with_states)
        learner.take(xs, ts)
        return found

    def _targets(self, xs, ts):
        """The targets (T,) of the ids xs (1, T)."""
        ts = arguments.targets_of_windows(xs, ts)
        self._stream(xs)
        require_ids(ts, self.architecture["vocab_size"], "targets")
        return ts[0]

    def _stream(self, xs):
        """The ids (1, T) of one stream; ArgumentError for those of several."""
        xs = arguments.ids_of_windows("xs", xs)
        if len(xs) != 1:
            raise ArgumentError(f"a model that adapts reads one stream at a time, xs (1, T), got {len(xs)} rows")
        require_ids(xs, self.architecture["vocab_size"])
        return xs
