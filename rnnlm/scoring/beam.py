"""Beam search: the most probable continuations, found without trying all of them."""

from dataclasses import dataclass

import numpy as np

from rnnlm.compute.default_workers import workers_of
from rnnlm.compute.functions import log_softmax
from rnnlm.errors import RnnlmError, size_shown
from rnnlm.scoring.generation import last_scores
from rnnlm.scoring.predictor import bytes_of
from rnnlm.scoring.sampling import require_finite

MOST_BYTES = 1 << 31  # of the states of a beam, which a cache makes large; in a step there are three times as many


@dataclass(eq=False)
class Hypothesis:
    """A continuation.

    Attributes
    ----------
    before : the Hypothesis that it continues; None: the prompt.
    id, log_prob : its last id, and ln p of that.
    total : ln p of the whole continuation.
    size : how many ids it has.
    """

    before: "Hypothesis | None" = None
    id: int = -1
    log_prob: float = 0.0
    total: float = 0.0
    size: int = 0

    def path(self):
        """The ids and their ln p, two lists."""
        steps, step = [], self
        while step.before is not None:
            steps.append((step.id, step.log_prob))
            step = step.before
        return [i for i, _ in reversed(steps)], [log_prob for _, log_prob in reversed(steps)]

    def rank(self, length_penalty):
        """What hypotheses are compared by: ln p / size^length_penalty."""
        return self.total / max(self.size, 1) ** length_penalty


def beam_search(model, prompt, width, constraints, progress, length_penalty=0.0, on_step=lambda: False):
    """The most probable continuations of a prompt up to the line end, best first.

    In each step the ``width`` most probable of all continuations by one word are kept.
    Those that end the line are finished.  The search stops when ``width`` are finished
    and none that is being written ranks above the last of them.  A greedy text is the
    search with width 1; with a width of all continuations nothing is missed.

    Parameters
    ----------
    model : a predictor with ``get_state`` and ``set_state``, such as a LanguageModel.
    prompt : (n,), ids, at least one.
    width : how many are kept in each step, and how many are returned at most.
    constraints : Constraints; without a repetition penalty.
    progress : a Progress, which counts the words of the line.
    length_penalty : continuations are ranked by ln p / size^length_penalty (the line
        end counts in the size); 0: by ln p, 1: by its mean.
    on_step : function, called after each step; if it returns true the search stops.

    Returns
    -------
    finished, unfinished : two lists of Hypothesis.  The second is empty unless the
        search was stopped, or met a line that does not end.

    Raises
    ------
    RnnlmError : the states of so many continuations would be too large.
    """
    search = _Search(model, constraints, width, length_penalty)
    with model.fresh_state(), np.errstate(over="ignore", invalid="ignore"):
        search.begin(prompt)
        _require_room(model, width)
        while not search.done():
            progress.line = search.live[0].size  # all have the same size
            if progress.line > progress.limits.longest_line or on_step():
                return search.best(), search.live
            search.step(progress)
    return search.best(), []


def _require_room(model, width):
    """RnnlmError if as many states as the beam is wide would be too large."""
    state = bytes_of(model.get_state())
    most = max(1, MOST_BYTES // max(1, state))
    if width > most:
        raise RnnlmError(f"a beam of {width:,} would need {size_shown(width * state)} for its states, "
                         f"{size_shown(state)} each, at most {size_shown(MOST_BYTES)} are used: lower --beam to "
                         f"{most:,}, or give a smaller cache")


class _Search:
    """The live hypotheses with their scores, and those that are finished."""

    def __init__(self, model, constraints, width, length_penalty):
        self.model, self.constraints, self.width, self.length_penalty = model, constraints, width, length_penalty
        self.workers = workers_of(model)
        self.live, self.finished = [Hypothesis()], []

    def begin(self, prompt):
        self.logs = self._read(prompt[np.newaxis])

    def _read(self, xs):  # (n, T) -> (n, V)
        """ln p of every next word."""
        scores = self.workers.compute(last_scores, self.model, xs)
        require_finite(scores.max(axis=1))
        return log_softmax(scores.astype(np.float64))

    def step(self, progress):
        """From the live hypotheses to the best that are longer by one word."""
        logs = self.logs.copy()
        self.constraints.forbid(logs.T, progress)
        totals = np.array([hypothesis.total for hypothesis in self.live])[:, np.newaxis] + logs
        rows, ids = np.divmod(best_first(totals.ravel(), self.width), totals.shape[1])
        longer = [Hypothesis(self.live[row], int(i), float(self.logs[row, i]), float(totals[row, i]),
                             self.live[row].size + 1) for row, i in zip(rows, ids, strict=True)]
        at_end = ids == self.constraints.limits.eos_id
        self.finished += [longer[k] for k in np.flatnonzero(at_end)]
        self.live, rows = [longer[k] for k in np.flatnonzero(~at_end)], rows[~at_end]
        if not self.done():
            self.model.set_state([tuple(None if a is None else a[rows] for a in layer)
                                  for layer in self.model.get_state()])
            self.logs = self._read(ids[~at_end, np.newaxis].astype(np.int32))

    def best(self):
        """The finished ones in order, as many as the beam is wide."""
        return sorted(self.finished, key=lambda hypothesis: -hypothesis.rank(self.length_penalty))[: self.width]

    def done(self):
        """Whether no live hypothesis ranks above the last that is returned."""
        if not self.live:
            return True
        best = self.best()
        return len(best) == self.width and best[-1].rank(self.length_penalty) >= self.live[0].rank(self.length_penalty)


def best_first(values, count):
    """The indices of the highest values, at most ``count``, without -inf.

    The highest is the first; ties go in order of indices.
    """
    lowest = np.partition(values, max(len(values) - count, 0))[max(len(values) - count, 0)]
    found = np.flatnonzero((values >= lowest) & (values > -np.inf))
    return found[np.argsort(-values[found], kind="stable")[:count]]
