"""Rescoring: which sentence of an n-best list is the best, if the model has a say.

With s the score of the first pass, ln p that of the model with the sentence end, and W
the number of words, a hypothesis gets

    total = s + scale * ln p - word_penalty * W

and the largest total of a list is the best; of equal ones the first in the list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import ArgumentError
from rnnlm.scoring.predictor import reads_unknown, require_finite, require_states
from rnnlm.scoring.words import sequence_scores, states_after
from rnnlm.text.spelled import word_starts
from rnnlm.text.vocabulary import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rnnlm.scoring.predictor import Scores
    from rnnlm.scoring.words import State
    from rnnlm.text.nbest_files import NBestList
    from rnnlm.text.vocabulary import Vocabulary

BLOCK = 1 << 15  # words that are scored at a time; the result does not depend on it


@dataclass
class TextScores:
    """Scores of H texts, each a line.

    Attributes
    ----------
    word_log_probs : H arrays (W + 1,), ln p of each word and of the sentence end, nats;
        0 for a word that the model cannot score, for want of an <unk>.
    log_probs : (H,), their sums.
    words, unknown : (H,), how many words a text has, and how many of them are not in
        the vocabulary.
    """

    word_log_probs: list[np.ndarray]
    log_probs: np.ndarray
    words: np.ndarray
    unknown: np.ndarray

    def at(self, which: Sequence[int] | range) -> TextScores:
        """The scores of some of the texts, by their numbers."""
        which = np.asarray(which, np.int64)
        return TextScores([self.word_log_probs[i] for i in which], self.log_probs[which], self.words[which],
                          self.unknown[which])


@dataclass
class Rescored:
    """A list whose hypotheses were scored.

    Attributes
    ----------
    source : the NBestList.
    scores : the TextScores of its hypotheses.
    first_pass : (H,), their scores of the first pass; None without one.
    totals : (H,), what they get altogether.
    """

    source: NBestList
    scores: TextScores
    first_pass: np.ndarray | None
    totals: np.ndarray

    @property
    def order(self) -> np.ndarray:
        """(H,), the numbers of the hypotheses from 0, the best first."""
        return np.argsort(-self.totals, kind="stable")

    @property
    def best(self) -> int:
        """The number of the best hypothesis, from 0."""
        return int(np.argmax(self.totals))


def rescore(model: Scores, vocabulary: Vocabulary, lists: Iterable[NBestList],
            first_pass: Callable[[NBestList], np.ndarray] | None = None, *, scale: float = 1.0,
            word_penalty: float = 0.0, carry: bool = False) -> Iterator[Rescored]:
    """Yield each list with its scores; memory does not grow with their number.

    The hypotheses of many lists are read side by side.

    Parameters
    ----------
    model : LanguageModel, or another predictor.
    vocabulary : its Vocabulary.
    lists : NBestLists, as ``read_nbest`` yields them.
    first_pass : function from a list to the scores (H,) of its hypotheses, the larger
        the better; None: without a first pass, as if all of them were 0.
    scale, word_penalty : see above.
    carry : whether a list starts from the state after the best hypothesis of the list
        before, but for the first one of a conversation; otherwise from a fresh state.

    Raises
    ------
    RnnlmError : the model's scores are not finite.
    """
    if carry:
        require_states(model, "a state for the next list")
    states = None
    for block in _blocks(lists, 0 if carry else BLOCK):
        if block[0].new_conversation:
            states = None
        scores = score_texts(model, vocabulary, [h.text for one in block for h in one.hypotheses], states)
        start = 0
        for one in block:
            stop = start + len(one.hypotheses)
            found = _rescored(one, scores.at(range(start, stop)), first_pass, scale, word_penalty)
            start = stop
            yield found
        if carry:
            states = _states_after(model, vocabulary, one.hypotheses[found.best].text, states)


def combined(first_pass: np.ndarray | None, log_probs: np.ndarray, words: np.ndarray, scale: float,
             word_penalty: float) -> np.ndarray:
    """The totals (H,) of hypotheses: see above."""
    totals = scale * log_probs - word_penalty * words
    return totals if first_pass is None else first_pass + totals


def score_texts(model: Scores, vocabulary: Vocabulary, texts: Sequence[str],
                states: Sequence[State] | None = None) -> TextScores:
    """The TextScores of texts, each on its own; a text that comes twice is scored once.

    Parameters
    ----------
    model, vocabulary : see ``rescore``.
    texts : lines without their ends, words with one blank between them.  With a model
        of characters a word has its own and the blank after it.
    states : where each text starts, arrays (1, H) as ``get_state`` gives them; None:
        from a fresh state.

    Raises
    ------
    ArgumentError : a text with a line end, or with the word <eos>.
    RnnlmError : the model's scores are not finite.
    """
    distinct = dict.fromkeys(texts)
    number = {text: i for i, text in enumerate(distinct)}
    return _distinct_scores(model, vocabulary, list(distinct), states).at([number[text] for text in texts])


def _distinct_scores(model, vocabulary, texts, states):
    written, starts, first = _written(texts, vocabulary)
    unknown = written == UNKNOWN
    ids, kept = _ids(written, vocabulary, reads_unknown(model))
    lengths = np.add.reduceat(kept, starts, dtype=np.int64)
    log_probs = np.zeros(len(written))
    log_probs[kept] = sequence_scores(model, ids, lengths, vocabulary.eos_id, states=states).log_probs
    log_probs[unknown & np.isnan(log_probs)] = 0
    require_finite(log_probs, "these sentences")
    counts = np.diff(np.searchsorted(first, np.append(starts, len(written))))
    unknown_words = np.maximum.reduceat(unknown, first)
    of_words = np.cumsum(counts) - counts  # where the words of each text begin
    word_log_probs = np.add.reduceat(log_probs, first)
    return TextScores(np.split(word_log_probs, of_words[1:]), np.add.reduceat(word_log_probs, of_words), counts - 1,
                      np.add.reduceat(unknown_words, of_words, dtype=np.int64))


def _written(texts, vocabulary):
    """The ids of texts (UNKNOWN for some), where each text starts, and each word."""
    text = "".join(f"{text}\n" for text in texts)
    tokens = vocabulary.tokenizer.split(text)
    written = np.fromiter(map(vocabulary.index().__getitem__, tokens), np.int32, len(tokens))
    ends = np.flatnonzero(written == vocabulary.eos_id)
    if len(ends) != len(texts):
        raise ArgumentError("texts must be single lines without the word <eos>: split them, or remove it")
    return written, np.concatenate([[0], ends[:-1] + 1]), word_starts(text, tokens, ends, vocabulary.tokenizer)


def _ids(written, vocabulary, with_unknown):
    """The ids that are read, UNKNOWN among them or not, and which tokens have one."""
    if vocabulary.unk_id is not None:
        return np.where(written == UNKNOWN, np.int32(vocabulary.unk_id), written), np.ones(len(written), bool)
    kept = np.ones(len(written), bool) if with_unknown else written != UNKNOWN
    return written[kept], kept


def _rescored(one, scores, first_pass, scale, word_penalty):
    given = first_pass and first_pass(one)
    return Rescored(one, scores, given, combined(given, scores.log_probs, scores.words, scale, word_penalty))


def _states_after(model, vocabulary, text, states):
    """The states after a text, before the sentence end is read."""
    written, _, _ = _written([text], vocabulary)
    return states_after(model, _ids(written, vocabulary, reads_unknown(model))[0], vocabulary.eos_id, states)


def _blocks(lists, size):
    """Yield lists of lists with so many words together, or at least one."""
    block, words = [], 0
    for one in lists:
        block.append(one)
        words += sum(hypothesis.text.count(" ") + 2 for hypothesis in one.hypotheses)
        if words >= size:
            yield block
            block, words = [], 0
    if block:
        yield block
