"""Scores of words: what a model says of every word of a text, given all before it.

A text is one stream, or many sequences that know nothing of each other: sentences, the
hypotheses of a list.  Sequences are sorted by length and read side by side.  So the
layers compute many rows at a time, and few steps are padding; padded steps come after
the last word, and are neither scored nor remembered.  Sequences that begin alike share
the passes over the vocabulary of what they share.

Where a reading stands is a pair: the model's states, and the last word, which it has
not read yet.  A fresh reading has the states None, and <eos> for a last word.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute.one_process import processes_of
from rnnlm.compute.word_scores import WordScores, word_scores
from rnnlm.errors import ArgumentError
from rnnlm.scoring.predictor import adapts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike

    from rnnlm.scoring.predictor import Scores

    State = tuple[np.ndarray | None, ...]  # of one layer, as get_state gives it

WINDOW = 1024  # steps of one stream at a time; the result does not depend on it
ROWS = 8192    # words that are read side by side, padding included
ALIKE = 8      # first words by which sequences of one length are sorted


def window_scores(model: Scores, xs: np.ndarray, ts: np.ndarray, wanted: np.ndarray | None = None,
                  details: bool = False, top: int = 0, *, with_states: bool = False,
                  repeats: np.ndarray | None = None) -> WordScores:
    """``LanguageModel.word_scores`` of any predictor, which may lack that method."""
    with np.errstate(over="ignore", invalid="ignore"):  # callers look at the results
        if hasattr(model, "word_scores"):
            return model.word_scores(xs, ts, wanted, details, top, with_states=with_states, repeats=repeats)
        if with_states:
            raise ArgumentError(f"a {type(model).__name__} has no word_scores, so its states are not known: give a "
                                "LanguageModel")
        wanted = np.ones(ts.shape, bool) if wanted is None else wanted
        if details or top:
            return word_scores(np.asarray(model.predict(xs))[wanted], ts[wanted], details, top)
        return WordScores(np.asarray(model.log_probs(xs, ts))[wanted])


def stream_scores(model: Scores, ids: np.ndarray, last: int, details: bool = False, top: int = 0,
                  *, with_states: bool = False) -> Iterator[tuple[slice, WordScores]]:
    """Yield (slice of ids, WordScores) window by window, from the model's state.

    Open a ``model.fresh_state()`` around it.  The state is carried on, so that the next
    call continues the text.

    Parameters
    ----------
    model : LanguageModel or another predictor.
    ids : (n,), a text or the next part of one.
    last : the id before the first of them: <eos> at the start of a text.
    details, top, with_states : see ``LanguageModel.word_scores``.
    """
    for start in range(0, len(ids), WINDOW):
        ts = ids[start : start + WINDOW]
        xs = np.concatenate([[last], ts[:-1]])
        last = ts[-1]
        yield slice(start, start + len(ts)), window_scores(model, xs[np.newaxis], ts[np.newaxis], None, details, top,
                                                           with_states=with_states)


def sequence_scores(model: Scores, ids: ArrayLike, lengths: ArrayLike, eos_id: int, details: bool = False,
                    top: int = 0, *, states: Sequence[State] | None = None, last: ArrayLike | None = None,
                    with_states: bool = False) -> WordScores:
    """The WordScores of many sequences, each read from a fresh state after <eos>.

    Each scores what it scores alone, but for rounding: a predictor that adapts starts
    wholly afresh for each.  The Processes of a model share the work, and each gets all
    scores.

    Parameters
    ----------
    model : LanguageModel or another predictor.
    ids : (n,), the ids of all sequences, one after another.
    lengths : (S,), how many of them each sequence has; 0 is allowed.
    eos_id : the id of <eos>, which stands before the first word of each.
    details, top, with_states : see ``LanguageModel.word_scores``.
    states : where each sequence starts instead of from a fresh state: arrays (S, H), as
        ``get_state`` gives them, or (1, H) where all start from the same.
    last : (S,) or one for all, the id before the first word of each; None: <eos>.

    Returns
    -------
    WordScores : of the n ids, in their order.

    Raises
    ------
    ArgumentError : the lengths do not add up to n.
    """
    ids, lengths = np.asarray(ids), np.asarray(lengths, np.int64)
    if lengths.sum() != len(ids) or (lengths < 0).any():
        raise ArgumentError(f"lengths must be at least 0 and add up to the {len(ids)} ids, got {lengths.size} that add "
                            f"up to {lengths.sum()}")
    last = np.broadcast_to(np.asarray(eos_id if last is None else last), lengths.shape)
    starts = np.cumsum(lengths) - lengths
    one_start = states is None or all(len(array) == 1 for layer in states for array in layer if array is not None)
    found, positions, processes = [], [], processes_of(model)
    for number, batch in enumerate(_batches(ids, starts, lengths, last, 0 if adapts(model) else ROWS)):
        if number % processes.size != processes.rank:  # another process reads it
            continue
        with model.fresh_state():
            if states is not None:
                model.set_state(_of_sequences(states, batch))
            for where, xs, ts, wanted, repeats in _windows(ids, starts[batch], lengths[batch], last[batch]):
                positions.append(where)
                found.append(window_scores(model, xs, ts, wanted, details, top, with_states=with_states,
                                           repeats=repeats if one_start else None))
    if processes.size > 1:
        found, positions = map(list, map(chain.from_iterable, zip(*processes.each((found, positions)), strict=True)))
    if not found:
        return WordScores.empty(details, top)
    order = np.empty(len(ids), np.int64)
    order[np.concatenate(positions)] = np.arange(len(ids))
    return WordScores.joined(found).at(order)


def states_after(model: Scores, ids: ArrayLike, last: int, states: Sequence[State] | None) -> list[State]:
    """The states of a model that has read one sequence, for what comes next.

    It has read ``last`` and all ids but the last one, which comes before the next word:
    ``sequence_scores(..., states=states_after(...), last=ids[-1])`` goes on there.  The
    model's own state is as before.

    Parameters
    ----------
    model : LanguageModel or another predictor with ``get_state`` and ``set_state``.
    ids : (n,); without any the states are those given.
    last : the id before the first of them.
    states : where the sequence starts: arrays (1, H), as ``get_state`` gives them;
        None: a fresh state.

    Returns
    -------
    states : arrays (1, H), as ``get_state`` gives them.
    """
    ids = np.asarray(ids, np.int64)
    xs = np.concatenate([[last], ids[:-1]])[np.newaxis, : len(ids)]
    read = getattr(model, "states", None) or model.predict_last  # a mixture has no hidden states of its own
    with model.fresh_state():
        if states is not None:
            model.set_state(states)
        for start in range(0, len(ids), WINDOW):
            read(xs[:, start : start + WINDOW])
        return model.get_state()


def _of_sequences(states, batch):
    """The states (S, H) or (1, H) of a batch of sequences."""
    return [tuple(None if array is None else np.broadcast_to(array, (len(batch), *array.shape[1:]))
                  if len(array) == 1 else array[batch] for array in layer) for layer in states]


def _batches(ids, starts, lengths, last, rows):
    """Yield the numbers of sequences to be read side by side, the shortest first.

    rows: how many words they are at most, padding included; 0: one sequence.

    Among those of one length, sequences that begin alike are neighbours.
    """
    words = [np.where(lengths > k, ids[np.minimum(starts + k, len(ids) - 1)], -1) for k in range(ALIKE) if len(ids)]
    order = np.lexsort([*words[::-1], last, lengths])
    order = order[np.searchsorted(lengths[order], 1) :]  # those of length 0 have nothing to score
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and (stop + 1 - start) * lengths[order[stop]] <= rows:
            stop += 1
        yield order[start:stop]
        start = stop


def _windows(ids, starts, lengths, last):
    """Yield what is read of sequences side by side, window by window.

    Each is (positions in ids, xs, ts, wanted, repeats), for
    ``LanguageModel.word_scores``.
    """
    steps, longest = max(1, ROWS // len(lengths)), int(lengths.max())
    for first in range(0, longest, steps):
        steps_here = np.arange(first, min(first + steps, longest))
        wanted = steps_here < lengths[:, np.newaxis]  # (N, T)
        positions = np.where(wanted, starts[:, np.newaxis] + steps_here, 0)
        ts = np.where(wanted, ids[positions], 0)
        xs = np.where(wanted, ids[positions - 1], 0)
        if first == 0:
            xs[:, 0] = last
        repeats = np.zeros_like(wanted)
        equal = (xs[1:] == xs[:-1]) & wanted[1:] & wanted[:-1]
        repeats[1:] = np.logical_and.accumulate(equal, axis=1)  # several sequences always fit one window
        yield positions[wanted], xs, ts, wanted, repeats
