"""Exercises about words: batches of their ids, the gradient of their vectors."""

from itertools import pairwise

import numpy as np

from rnnlm.course.exercise import Case, Exercise, mistake
from rnnlm.layers import TimeEmbedding
from rnnlm.text.batches import TimeBatches


def batch_cases(rng):
    """Two texts: one that N divides, whose last id has no target; one with a rest."""
    for n, N, T in ((30, 3, 4), (29, 4, 5)):
        yield Case({"ids": rng.permutation(n), "N": N, "T": T}, {"n": n, "N": N, "T": T})


def batches(ids, N, T):
    """The package's batches."""
    return list(TimeBatches(ids, N, T))


def joined(windows):
    """What batches are compared by: the windows' lengths, and all xs and all ts."""
    try:
        pairs = [(np.asarray(xs, dtype=np.float64), np.asarray(ts, dtype=np.float64)) for xs, ts in windows]
    except (TypeError, ValueError):
        raise ValueError("your function must return a list of pairs (xs, ts), each an array (N, T) of ids.") from None
    if not pairs:
        raise ValueError("the list of windows is empty.")
    for k, (xs, ts) in enumerate(pairs):
        if xs.ndim != 2 or xs.shape != ts.shape:
            raise ValueError(f"window {k}: xs and ts must have one shape, (N, T), got {xs.shape} and {ts.shape}.")
    for k, ((before, _), (xs, _)) in enumerate(pairwise(pairs), 1):
        if len(xs) != len(before):
            raise ValueError(f"window {k} has {len(xs)} row{'s' * (len(xs) > 1)}, the window before has {len(before)}: "
                             "every window holds N, one for each stream, and is (N, T), not (T, N).")
    lengths = np.array([xs.shape[1] for xs, _ in pairs], dtype=np.float64)
    return [lengths, *(np.concatenate(side, axis=1) for side in zip(*pairs, strict=True))]


def cut(xs, ts, T, end=None):
    """Streams xs and their targets ts, (N, L) each, as windows of T steps."""
    L = xs.shape[1] if end is None else end
    return [(xs[:, k : min(k + T, L)], ts[:, k : min(k + T, L)]) for k in range(0, L, T)]


def streams(ids, N):
    """The right streams and their targets, (N, L) each."""
    ((xs, ts),) = TimeBatches(ids, N, len(ids))
    return xs, ts


@mistake("xs and ts are exchanged: each pair is (xs, ts), what is read and then what is to be guessed.")
def exchanged(ids, N, T):
    return [(ts, xs) for xs, ts in batches(ids, N, T)]


@mistake("the targets are not shifted: ts[i, t] is the word after xs[i, t], one position further on in the text.")
def not_shifted(ids, N, T):
    xs, _ = streams(ids, N)
    return cut(xs, xs, T)


@mistake("the streams are not offset, all rows are alike: stream i starts at i * L, L = (n - 1) // N.")
def not_offset(ids, N, T):
    xs, ts = (np.tile(side[0], (N, 1)) for side in streams(ids, N))
    return cut(xs, ts, T)


ROWS = ("the rows continue each other: row i of a window must continue row i of the window before, "
        "so that the state can be carried. Cut the text into N streams first, (N, L), then those into windows.")


def filled(ids, N, length, k):
    """A window whose rows follow each other in the text, from offset k * N on."""
    part = ids[k * N : (k + length) * N + 1]
    return part[:-1].reshape(N, length), part[1:].reshape(N, length)


@mistake(ROWS)
def rows_continue(ids, N, T):
    L = (len(ids) - 1) // N
    return [filled(ids, N, min(T, L - k), k) for k in range(0, L, T)]


@mistake(ROWS)
def full_rows_continue(ids, N, T):
    L = (len(ids) - 1) // N
    return [filled(ids, N, T, k) for k in range(0, L - T + 1, T)]


@mistake("the streams are interleaved: each holds every N-th word. Reshape to (N, L), not to (L, N): "
         "a stream is a continuous piece of text.")
def interleaved(ids, N, T):
    L = (len(ids) - 1) // N
    return cut(ids[: N * L].reshape(L, N).T, ids[1 : N * L + 1].reshape(L, N).T, T)


