"""What predictors that are made of other predictors share: states, words, pieces."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.compute.functions import log_softmax
from rnnlm.compute.threads import SERIAL, Workers
from rnnlm.compute.word_scores import WordScores, word_scores
from rnnlm.errors import ArgumentError
from rnnlm.scoring.generation import last_scores
from rnnlm.scoring.predictor import can_be_set, reads_unknown, vocab_size_of
from rnnlm.text.vocabulary import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    State = tuple[np.ndarray | None, ...]  # of one layer, as get_state gives it

CELLS = 1 << 20  # numbers of whole distributions that are read at a time: they stay in the cache


class Combined:
    """A predictor made of parts that read the same ids; see rnnlm/scoring/predictor.py.

    A subclass has ``log_probs(xs, ts)`` and ``whole(scores)``: ln p of every word from
    what ``predict`` or ``predict_last`` of each part gives.

    Parameters
    ----------
    parts : predictors.

    Attributes
    ----------
    parts : list of the predictors.
    workers : those of the first part that has any.
    gives_log_probs : True: ``predict`` gives ln p itself, not scores up to a constant.
    """

    gives_log_probs = True

    def __init__(self, parts: Sequence[Any]) -> None:
        self.parts = list(parts)
        workers = (getattr(part, "workers", None) for part in self.parts)
        self.workers = next((one for one in workers if isinstance(one, Workers)), SERIAL)

    @property
    def vocab_size(self) -> int:
        """V, the number of words."""
        return vocab_size_of(self.parts[0])

    @property
    def adapts(self) -> bool:
        """Whether a part learns from what it reads, so that it reads one stream."""
        return any(getattr(part, "adapts", False) for part in self.parts)

    @property
    def reads_unknown(self) -> bool:
        """Whether all parts can read UNKNOWN."""
        return all(reads_unknown(part) for part in self.parts)

    @property
    def can_be_set(self) -> bool:
        """Whether all parts have states that can be set."""
        return all(can_be_set(part) for part in self.parts)

    def forget(self) -> None:
        """Forget what was read; what parts have adapted stays."""
        for part in self.parts:
            if getattr(part, "adapts", False):
                part.forget()
            else:
                part.set_state([tuple(None for _ in layer) for layer in part.get_state()])

    @contextmanager
    def fresh_state(self) -> Iterator[None]:
        """A block in which all parts start afresh; afterwards their states are back."""
        with ExitStack() as states:
            for part in self.parts:
                states.enter_context(part.fresh_state())
            yield

    def get_state(self) -> list[State]:
        """The states of all parts' layers, those of the first part first.

        ArgumentError if a part has none that could be set back.
        """
        for part in self.parts:
            if not can_be_set(part):
                raise ArgumentError(f"a {type(part).__name__} learns from one stream in order, so it cannot be set to "
                                    "a state: use it for one text at a time")
        return [layer for part in self.parts for layer in part.get_state()]

    def set_state(self, states: Sequence[State]) -> None:
        """Continue from what get_state returned."""
        sizes = [len(part.get_state()) for part in self.parts]
        arguments.one_for_each("states", states, sum(sizes), "layers of all parts")
        for part, end, size in zip(self.parts, np.cumsum(sizes).tolist(), sizes, strict=True):
            part.set_state(states[end - size : end])

    def predict(self, xs: np.ndarray) -> np.ndarray:  # ids (N, T) -> (N, T, V)
        """ln p of every word at every step; carries the state on."""
        return self.whole(self.scores_of_parts(xs))

    def scores_of_parts(self, xs: np.ndarray) -> list[np.ndarray]:  # ids (N, T) -> K of (N, T, V)
        """What ``predict`` of each part gives; carries the state on."""
        return [np.asarray(part.predict(xs)) for part in self.parts]

    def predict_last(self, xs: np.ndarray) -> np.ndarray:  # ids (N, T) -> (N, V)
        """What ``predict`` gives for the last step, in less time."""
        return self.whole([last_scores(part, xs) for part in self.parts])

    def word_scores(self, xs: np.ndarray, ts: np.ndarray, wanted: np.ndarray | None = None, details: bool = False,
                    top: int = 0, *, with_states: bool = False, repeats: np.ndarray | None = None) -> WordScores:
        """What is said of every target; see ``LanguageModel.word_scores``.

        ArgumentError where states are asked for: several models have none in common.
        """
        if with_states:
            raise ArgumentError("several models together have no hidden states: ask one network for its own")
        top = min(arguments.whole("top", top, 0), self.vocab_size)
        wanted = np.ones(ts.shape, bool) if wanted is None else wanted
        known, asked = ts != UNKNOWN, wanted
        wanted = wanted & known
        numbers = np.cumsum(wanted).reshape(ts.shape) - 1
        order, found = [], []
        for rows, steps in self.pieces(*ts.shape):
            here, targets = wanted[rows, steps], ts[rows, steps]
            scores = [one[here] for one in self.scores_of_parts(xs[rows, steps])]
            log_probs, of_targets = self._whole_with_targets(scores, targets[here])
            order.append(numbers[rows, steps][here])
            found.append(word_scores(log_probs, targets[here], details, top, are_log_probs=True))
            found[-1].log_probs = of_targets
        return WordScores.joined(found).at(np.argsort(np.concatenate(order))).spread(known[asked])

    def _whole_with_targets(self, scores, ts):  # K of (..., V), ids (...) -> (..., V), (...)
        """ln p of every word, and of the targets."""
        log_probs = self.whole(scores)
        return log_probs, at(log_probs, ts)

    def pieces(self, N: int, T: int) -> Iterator[tuple[slice, slice]]:
        """Yield (rows, steps) of a window (N, T) of ids, to be read in this order.

        Whole distributions over the words of a piece are about CELLS numbers.  Many
        streams are read in groups, each to its end: the states are those of the group.
        After the last piece they are those of all streams.
        """
        most = max(1, CELLS // self.vocab_size)
        if most >= N:
            for steps in _slices(T, most // N):
                yield slice(None), steps
            return
        before, after = self.get_state(), []
        for rows in _slices(N, most):
            self.set_state([tuple(None if array is None else array[rows] for array in layer) for layer in before])
            for step in _slices(T, 1):
                yield rows, step
            after.append([tuple(None if array is None else np.array(array) for array in layer)
                          for layer in self.get_state()])
        self.set_state([tuple(None if arrays[0] is None else np.concatenate(arrays)
                              for arrays in zip(*layers, strict=True)) for layers in zip(*after, strict=True)])


def _slices(size, step):
    return [slice(start, min(start + step, size)) for start in range(0, size, step)]


def at(values: np.ndarray, ts: np.ndarray) -> np.ndarray:  # (..., V), ids (...) -> (...)
    """What stands at the targets."""
    return np.take_along_axis(values, ts[..., np.newaxis], axis=-1)[..., 0]


def as_log_probs(predictor: Any, scores: np.ndarray) -> np.ndarray:  # (..., V) -> (..., V)
    """ln p of every word, from a predictor's scores of every word."""
    return scores if getattr(predictor, "gives_log_probs", False) else log_softmax(scores)
