"""A row for each word of a text: its probability, and what else the model said of it.

A row is a record of a structured array.  None is lost: a word that has no probability
has a row, too.  Its numbers are missing: nan, or -1 for whole numbers.
"""

from __future__ import annotations

import math
from copy import deepcopy
from itertools import tee
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.scoring.predictor import adapts
from rnnlm.scoring.readings import piece_scores
from rnnlm.text.vocabulary import EOS, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rnnlm.scoring.predictor import Scores
    from rnnlm.text.spelled import Spelled
    from rnnlm.text.vocabulary import Vocabulary

    OnStates = Callable[[np.ndarray], object]

BASES = {"e": math.e, "2": 2.0, "10": 10.0}
MISSING = -1  # a whole number that is not known
DETAILS = ("entropy", "entropy_reduction", "rank")  # each needs a pass over the vocabulary


def row_type(details: bool = True, top: int = 0, static: bool = False) -> np.dtype:
    """The dtype of a row: see ``word_rows``.

    static: whether there is a surprisal without adaptation.
    """
    statics = ["surprisal_static"] * static
    numbers = ["entropy", "entropy_reduction"] if details else []
    return np.dtype([
        ("sentence", np.int64), ("position", np.int64), ("word", object), ("known", bool),
        *((name, np.float64) for name in ("log_prob", "surprisal", *statics, *numbers)),
        *([("rank", np.int64)] if details else []), ("frequency", np.int64),
        *(field for k in range(1, top + 1) for field in ((f"top{k}", object), (f"p{k}", np.float64)))])


def word_rows(model: Scores, vocabulary: Vocabulary, parts: Iterable[Spelled], *, protocol: str = "stream",
              pieces: bool = False, details: bool = True, top: int = 0, base: float = 2.0,
              on_states: OnStates | None = None, static: bool = False) -> Iterator[np.ndarray]:
    """Yield the rows of a text, a structured array for each part of it.

    The fields of a row, logarithms in ``base``:

        sentence           the number of its line, from 1
        position           of the word in its line, from 1; the sentence end is a word
        word               as it is in the text; the sentence end is <eos>
        known              whether it is in the vocabulary; True for the sentence end
        log_prob           log p of the word, given all that was read before it
        surprisal          -log_prob
        surprisal_static   without adaptation
        entropy            of the distribution before the word
        entropy_reduction  the entropy before this word less that before the next; nan
                           in the last row, before the state is forgotten, and where one
                           of the two is not known
        rank               1 + how many words are more probable
        frequency          how often the word occurs in the training text; -1 for an
                           unknown word, and where the model does not know it
        top1, p1, ...      the most probable words, and their probabilities

    A word of several pieces has the sum of their log_probs.  Its entropy, rank and top
    are those of its first piece, and its frequency is not known.

    Parameters
    ----------
    model : LanguageModel or another predictor.
    vocabulary : Vocabulary of its ids.
    parts : of the text, as ``spelled_file`` yields them.
    protocol : "stream", "document" or "sentence", where the state is forgotten.
    pieces : whether each piece, such as a character, has a row of its own.
    details : whether there are entropy, entropy_reduction and rank.
    top : how many of the most probable words there are; at most all.
    base : of the logarithms.
    on_states : function, called with the hidden states (n, H) from which the words of
        the next n rows were predicted.
    static : whether there is surprisal_static, for which the text is read again; of a
        model that ``without_adaptation`` takes.

    Raises
    ------
    RnnlmError : the text cannot be read, or the model's scores are not finite.
    """
    top = min(top, len(vocabulary))
    table = _Table(vocabulary, row_type(details, top, static), pieces, math.log(base))
    parts, again = tee(parts) if static else (parts, None)
    scored = _with_states(piece_scores(model, vocabulary, parts, protocol, details, top, on_states is not None),
                          on_states, pieces)
    rows = map(table.rows, scored)
    if static:
        rows = map(table.with_static, scored, _static_scores(model, vocabulary, again, protocol))
    yield from _with_reductions(rows, forgets=protocol == "sentence") if details else rows


def without_adaptation(model: Scores) -> Scores | None:
    """The ``static`` predictor of one that adapts; None where there is none."""
    return getattr(model, "static", None) if adapts(model) else None