@mistake("the last window is dropped because it is shorter than T: every target counts; use range(0, L, T).")
def short_dropped(ids, N, T):
    xs, ts = streams(ids, N)
    return cut(xs, ts, T, end=xs.shape[1] // T * T)


@mistake("the last id is used as an input, but no word follows it: a stream has L = (n - 1) // N words, not n // N.")
def last_id_used(ids, N, T):
    L = len(ids) // N
    return cut(ids[: N * L].reshape(N, L), np.roll(ids, -1)[: N * L].reshape(N, L), T)


@mistake("cut before shifted: the first word of stream i + 1 is the last target of stream i. "
         "Take the targets from the text, ids[1:], before it is cut into streams.")
def cut_before_shift(ids, N, T):
    rows = ids[: len(ids) // N * N].reshape(N, -1)
    return cut(rows[:, :-1], rows[:, 1:], T)


BATCHES = Exercise("batches(ids, N, T)", ("window lengths", "xs", "ts"),
                   "the windows of a text in N streams", 7, batch_cases,
                   batches, (exchanged, not_shifted, not_offset, rows_continue, full_rows_continue, interleaved,
                             short_dropped, last_id_used, cut_before_shift), returns="list of (xs, ts)", read=joined)


def embedding_cases(rng):
    """Two windows with repeated words; some words of the vocabulary are in neither."""
    for N, T, D, V in ((3, 5, 2, 7), (2, 4, 5, 6)):
        ids = rng.permutation(np.resize(np.arange(1, V - 1), N * T)).reshape(N, T)
        yield Case({"ids": np.minimum(ids, V - 3),  # one word occurs more often: not all N times, or T
                    "dxs": rng.normal(size=(N, T, D)), "V": V}, {"N": N, "T": T, "D": D, "V": V})


def embedding_backward(ids, dxs, V):
    """The package's gradient of the vectors."""
    layer = TimeEmbedding(np.zeros((V, dxs.shape[2])))
    layer.forward(ids)
    layer.backward(dxs)
    return layer.grads[0]


ADD_UP = "they add up. {} and {} both overwrite; write np.add.at(dW, ids, dxs), or a loop over the positions."


@mistake("a word that occurs in several positions keeps one gradient only: "
         + ADD_UP.format("dW[ids] = ...", "dW[ids] += ..."))
def overwritten(ids, dxs, V):
    dW = np.zeros((V, dxs.shape[2]))
    dW[ids] = dxs
    return dW


def kept_once(ids, dxs, V):
    """The sum of the rows' gradients; in a row, a repeated word keeps its last one."""
    dW = np.zeros((V, dxs.shape[2]))
    for words, gradients in zip(ids, dxs, strict=True):
        dW[words] += gradients
    return dW


@mistake("a word that occurs twice in one row of the batch keeps one gradient of that row only: "
         + ADD_UP.format("dW[ids[i]] = ...", "dW[ids[i]] += ..."))
def overwritten_in_a_row(ids, dxs, V):
    return kept_once(ids, dxs, V)


@mistake("a word that occurs in two rows at one step keeps one gradient of that step only: "
         + ADD_UP.format("dW[ids[:, t]] = ...", "dW[ids[:, t]] += ..."))
def overwritten_in_a_step(ids, dxs, V):
    return kept_once(ids.T, dxs.swapaxes(0, 1), V)


@mistake("the gradients of a repeated word are averaged: they add up.")
def averaged(ids, dxs, V):
    return embedding_backward(ids, dxs, V) / np.maximum(np.bincount(ids.ravel(), minlength=V), 1)[:, np.newaxis]


@mistake("one row for each position of the window: dW has the shape of W, (V, D), one row for each word.")
def row_for_each_position(ids, dxs, V):
    return dxs.reshape(ids.size, -1)


@mistake("one row for each word that occurs in the window: dW has the shape of W, (V, D), with zeros for the others.")
def row_for_each_word(ids, dxs, V):
    return embedding_backward(ids, dxs, V)[np.unique(ids)]


EMBEDDING_BACKWARD = Exercise("backward(ids, dxs, V)", ("dW",), "the gradient (V, D) of the words' vectors", 10,
                              embedding_cases, embedding_backward,
                              (overwritten, overwritten_in_a_row, overwritten_in_a_step, averaged,
                               row_for_each_position, row_for_each_word))
