"""A predictor of one vocabulary, read as one of another vocabulary's ids.

The text has the ids of the target vocabulary; the model has its own.  Words that both
have keep their ln p.  What an n-gram model says of other words is shared out so that
all words together have at most 1:

    a word that only the target has   an equal share of the model's p(<unk>), together
                                      with the target's <unk>; 0 without <unk>
    words that only the model has     their p is added to that of the target's <unk>;
                                      without <unk> it is left out

In what was read, a word that the model lacks is its <unk>, or nothing at all.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.mixing.combined import CELLS, Combined, as_log_probs
from rnnlm.mixing.mixture import log_sum
from rnnlm.ngrams.ngram_model import NOTHING
from rnnlm.text.vocabulary import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rnnlm.text.vocabulary import Vocabulary


class Mapped(Combined):
    """A predictor with a vocabulary of its own, as one of the ids of another.

    Parameters
    ----------
    model : an NgramModel; or any predictor whose words are the same in another order.
    own : its Vocabulary.
    vocabulary : that of the ids it is to read.

    Attributes
    ----------
    vocabulary_fingerprint : that of ``vocabulary``.
    vocab_size : V, the size of ``vocabulary``.
    """

    vocab_size = 0

    def __init__(self, model: Any, own: Vocabulary, vocabulary: Vocabulary) -> None:
        super().__init__([model])
        self.vocab_size, self.vocabulary_fingerprint = len(vocabulary), vocabulary.fingerprint()
        self.unk_id = vocabulary.unk_id
        self.own_ids = np.array([own.ids.get(word, NOTHING) for word in vocabulary.words])  # (V,)
        self.shifts = np.zeros(len(vocabulary), np.float32)  # (V,), added to ln p
        self.unknown = NOTHING if own.unk_id is None else own.unk_id  # what UNKNOWN is for the model
        lacks = self.own_ids == NOTHING
        only_own = np.setdiff1d(np.arange(len(own)), self.own_ids)
        self.gathered = only_own[only_own != own.unk_id] if self.unk_id is not None else only_own[:0]
        if own.unk_id is None:
            self.shifts[lacks] = -np.inf
            return
        self.own_ids[lacks] = own.unk_id
        sharing = lacks.copy()
        if self.unk_id is not None:
            sharing[self.unk_id] = True
        self.shifts[sharing] = -math.log(max(1, np.count_nonzero(sharing)))

    def __repr__(self) -> str:
        return f"<{self.parts[0]!r} on a vocabulary of {self.vocab_size:,}>"

    def log_probs(self, xs: np.ndarray, ts: np.ndarray) -> np.ndarray:  # ids (N, T), ids (N, T) -> (N, T)
        """ln p of every target, given all before it; carries the state on."""
        (model,), xs = self.parts, self._own(xs)
        ts = arguments.targets_of_windows(xs, ts)
        before = model.get_state()
        found = np.asarray(model.log_probs(xs, np.maximum(self.own_ids[ts], 0)), np.float64) + self.shifts[ts]
        if self.gathered.size:
            unknown = np.nonzero(ts == self.unk_id)
            found[unknown] = log_sum(np.array([found[unknown], self._of_gathered(before, xs, *unknown)]))
        found[ts == UNKNOWN] = np.nan
        return found

    def _own(self, xs):  # ids (N, T) -> (N, T)
        """The ids for the model, of what it reads."""
        xs = arguments.ids_of_windows("xs", xs)
        return np.where(xs == UNKNOWN, self.unknown, self.own_ids[xs])

    def _of_gathered(self, before, xs, rows, steps):  # (M,), (M,) -> (M,)
        """ln p of all words together that only the n-gram model has.

        before: its states before the ids xs.
        """
        (model,), found = self.parts, np.empty(len(rows))
        size, (last,) = model.order - 1, before[0]
        last = np.full((len(xs), size), NOTHING) if last is None else last
        words = np.concatenate([last, xs], axis=1)
        at_once = max(1, CELLS // len(self.own_ids))
        for start in range(0, len(rows), at_once):
            r, s = rows[start : start + at_once], steps[start : start + at_once]
            with model.fresh_state():
                model.set_state([(words[r[:, np.newaxis], s[:, np.newaxis] + np.arange(size)],)])
                whole = model.predict(xs[r, s][:, np.newaxis])[:, 0]
            found[start : start + at_once] = log_sum(whole[:, self.gathered].T)
        return found

    def scores_of_parts(self, xs: np.ndarray) -> list[np.ndarray]:  # ids (N, T) -> one of (N, T, V of the model)
        """What ``predict`` of the model gives for its own ids; carries the state on."""
        return super().scores_of_parts(self._own(xs))

    def predict_last(self, xs: np.ndarray) -> np.ndarray:  # ids (N, T) -> (N, V)
        """What ``predict`` gives for the last step, in less time."""
        return super().predict_last(self._own(xs))

    def whole(self, scores: Sequence[np.ndarray]) -> np.ndarray:  # one of (..., V of the model) -> (..., V)
        """ln p of every word of the target vocabulary."""
        log_probs = as_log_probs(self.parts[0], np.asarray(scores[0]))
        found = log_probs[..., np.maximum(self.own_ids, 0)] + self.shifts
        if self.gathered.size:
            gathered = log_sum(np.moveaxis(log_probs[..., self.gathered], -1, 0))
            found[..., self.unk_id] = log_sum(np.array([found[..., self.unk_id], gathered]))
        return found
