"""An n-gram model as a predictor: it gives ln p of the next word, as a network does.

With w the next word and h the words before it, from the line's start:

    ln p(w | h) = log_prob of the longest n-gram (part of h) w in the tables
                  + back_offs of all longer parts of h that are contexts in the tables

(Katz, 1987).  What it remembers is the last words, at most one fewer than its order.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.compute.word_scores import WordScores, rows_and_owners
from rnnlm.errors import ArgumentError, IdError
from rnnlm.ngrams.lookup import NOT_THERE, at, children, find, log_probs_of
from rnnlm.ngrams.tables import Tables
from rnnlm.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike

NOTHING = -1    # instead of a word, before the first one
MOST = 1 << 23  # scores that are held at a time where all words are scored


class NgramModel:
    """A predictor (see rnnlm/scoring/predictor.py) over the tables of an n-gram model.

    Its history begins anew at every line end, however a text is read.

    Parameters
    ----------
    tables : Tables.
    vocabulary : the Vocabulary of their ids.
    notes : what a user should know of the model, a list of lines.

    Attributes
    ----------
    tables, notes : as given.
    order : the most words of an n-gram.
    vocab_size, eos_id : of the vocabulary.
    vocabulary_fingerprint : that of the vocabulary.
    gives_log_probs : True: ``predict`` gives ln p itself, not scores up to a constant.
    forgets_lines : True: what it has read counts up to the line end.
    reads_unknown : True: NOTHING among the ids is a word that it does not know.  What
        comes before it does not count for later words, and its ln p is nan.
    """

    gives_log_probs = forgets_lines = reads_unknown = True

    def __init__(self, tables: Tables, vocabulary: Vocabulary, notes: Sequence[str] = ()) -> None:
        arguments.kind("tables", tables, Tables, "Tables")
        arguments.kind("vocabulary", vocabulary, Vocabulary, "a Vocabulary")
        if tables.vocab_size != len(vocabulary):
            raise ArgumentError(f"tables must have a unigram for each of the {len(vocabulary):,} words, they have "
                                f"{tables.vocab_size:,}")
        self.tables, self.order, self.notes = tables, len(tables.orders), list(notes)
        self.vocab_size, self.eos_id = len(vocabulary), vocabulary.eos_id
        self.vocabulary_fingerprint = vocabulary.fingerprint()
        self._last = None  # (N, order - 1), the last words of each stream

    def __repr__(self) -> str:
        return f"<n-gram model of order {self.order}, vocabulary {self.vocab_size:,}>"

    @contextmanager
    def fresh_state(self) -> Iterator[None]:
        """A block in which it starts afresh; afterwards its state is as before."""
        last, self._last = self._last, None
        try:
            yield
        finally:
            self._last = last

    def get_state(self) -> list[tuple[np.ndarray | None]]:
        """The last words of each stream.

        Returns
        -------
        states : one layer with one array (N, order - 1) of ids, the last word last,
            NOTHING where there was none; None: nothing was read.
        """
        return [(self._last,)]

    def set_state(self, states: Sequence[tuple[np.ndarray | None]]) -> None:
        """Continue from what get_state returned."""
        arguments.one_for_each("states", states, 1, "layers")
        (last,) = states[0]
        rule = f"None or an array of ids, of shape (N, {self.order - 1})"
        if last is not None:
            last = arguments.as_array("states", last, rule)
            if last.ndim != 2 or last.shape[1] != self.order - 1 or last.dtype.kind not in "iu":
                raise arguments.wrong("states", rule, last)
            if last.size and not NOTHING <= last.min() <= last.max() < self.vocab_size:
                raise arguments.wrong("states", f"ids of its {self.vocab_size:,} words, or {NOTHING}", last)
        self._last = last

    def contexts(self, xs: ArrayLike) -> np.ndarray:  # ids (N, T) -> (N, T, order - 1)
        """Where the words up to each step stand as contexts; carries the state on.

        Returns
        -------
        int64 : at k - 1 the index of the last k words in the table of order k, or
            NOT_THERE.
        """
        words = self._read(self._ids("xs", xs))
        found = [contexts for contexts, _ in self._indices(words, np.shape(xs)[1], self.order - 1)]
        return np.stack(found, axis=-1) if found else np.empty((*np.shape(xs), 0), np.int64)

    def _read(self, xs):  # (N, T) -> (N, order - 1 + T)
        """The words that were there, and these; the state becomes the last of them."""
        last = np.full((len(xs), self.order - 1), NOTHING) if self._last is None else self._last
        if len(last) != len(xs):
            raise ArgumentError(f"xs must have a row for each of the {len(last)} streams of the state, got {len(xs)}")
        words = np.concatenate([last, xs], axis=1, dtype=np.int64)
        self._last = words[:, xs.shape[1] :]
        return words

    def _indices(self, words, T, longest):
        """Yield, order by order, where the n-grams that end in the last T words stand.

        Each is a pair, (N, T) both: as contexts of more words, and as n-grams.  They
        differ at a line end, which as a context is the first word of the next line.
        """
        cuts = (words == self.eos_id) | (words == NOTHING)
        contexts = found = words  # of one word; NOTHING is NOT_THERE
        for k in range(1, longest + 1):
            yield contexts[:, -T:], found[:, -T:]
            if k < longest:
                found = find(self.tables.orders[k].keys, contexts[:, :-1], words[:, k:], self.vocab_size)
                contexts = np.where(cuts[:, k:], NOT_THERE, found)

    def log_probs(self, xs: ArrayLike, ts: ArrayLike) -> np.ndarray:  # ids (N, T), ids (N, T) -> (N, T)
        """ln p of every target, given all before it; carries the state on."""
        xs, ts = self._ids("xs", xs), self._ids("ts", arguments.targets_of_windows(xs, ts))
        if np.array_equal(xs[:, 1:], ts[:, :-1]):
            found = self._of_text(np.concatenate([self._read(xs), ts[:, -1:]], axis=1), ts)
        else:
            found = log_probs_of(self.tables.orders, self.contexts(xs), ts)
        found[ts == NOTHING] = np.nan
        return found

    def _of_text(self, words, ts):
        """``log_probs_of`` where a target is the next word: it is looked for once."""
        orders, T = self.tables.orders, ts.shape[1]
        indices = self._indices(words, T + 1, self.order)
        found, contexts = orders[0].log_probs[ts].astype(np.float64), next(indices)[0]
        for below, order, (longer, ngrams) in zip(orders, orders[1:], indices, strict=False):
            found += at(below.back_offs, contexts[:, :-1], 0)
            found, contexts = at(order.log_probs, ngrams[:, 1:], found), longer
        return found

    def predict(self, xs: ArrayLike) -> np.ndarray:  # ids (N, T) -> (N, T, V)
        """ln p of every word at every step; carries the state on."""
        contexts = self.contexts(xs)
        N, T = contexts.shape[:2]
        return self._of_all(contexts.reshape(N * T, self.order - 1)).reshape(N, T, self.vocab_size)

    def predict_last(self, xs: ArrayLike) -> np.ndarray:  # ids (N, T) -> (N, V)
        """What ``predict`` gives for the last step."""
        return self._of_all(self.contexts(xs)[:, -1])

    def _of_all(self, contexts):  # (R, order - 1) -> (R, V)
        """ln p of every word after each of R contexts, in float32."""
        unigrams, *longer = self.tables.orders
        weights = np.zeros((len(contexts), self.order))  # at k: the back-offs of contexts of more than k words
        for k, order in enumerate(self.tables.orders[:-1]):
            weights[:, k] = at(order.back_offs, contexts[:, k], 0)
        weights = weights[:, ::-1].cumsum(axis=1)[:, ::-1].astype(np.float32)
        found = unigrams.log_probs + weights[:, :1]
        for k, order in enumerate(longer, 1):
            rows, index = children(order, contexts[:, k - 1], self.vocab_size)
            found[rows, order.keys[index] % self.vocab_size] = order.log_probs[index] + weights[rows, k]
        return found

    def word_scores(self, xs: ArrayLike, ts: ArrayLike, wanted: np.ndarray | None = None, details: bool = False,
                    top: int = 0, *, with_states: bool = False, repeats: np.ndarray | None = None) -> WordScores:
        """What the model says of every target; see ``LanguageModel.word_scores``.

        ArgumentError where states are asked for: it has none that a table could show.
        """
        if with_states:
            raise ArgumentError("an n-gram model has no hidden states: give a network")
        ts, top = self._ids("ts", arguments.targets_of_windows(xs, ts)), arguments.whole("top", top, 0)
        arguments.mask("wanted", wanted, ts.shape)
        arguments.mask("repeats", repeats, ts.shape)
        wanted = np.ones(ts.shape, bool) if wanted is None else wanted
        if not details and not top:
            return WordScores(self.log_probs(xs, ts)[wanted])
        contexts, known = self.contexts(xs), wanted & (ts != NOTHING)
        scores = WordScores(log_probs_of(self.tables.orders, contexts[known], ts[known]))
        if scores.log_probs.size:
            rows, owners = rows_and_owners(contexts, wanted, repeats)
            self._add_details(scores, rows, owners[known[wanted]], ts[known], (details, top))
        else:
            scores = WordScores.empty(details, min(top, self.vocab_size))
        return scores.spread(known[wanted])

    def _add_details(self, scores, rows, owners, ts, asked):
        """Add entropies, ranks and the most probable words, some contexts at a time."""
        by_row, parts = np.argsort(owners, kind="stable"), []
        step = max(1, MOST // self.vocab_size)
        for start in range(0, len(rows), step):
            here = by_row[slice(*np.searchsorted(owners[by_row], [start, start + step]))]
            parts.append(_details(self._of_all(rows[start : start + step]), owners[here] - start, ts[here], *asked))
        order = np.empty_like(by_row)
        order[by_row] = np.arange(len(by_row))
        for name, array in WordScores.joined(parts).at(order).arrays().items():
            if name != "log_probs":  # which are known in float64
                setattr(scores, name, array)

    def _ids(self, name, value):
        """Ids (N, T) of the vocabulary, or NOTHING; IdError for others."""
        ids = arguments.ids_of_windows(name, value)
        if ids.min() < NOTHING or ids.max() >= self.vocab_size:
            wrong = ids.min() if ids.min() < NOTHING else ids.max()
            raise IdError(f"{name} must be ids from 0 to {self.vocab_size - 1}, got {wrong}")
        return ids


def _details(log_probs, owners, ts, details, top):  # (R, V), (M,), (M,)
    """The WordScores of M targets, each after one of R contexts.

    The probabilities are taken as the file has them, whatever their sum.
    """
    found = WordScores(log_probs[owners, ts])
    if details:
        found.entropies = -np.sum(np.exp(log_probs) * log_probs, axis=1, dtype=np.float64)[owners]
        found.ranks = np.array([1 + np.count_nonzero(log_probs[row] > value)
                                for row, value in zip(owners, found.log_probs, strict=True)], np.int32)
    if top:
        order = np.argsort(-log_probs, axis=1, kind="stable")[:, :top]
        found.top = order.astype(np.int32)[owners]
        found.top_log_probs = np.take_along_axis(log_probs, order, axis=1)[owners]
    return found
