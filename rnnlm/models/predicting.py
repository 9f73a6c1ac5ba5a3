"""What a model says of the next word: scores of all words, ln p of those that came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.compute.default_workers import computing, computing_on_blas
from rnnlm.compute.word_scores import WordScores, rows_and_owners

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from rnnlm.compute.device import Device
    from rnnlm.compute.threads import Workers
    from rnnlm.layers import Layer
    from rnnlm.models.architecture import Architecture


class Predicts:
    """The part of a LanguageModel that predicts; all of it carries the state on."""

    if TYPE_CHECKING:
        architecture: Architecture
        device: Device
        output: Layer
        workers: Workers

        def states(self, xs: ArrayLike) -> np.ndarray:
            """The hidden states that the output layer reads."""

    @computing
    def predict(self, xs: ArrayLike) -> np.ndarray:  # ids (N, T) -> (N, T, V)
        """Scores (logits) of every word at every step; carries the state on.

        The array is filled anew by the next call: copy what is to be kept.
        """
        return self.device.get(self.output.scores(self.states(xs)))

    def predict_last(self, xs: ArrayLike) -> np.ndarray:  # ids (N, T) -> (N, V)
        """What ``predict`` gives for the last step, in less time."""
        if getattr(self.predict, "__func__", None) is not Predicts.predict:  # a subclass has scores of its own
            return self.predict(xs)[:, -1]
        return self._scores_of_last(xs)

    @computing_on_blas
    def _scores_of_last(self, xs):
        return self.device.get(self.output.scores(self.states(xs)[:, -1:]))[:, 0]

    @computing
    def products_after(self, xs: ArrayLike) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
        """Read ids (N, T); return a function that gives the scores after the last step.

        Returns
        -------
        function : gives products (V, N), new memory or the calling thread's own, and
            biases (V,).  The score of word w in stream i is products[w, i] + biases[w].
            Each call computes the products anew, in the calling thread alone.
        """
        if getattr(self.predict, "__func__", None) is not Predicts.predict:  # a subclass has scores of its own
            scores = self.predict(xs)[:, -1].T
            return lambda: (scores.copy(), np.zeros(len(scores), scores.dtype))
        rows, get = self.states(xs)[:, -1], self.device.get
        return lambda: (get(self.output.products_by_word(rows)), get(self.output.biases))

    @computing
    def log_probs(self, xs: ArrayLike, ts: ArrayLike) -> np.ndarray:  # ids (N, T), ids (N, T) -> (N, T)
        """ln p of every target, given all before it; carries the state on."""
        return self.device.get(self.output.log_probs(self.states(xs), arguments.targets_of_windows(xs, ts)))

    @computing
    def word_scores(self, xs: ArrayLike, ts: ArrayLike, wanted: np.ndarray | None = None, details: bool = False,
                    top: int = 0, *, with_states: bool = False, repeats: np.ndarray | None = None) -> WordScores:
        """What the model says of every target, given all before it.

        Carries the state on.

        Parameters
        ----------
        xs, ts : ids (N, T).
        wanted : (N, T) bool, which targets are wanted; None: all.  The others cost no
            pass over the vocabulary.
        details : whether entropies and ranks are wanted.
        top : how many of the most probable words are wanted.
        with_states : whether the hidden states are wanted, those of ``states(xs)``.
        repeats : (N, T) bool, where row i has read, from its state to here, what row
            i - 1 has read: one pass over the vocabulary serves both.  Such a row is
            wanted only where row i - 1 is.  None: nowhere.

        Returns
        -------
        WordScores : of the M targets that are wanted, row after row.
        """
        ts, top = arguments.targets_of_windows(xs, ts), arguments.whole("top", top, 0)
        arguments.mask("wanted", wanted, ts.shape)
        arguments.mask("repeats", repeats, ts.shape)
        hs = self.device.get(self.states(xs))
        rows, owners = rows_and_owners(hs, np.ones(ts.shape, bool) if wanted is None else wanted, repeats)
        ts = ts.ravel() if wanted is None else ts[wanted]
        if not ts.size:
            return WordScores.empty(details, min(top, self.architecture["vocab_size"]))
        scores = self.output.word_scores(self.device.put(rows), ts, details, top, owners)
        if with_states:
            scores.states = rows[owners]
        return scores
