"""Streams: several continuations of one prompt, read side by side in batches.

Each thread has a batch of its own, with a copy of the model that shares its weights.
So threads wait for each other only once every few words.
"""

import copy
from array import array
from collections import deque
from functools import partial
from itertools import islice, repeat

import numpy as np

from rnnlm.compute.default_workers import workers_of
from rnnlm.errors import ArgumentError
from rnnlm.scoring.generation import last_scores
from rnnlm.scoring.limits import EndlessError
from rnnlm.scoring.predictor import bytes_of

MOST = 32  # texts of a batch: small products of the output's weights with their states are fastest
MOST_BYTES = 1 << 28  # of the states of a batch, which a cache makes large; in a step there are three times as many
LARGE = 200_000  # scores of a step from which on threads make it faster


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


class Batch:
    """Texts that one thread reads side by side.

    Parameters
    ----------
    model : the model, or a copy that no other batch uses.
    draws : Draws.
    first : (V, 1), the scores behind the prompt.
    start : the states behind the prompt.
    size : how many texts there are at most.
    """

    def __init__(self, model, draws, first, start, size):
        self.model, self.draws, self.first, self.start, self.size = model, draws, first, start, size
        self.streams, self.states = [], None  # the states are those of the streams
        self.waiting, self.written = deque(), []

    def fill(self, new_streams, count):
        """Let new texts wait, so that with those of the batch they are ``count``."""
        self.waiting.extend(islice(new_streams, max(0, count - len(self.streams) - len(self.waiting))))

    def steps(self, words):
        """Write so many words of each text; the texts that got any are ``written``."""
        self.written = list(self.streams)
        for _ in range(words):
            if self.streams or self.waiting:
                self._step()

    def _step(self):
        joining = [self.waiting.popleft() for _ in range(min(len(self.waiting), self.size - len(self.streams)))]
        if self.streams:
            self.model.set_state(self.states)
            self._write(_read(self.model, self.streams), self.streams)
            self.states = self.model.get_state()
        if joining:
            self._write(_known(np.broadcast_to(self.first, (len(self.first), len(joining)))), joining)
            self.written += joining
        if joining or any(stream.ended for stream in self.streams):
            self._go_on(joining)

    def _write(self, read, texts):
        ids, log_probs = self.draws(read, texts)
        for text, i, log_prob in zip(texts, ids.tolist(), repeat(None) if log_probs is None else log_probs.tolist(),
                                     strict=False):
            text.add(i, log_prob)

    def _go_on(self, joining):
        """Keep the texts that have not ended, and their states."""
        kept = [k for k, text in enumerate(self.streams) if not text.ended]
        new = [text for text in joining if not text.ended]
        states = self.states or [tuple(None if a is None else a[:0] for a in layer) for layer in self.start]
        self.states = [tuple(_rows(a, kept, first, len(new)) for a, first in zip(layer, firsts, strict=True))
                       for layer, firsts in zip(states, self.start, strict=True)]
        self.streams = [self.streams[k] for k in kept] + new


def _rows(state, kept, first, count):
    """The kept rows of a state (N, H), and ``count`` times the one of ``first``."""
    if first is None:  # a predictor without this state
        return None
    return np.concatenate([state[kept], np.repeat(first, count, axis=0)])


def _read(model, texts):
    """Read the last word of each text; the function that Draws get their scores by."""
    xs = np.fromiter((text.ids[-1] for text in texts), np.int32, len(texts))[:, np.newaxis]
    if len(texts) > 1 and hasattr(model, "products_after"):
        return model.products_after(xs)
    return _known(last_scores(model, xs).T)


def _known(scores):  # (V, n)
    """The function of scores that are there already."""
    return lambda: (scores.copy(), np.zeros(len(scores), scores.dtype))


def write_streams(model, prompt, new_streams, count, draws, words=1):
    """Yield, again and again, the Streams that have new words.

    The prompt is read once.  A text that has ended leaves its batch, and one that waits
    takes its place.  From the first ``next`` on, the model's state is that of a batch;
    at the end it is what it was before.

    Parameters
    ----------
    model : a predictor with ``get_state`` and ``set_state``, such as a LanguageModel.
    prompt : (n,), ids, at least one.
    new_streams : an iterator of Streams.
    count : how many they are.
    draws : Draws.
    words : how many words are written of each text before they are yielded.
    """
    workers, V = workers_of(model), draws.constraints.vocab_size
    with model.fresh_state(), np.errstate(over="ignore", invalid="ignore"):  # draws say it in one line
        first = np.array(workers.compute(last_scores, model, prompt[np.newaxis])).T
        start = model.get_state()
    if len(first) != V:
        raise ArgumentError(f"vocabulary must be that of the model, which has {len(first):,} words, got one of {V:,}: "
                            "load_model gives both")
    threads = workers.compute(lambda: workers.threads) if hasattr(model, "products_after") and count * V >= LARGE else 1
    size = max(1, min(MOST, -(-count // threads), MOST_BYTES // max(1, bytes_of(start))))
    with model.fresh_state():
        batches = [Batch(copy.copy(model) if k else model, draws, first, start, size) for k in range(threads)]
        while True:
            for waiting in (0, size):  # first all batches get as many as they take
                for batch in batches:
                    batch.fill(new_streams, size + waiting)
            batches = [batch for batch in batches if batch.streams or batch.waiting]
            if not batches:
                return
            with np.errstate(over="ignore", invalid="ignore"):
                workers.compute(workers.each, partial(Batch.steps, words=words), batches)
            yield [stream for batch in batches for stream in batch.written]
