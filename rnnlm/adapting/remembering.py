"""What caches share: a memory of the last K words, and its share in the probability.

    p(w) = (1 - weight) p_model(w) + weight p_cache(w)

A word comes into the memory after it was scored, so none is predicted from itself.
The <eos> before the first word of a text is context, and is not in it; the <eos> at
each line end and <unk> are words like others.  While the memory is empty, p is p_model.

The weight may follow the text (``rnnlm.scoring.following``).  Then it is that of the
first words alone, and only the probabilities of the words of a text can be had.

The words of a window come from its targets ts.  ``predict`` knows no targets: the last
word is the first one of xs that is read next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.adapting.around import Around, require_one_stream, scores_and_states
from rnnlm.adapting.attention import BLOCK, EMPTY, TO_COME, target_probs, word_probs
from rnnlm.compute import arguments
from rnnlm.compute.default_workers import computing
from rnnlm.compute.functions import log_softmax
from rnnlm.compute.threads import slices
from rnnlm.compute.word_scores import WordScores
from rnnlm.errors import ArgumentError
from rnnlm.scoring.following import FollowingWeights, Follows, words_needed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from rnnlm.scoring.predictor import Scores


class Remembering(Follows, Around):
    """A predictor mixed with the words of a memory; subclasses say how they count.

    Attributes
    ----------
    size : K, how many words are remembered.
    weight : that of the memory.
    following : FollowingWeights of the model and of the memory; None: the weight stays.
    memory : (words (N, K), ids, or EMPTY or TO_COME; keys (N, K, H), the states from
        which they were predicted), or the words alone; None: nothing was read.
    """

    adapts = True
    theta = decay = 0.0
    by_states = False  # whether the states weigh the words

    def __init__(self, model: Scores, size: int, weight: float, follow: int | None = None) -> None:
        super().__init__(model)
        self.size, self.weight = arguments.whole("size", size), arguments.share("weight", weight)
        self.following = None if follow is None else FollowingWeights([1 - self.weight, self.weight], follow)
        self.memory: tuple[np.ndarray, ...] | None = None

    def own_state(self) -> tuple[np.ndarray, ...]:
        """The memory; (None, None) or (None,) for an empty one."""
        return (None,) * (2 if self.by_states else 1) if self.memory is None else self.memory

    def set_own_state(self, state: Sequence[np.ndarray] | None) -> None:
        """Continue from what ``own_state`` returned; None: start afresh."""
        empty = state is None or state[0] is None
        if not empty and (state[0].shape[1:] != (self.size,) or len(state) != len(self.own_state())):
            raise ArgumentError(f"the memory must be of {self.size:,} words, got one of {state[0].shape[1]:,}: give "
                                f"what get_state of such a {type(self).__name__} returned")
        self.memory = None if empty else tuple(state)

    def forget(self) -> None:
        """Forget the hidden state, and keep the words that were read."""
        super().forget()
        if self.memory is not None:
            words = np.where(self.memory[0] == TO_COME, EMPTY, self.memory[0])
            self.memory = words, *self.memory[1:]

    @computing
    def states(self, xs: ArrayLike) -> np.ndarray:  # ids (N, T) -> (N, T, H)
        """Those of the network inside; carries the state on."""
        xs = arguments.ids_of_windows("xs", xs)
        states = self.model.states(xs)
        self.remember(xs, None, states)
        return states

    def scores_and_states(self, xs: np.ndarray, ts: np.ndarray | None = None,
                          with_states: bool = True) -> tuple[np.ndarray, np.ndarray | None]:
        """(ln p (N, T, V), states (N, T, H) or None), see ``Around``.

        ArgumentError where the weight follows the text.
        """
        if self.following:
            raise words_needed()
        scores, states = scores_and_states(self.model, xs, ts, with_states or self.by_states)
        texts = self.remember(xs, ts, states)
        log_probs = np.empty(scores.shape, scores.dtype)
        for n, text in enumerate(texts):
            self._mix(scores[n], None if states is None else states[n], text, log_probs[n])
        return log_probs, states

    def _mix(self, scores, states, text, out):
        """Write ln p of every word (T, V) of one text into ``out``."""
        words, keys = text
        queries = states if self.by_states else None

        def block(steps):
            ids, probs = word_probs(queries, keys, words, len(out), steps, self.theta, self.decay,
                                    self.workers)
            logs = log_softmax(scores[steps])
            seen, share = _shares(probs[:, :1], self.weight)
            logs += np.log1p(-share).astype(logs.dtype)
            with np.errstate(divide="ignore"):  # ln 0 = -inf
                logs[:, ids] = np.logaddexp(logs[:, ids], np.log(share * np.where(seen, probs, 0)))
            out[steps] = logs

        self.workers.each(block, slices(len(out), BLOCK))

    def _window_scores(self, xs, ts, details, top, with_states):
        if details or top:
            return super()._window_scores(xs, ts, details, top, with_states)
        require_one_stream(xs)
        found = inner_scores(self.model, xs, ts, with_states or self.by_states)
        (words, keys), = self.remember(xs, ts, None if found.states is None else found.states[np.newaxis])
        queries = found.states if self.by_states else None
        probs = target_probs(queries, keys, words, ts[0], [self.theta], self.workers, [self.decay])
        log_probs = mixed(found.log_probs, probs[0, 0], self._weights(found.log_probs, probs[0, 0]))
        return WordScores(log_probs, states=found.states if with_states else None)

    def _weights(self, log_probs, probs):
        """The weight of the memory, or for each of T words its own (T,).

        A word that comes while the memory is empty tells nothing of the weights.
        """
        if not self.following:
            return self.weight
        seen, weights = ~np.isnan(probs), np.full(len(probs), self.weight)
        with np.errstate(divide="ignore"):  # ln 0 = -inf
            weights[seen] = self.following.take(np.array([log_probs[seen], np.log(probs[seen])], np.float64))[1]
        return weights

    def remember(self, xs: np.ndarray, ts: np.ndarray | None,
                 states: np.ndarray | None) -> list[tuple[np.ndarray, np.ndarray | None]]:
        """Add a window to the memory.

        Parameters
        ----------
        xs, ts : ids (N, T), see ``Around.scores_and_states``.
        states : (N, T, H), those after xs; without ``by_states`` None.

        Returns
        -------
        list : for each text (words (K + T,), keys (K + T, H) or None), those read
            before and those of the window.
        """
        N, T = xs.shape
        before, keys = self._memory_of(N, states)
        first = before[:, -1:]
        last = np.full((N, 1), TO_COME) if ts is None else ts[:, -1:]
        words = np.concatenate([before[:, :-1], np.where(first == TO_COME, xs[:, :1], first), xs[:, 1:], last], axis=1,
                               dtype=np.int32, casting="unsafe")
        if not self.by_states:
            self.memory = (words[:, T:],)
            return [(row, None) for row in words]
        keys = np.concatenate([keys, states], axis=1)
        self.memory = words[:, T:], keys[:, T:]
        return list(zip(words, keys, strict=True))

    def _memory_of(self, N, states):
        """The words and the keys (or None) read before, of N texts."""
        if self.memory is None:
            words = np.full((N, self.size), EMPTY, np.int32)
            return words, np.zeros((N, self.size, states.shape[2]), states.dtype) if self.by_states else None
        if len(self.memory[0]) != N:
            raise ArgumentError(f"xs must hold as many texts as were read before, {len(self.memory[0])}, got {N}: "
                                "use a fresh_state() block, or set_state")
        return self.memory if self.by_states else (*self.memory, None)


def inner_scores(model, xs, ts, with_states):
    """The WordScores of a window of one text from any predictor, without details."""
    if with_states:
        return model.word_scores(xs, ts, with_states=True)
    return WordScores(np.asarray(model.log_probs(xs, ts))[0])


def mixed(log_probs, probs, weight):
    """ln((1 - weight) exp(log_probs) + weight probs); log_probs without probs (nan)."""
    seen, share = _shares(probs, weight)
    with np.errstate(divide="ignore"):  # ln 0 = -inf
        both = np.logaddexp(np.log1p(-share) + log_probs, np.log(share * np.where(seen, probs, 0)))
    return both.astype(log_probs.dtype)


def _shares(probs, weight):
    """(Whether probs are numbers, the weight where they are and 0 elsewhere)."""
    seen = ~np.isnan(probs)
    return seen, np.where(seen, weight, 0.0)
