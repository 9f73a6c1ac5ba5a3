"""One reading of a text by a model that learns from it, window by window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.adapting.copies import bare_copy
from rnnlm.errors import DivergenceError
from rnnlm.training.clipping import clip_scale, global_norm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnnlm.adapting.methods import Settings
    from rnnlm.models import LanguageModel
    from rnnlm.models.gradient_statistics import GradientStatistics

LONGEST = 4096  # words of a sentence; a longer one is learned in parts, or its memory would have no bound


class Learner:
    """A copy of a model, which learns; and the window that it is in.

    Words are read with the weights that the windows before have left.  When a window is
    full, it is read once more as a whole, from the state at its start, and a step is
    made.  So neither the step nor the next state depends on the parts in which the
    words came.

    Parameters
    ----------
    trained : the LanguageModel, which stays as it is.
    settings : Settings.
    statistics : GradientStatistics, where the method needs them.

    Attributes
    ----------
    model : the copy, with its weights of now.
    """

    def __init__(self, trained: LanguageModel, settings: Settings, statistics: GradientStatistics | None) -> None:
        self.settings, self.model = settings, bare_copy(trained)
        self.moves = settings.moves(self.model, trained, statistics)
        self.longest = settings.window or LONGEST
        self.start_afresh()

    def start_afresh(self) -> None:
        """With the trained weights, at the start of a text."""
        self.moves.reset()
        self._begin_text()

    def _begin_text(self):
        self.model.reset_state()
        self._begin_window()

    def _begin_window(self):
        self.xs, self.ts, self.start = np.empty(0, np.int64), np.empty(0, np.int64), self.model.get_state()

    @property
    def room(self) -> int:
        """How many words the window still takes, at least 1."""
        return self.longest - len(self.xs)

    def forget(self) -> None:
        """Learn what the window has, and forget what was read.

        A last word whose next one never came teaches nothing.
        """
        if len(self.ts):
            self.xs = self.xs[: len(self.ts)]
            self._read_window()
            self._step()
        self._begin_text()

    def expect(self, first: int) -> None:
        """Tell which word comes next, before it is read."""
        if len(self.ts) < len(self.xs):
            self.ts = np.append(self.ts, first)
            self._learn_if_full()

    def take(self, xs: Sequence[int], ts: Sequence[int]) -> None:
        """Add words to the window; at most ``room``, and as many targets or one less.

        They have been read by the model.
        """
        self.xs, self.ts = np.append(self.xs, xs), np.append(self.ts, ts)
        self._learn_if_full()

    def _learn_if_full(self):
        if len(self.ts) == self.longest:
            self._read_window()
            self._step()
            self._begin_window()

    def read_last(self, xs: np.ndarray, ts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Read the words that fill the window and learn it, in one pass.

        Returns
        -------
        log_probs : (n,), ln p of the n targets that came last.
        states : (n, H), the hidden states from which they were predicted.
        """
        n = len(xs)
        self.xs, self.ts = np.append(self.xs, xs), np.append(self.ts, ts)
        hs = self._read_window()
        found = self.model.output.target_log_probs()[0, -n:].copy(), hs[0, -n:].copy()
        self._step()
        self._begin_window()
        return found

    def _read_window(self):
        """Forward over the whole window; its hidden states (1, T, H)."""
        model = self.model
        model.set_state(self.start)
        hs = model.states(self.xs[np.newaxis])
        model.output.forward(hs, self.ts[np.newaxis])
        return hs

    def _step(self):
        """Backward over the window, and a step."""
        model, row = self.model, self.settings.row
        model.backward()
        scale = len(self.ts) / self.longest if self.settings.window else 1.0
        if row.max_grad < np.inf:
            scale *= clip_scale(global_norm(model.packing.grads, model.workers), row.max_grad)
        self.moves.step(model.packing.grads, scale, model.workers)

    def require_finite(self, log_probs: np.ndarray) -> None:
        """DivergenceError if the steps have led to where there are no probabilities."""
        if self.moves.steps and not np.isfinite(log_probs).all():
            raise DivergenceError(f"dynamic evaluation diverged after {self.moves.steps:,} steps with a learning rate "
                                  f"of {self.settings.lr:g}: lower it")
