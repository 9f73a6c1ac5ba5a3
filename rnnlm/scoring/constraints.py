"""Constraints: what a text may not hold, and what it should not repeat."""

from collections import deque

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError, IdError
from rnnlm.text.vocabulary import UNKNOWN

RECENT = 64  # tokens of the prompt and the text that count as recent


class Constraints:
    """Changes the scores of the next words of several texts.

    Parameters
    ----------
    limits : the Limits of the texts: whether a line may end, or must.
    vocab_size : V.
    forbidden : ids that are never written.
    repetition_penalty : the scores of recent words, but not of the line end, are
        divided by it where they are above 0, and multiplied where they are below
        (Keskar et al., 2019); 1: none.

    Raises
    ------
    ArgumentError : no word is left to write, or a value that cannot be.
    """

    def __init__(self, limits, vocab_size, forbidden=(), repetition_penalty=1.0):
        self.limits, self.vocab_size = limits, vocab_size
        self.forbidden = np.array(sorted(set(forbidden)), dtype=np.intp)
        self.penalty = arguments.number("repetition_penalty", repetition_penalty, "of at least 1", lambda x: x >= 1)
        if self.forbidden.size and not 0 <= self.forbidden[0] <= self.forbidden[-1] < vocab_size:
            raise IdError(f"forbidden must hold ids from 0 to {vocab_size - 1}, got {self.forbidden[0]} to "
                          f"{self.forbidden[-1]}")
        if vocab_size - len(set(self.forbidden.tolist()) | {limits.eos_id}) == 0:
            raise ArgumentError(f"forbidden must leave a word to write, got all {vocab_size} ids but that of <eos>")

    @property
    def change(self):
        """Whether they depend on what was written, not on ``forbidden`` alone."""
        return self.penalty != 1 or self.limits.min_length is not None or self.limits.max_length is not None

    def recent(self, ids):
        """The recent ones of a prompt's ids, a deque to which a text adds its own."""
        return deque(ids, maxlen=RECENT if self.penalty != 1 else 0)

    def apply(self, scores, texts):
        """Change the scores (V, n), in place, of the next words of n texts.

        A text has ``progress``, its Progress, and ``recent``.
        """
        if self.penalty != 1:
            self._penalise(scores, texts)
        scores[self.forbidden] = -np.inf
        if self.limits.min_length is not None:
            scores[self.limits.eos_id, [not text.progress.may_end_line for text in texts]] = -np.inf
        if self.limits.max_length is not None:
            self._end(scores, [text.progress.must_end_line for text in texts])

    def forbid(self, scores, progress):
        """The same for texts of equal length, without the penalty."""
        scores[self.forbidden] = -np.inf
        if not progress.may_end_line:
            scores[self.limits.eos_id] = -np.inf
        if progress.must_end_line:
            self._end(scores, np.ones(scores.shape[1], bool))

    def _end(self, scores, texts):
        """Leave nothing but the line end to these texts."""
        ends = scores[self.limits.eos_id, texts]
        scores[:, texts] = -np.inf
        scores[self.limits.eos_id, texts] = ends

    def _penalise(self, scores, texts):
        """Lower the scores of recent words, each once."""
        recent = [sorted(set(text.recent) - {self.limits.eos_id, UNKNOWN}) for text in texts]
        words = np.array([i for ids in recent for i in ids], dtype=np.intp)
        columns = np.repeat(np.arange(len(texts)), [len(ids) for ids in recent])
        values = scores[words, columns]
        scores[words, columns] = np.where(values > 0, values / self.penalty, values * self.penalty)