def _static_scores(model, vocabulary, parts, protocol):
    """Yield the WordScores of the parts that have rows, without adaptation."""
    static = deepcopy(without_adaptation(model))  # the two take turns, and may be one network
    for part, scores in piece_scores(static, vocabulary, parts, protocol):
        if part.pieces:
            yield scores


def _with_states(scored, on_states, pieces):
    """Yield the parts that have rows, after a call of ``on_states`` for each."""
    for part, scores in scored:
        if not part.pieces:
            continue
        if on_states:
            on_states(scores.states if pieces else scores.states[part.starts])
        yield part, scores


class _Table:
    """Makes rows of the parts of one text."""

    def __init__(self, vocabulary, dtype, pieces, nats):
        self.dtype, self.pieces, self.nats = dtype, pieces, nats
        self.names = np.array([*map(vocabulary.tokenizer.shown, vocabulary.words), None], object)
        self.counts = vocabulary.counts
        self.of_characters = vocabulary.tokenizer.has_blanks and not pieces
        self.sentence, self.position = 1, 1  # of the next row

    def rows(self, part_and_scores):
        """The rows of a part, without reductions."""
        part, scores = part_and_scores
        starts = np.arange(len(part.pieces)) if self.pieces else part.starts
        rows = np.empty(len(starts), self.dtype)
        rows["word"] = part.piece_names() if self.pieces else part.words()
        self._number(rows, np.searchsorted(starts, part.line_ends, "right") - 1)
        rows["known"] = np.logical_and.reduceat(part.ids != UNKNOWN, starts)
        rows["log_prob"] = np.add.reduceat(scores.log_probs.astype(np.float64), starts) / self.nats
        rows["surprisal"] = 0.0 - rows["log_prob"]
        rows["frequency"] = self._frequencies(part.ids, starts)
        if scores.entropies is not None:
            rows["entropy"], rows["rank"] = scores.entropies[starts] / self.nats, scores.ranks[starts]
        if scores.top is not None:
            self._fill_top(rows, scores.top[starts], scores.top_log_probs[starts])
        return rows

    def with_static(self, part_and_scores, static):
        """The rows of a part, with the surprisals of the WordScores ``static``."""
        rows = self.rows(part_and_scores)
        starts = np.arange(len(rows)) if self.pieces else part_and_scores[0].starts
        rows["surprisal_static"] = 0.0 - np.add.reduceat(static.log_probs.astype(np.float64), starts) / self.nats
        return rows

    def _number(self, rows, ends):
        """Sentence and position of each row; these rows are sentence ends."""
        after = np.zeros(len(rows) + 1, np.int64)
        after[ends + 1] = 1
        lines = np.cumsum(after)
        first = np.concatenate([[1 - self.position], ends + 1])  # row of each line
        positions = np.arange(1, len(rows) + 2) - first[lines]
        rows["sentence"], rows["position"] = self.sentence + lines[:-1], positions[:-1]
        self.sentence, self.position = self.sentence + int(lines[-1]), int(positions[-1])

    def _frequencies(self, ids, starts):
        """Those of words that are one piece; no part of a word is a word."""
        if self.counts is None or self.of_characters:
            return MISSING
        alone = np.diff(starts, append=len(ids)) == 1
        first = ids[starts]
        return np.where(alone & (first != UNKNOWN), self.counts[first], MISSING)

    def _fill_top(self, rows, top, log_probs):
        for k in range(top.shape[1]):
            rows[f"top{k + 1}"] = self.names[top[:, k]]
            rows[f"p{k + 1}"] = np.exp(log_probs[:, k], dtype=np.float64)


def _with_reductions(tables, forgets):
    """Yield rows with their reductions of entropy, for which one row waits.

    forgets: whether the state is forgotten after each sentence end.
    """
    held = None
    for rows in tables:
        rows = rows if held is None else np.concatenate([held, rows])
        entropies = rows["entropy"]
        rows["entropy_reduction"] = entropies - np.append(entropies[1:], np.nan)
        if forgets:
            rows["entropy_reduction"][rows["word"] == EOS] = np.nan
        settled = len(rows) if forgets and rows["word"][-1] == EOS else len(rows) - 1
        held = rows[settled:] if settled < len(rows) else None
        if settled:
            yield rows[:settled]
    if held is not None:
        yield held
