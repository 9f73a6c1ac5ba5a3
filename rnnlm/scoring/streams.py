"""Streams: several continuations of one prompt, read side by side in one batch."""

from array import array
from itertools import islice, repeat

import numpy as np

from rnnlm.compute.default_workers import workers_of
from rnnlm.errors import ArgumentError
from rnnlm.scoring.generation import last_scores
from rnnlm.scoring.limits import EndlessError

STREAMS = 64  # texts read side by side; more gain little, and their scores no longer fit into a cache


class Stream:
    """A text that is being written.

    Attributes
    ----------
    number : which one it is, from 1.
    rng : the generator of its own.
    progress, recent : see Limits and Constraints.
    ids : what was written, an array.
    log_probs : ln p of each of them (array), empty unless they are asked for.
    ended : whether nothing more comes.
    stopped : why it was ended early; "" for a text that is complete.
    """

    def __init__(self, number, rng, progress, recent):
        self.number, self.rng, self.progress, self.recent = number, rng, progress, recent
        self.ids, self.log_probs = array("i"), array("d")
        self.ended, self.stopped = False, ""

    def add(self, i, log_prob):
        """Write an id; log_prob may be None."""
        self.ids.append(i)
        self.recent.append(i)
        if log_prob is not None:
            self.log_probs.append(log_prob)
        try:
            self.ended = self.progress.add(i)
        except EndlessError as error:
            self.ended, self.stopped = True, str(error)


def write_streams(model, prompt, new_streams, draws):
    """Yield, after each step, the Streams that have a new word.

    The prompt is read once.  A text that has ended leaves the batch, and one that waits
    takes its place.  From the first ``next`` on, the model's state is that of the
    batch; at the end it is what it was before.

    Parameters
    ----------
    model : a predictor with ``get_state`` and ``set_state``, such as a LanguageModel.
    prompt : (n,), ids, at least one.
    new_streams : an iterator of Streams, one for each text to write.
    draws : Draws.
    """
    workers = workers_of(model)
    with model.fresh_state():
        first = _first_scores(model, prompt, workers, draws.constraints.vocab_size)
        start = model.get_state()
        batch, states, waiting = [], None, True
        while batch or waiting:
            joining = list(islice(new_streams, STREAMS - len(batch))) if waiting else []
            waiting = len(joining) == STREAMS - len(batch)
            if batch:
                model.set_state(states)
                workers.compute(_step, model, batch, draws)
                states = model.get_state()
                yield batch
            if joining:
                workers.compute(_write, lambda part: np.broadcast_to(first, (len(first), part.stop - part.start)),
                                joining, draws)
                yield joining
            batch, states = _going_on(batch, states, joining, start)


def _first_scores(model, prompt, workers, V):  # (n,) -> (V, 1)
    """The scores behind the prompt."""
    with np.errstate(over="ignore", invalid="ignore"):  # draws say it in one line
        scores = np.array(workers.compute(last_scores, model, prompt[np.newaxis])).T
    if len(scores) != V:
        raise ArgumentError(f"vocabulary must be that of the model, which has {len(scores):,} words, got one of {V:,}: "
                            "load_model gives both")
    return scores


def _read(model, batch):
    """Read the last word of each text; a function of their scores, see Draws."""
    xs = np.array([text.ids[-1:] for text in batch], dtype=np.int32)
    if len(batch) > 1 and hasattr(model, "read"):
        return model.read(xs)
    scores = last_scores(model, xs).T
    return lambda part: scores[:, part]


def _step(model, batch, draws):
    """Read the last word of each text and write the next one."""
    with np.errstate(over="ignore", invalid="ignore"):  # draws say it in one line
        _write(_read(model, batch), batch, draws)


def _write(read, texts, draws):
    """Draw a word for each text and write it."""
    with np.errstate(over="ignore", invalid="ignore"):
        ids, log_probs = draws(read, texts)
    for text, i, log_prob in zip(texts, ids.tolist(), repeat(None) if log_probs is None else log_probs.tolist(),
                                 strict=False):
        text.add(i, log_prob)


def _going_on(batch, states, joining, start):
    """The texts that have not ended, and their states.

    Those of ``batch`` have rows in ``states``, those that join begin with ``start``.
    """
    kept = [k for k, text in enumerate(batch) if not text.ended]
    new = [text for text in joining if not text.ended]
    if len(kept) == len(batch) and not new:
        return batch, states
    if not batch:
        states = [tuple(None if a is None else a[:0] for a in layer) for layer in start]
    return [batch[k] for k in kept] + new, [
        tuple(_rows(a, kept, first, len(new)) for a, first in zip(layer, firsts, strict=True))
        for layer, firsts in zip(states, start, strict=True)]


def _rows(state, kept, first, count):
    """The kept rows of a state (N, H), and ``count`` times the one of ``first``."""
    if first is None:  # a predictor without this state
        return None
    return np.concatenate([state[kept], np.repeat(first, count, axis=0)])
