"""Scores of words: what a model says of every word of a text, given all before it.

A text is one stream, or many sequences that know nothing of each other: sentences, the
hypotheses of a list.  Sequences are sorted by length and read side by side.  So the
layers compute many rows at a time, and few steps are padding; padded steps come after
the last word, and are neither scored nor remembered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute.word_scores import WordScores, word_scores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnlm.scoring.predictor import Scores

WINDOW = 1024  # steps of one stream at a time; the result does not depend on it
ROWS = 2048    # words that are read side by side, padding included


def window_scores(model: Scores, xs: np.ndarray, ts: np.ndarray, counts: np.ndarray | None = None,
                  details: bool = False, top: int = 0) -> WordScores:
    """``LanguageModel.word_scores`` of any predictor, which may lack that method."""
    with np.errstate(over="ignore", invalid="ignore"):  # callers look at the results
        if hasattr(model, "word_scores"):
            return model.word_scores(xs, ts, counts, details, top)
        counts = np.ones(ts.shape, bool) if counts is None else counts
        if details or top:
            return word_scores(np.asarray(model.predict(xs))[counts], ts[counts], details, top)
        return WordScores(np.asarray(model.log_probs(xs, ts))[counts])


def stream_scores(model: Scores, ids: np.ndarray, last: int, details: bool = False,
                  top: int = 0) -> Iterator[tuple[slice, WordScores]]:
    """Yield (slice of ids, WordScores) window by window, from the model's state.

    Open a ``model.fresh_state()`` around it.  The state is carried on, so that the next
    call continues the text.

    Parameters
    ----------
    model : LanguageModel or another predictor.
    ids : (n,), a text or the next part of one.
    last : the id before the first of them: <eos> at the start of a text.
    details, top : see ``LanguageModel.word_scores``.
    """
    for start in range(0, len(ids), WINDOW):
        ts = ids[start : start + WINDOW]
        xs = np.concatenate([[last], ts[:-1]])
        last = ts[-1]
        yield slice(start, start + len(ts)), window_scores(model, xs[np.newaxis], ts[np.newaxis], None, details, top)


def sequence_scores(model: Scores, ids: np.ndarray, lengths: np.ndarray, eos_id: int, details: bool = False,
                    top: int = 0) -> WordScores:
    """The WordScores of many sequences, each read from a fresh state after <eos>.

    Each scores what it scores alone, but for rounding.

    Parameters
    ----------
    model : LanguageModel or another predictor.
    ids : (n,), the ids of all sequences, one after another.
    lengths : (S,), how many of them each sequence has; 0 is allowed.
    eos_id : the id of <eos>, which stands before the first word of each.
    details, top : see ``LanguageModel.word_scores``.

    Returns
    -------
    WordScores : of the n ids, in their order.
    """
    ids, lengths = np.asarray(ids), np.asarray(lengths, np.int64)
    starts = np.cumsum(lengths) - lengths
    found, places = [], []
    for batch in _batches(lengths):
        for where, scores in _batch_scores(model, ids, starts[batch], lengths[batch], eos_id, details, top):
            places.append(where)
            found.append(scores)
    if not found:
        return WordScores(np.empty(0))
    order = np.empty(len(ids), np.int64)
    order[np.concatenate(places)] = np.arange(len(ids))
    return WordScores.joined(found).at(order)


def _batches(lengths):
    """Yield the numbers of sequences to be read side by side, the shortest first."""
    order = np.argsort(lengths, kind="stable")
    order = order[np.searchsorted(lengths[order], 1) :]  # those of length 0 have nothing to score
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and (stop + 1 - start) * lengths[order[stop]] <= ROWS:
            stop += 1
        yield order[start:stop]
        start = stop


def _batch_scores(model, ids, starts, lengths, eos_id, details, top):
    """Yield (places in ids, their WordScores) for sequences read side by side."""
    steps = max(1, ROWS // len(lengths))
    with model.fresh_state():
        for first in range(0, int(lengths.max()), steps):
            steps_here = np.arange(first, min(first + steps, int(lengths.max())))
            counts = steps_here < lengths[:, np.newaxis]  # (N, T)
            places = np.where(counts, starts[:, np.newaxis] + steps_here, 0)
            ts = np.where(counts, ids[places], eos_id)
            xs = np.where(counts & (steps_here > 0), ids[places - 1], eos_id)
            yield places[counts], window_scores(model, xs, ts, counts, details, top)
