"""A row for each sentence, or for the whole text: sums over what was scored."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.scoring.readings import piece_scores
from rnnlm.text.vocabulary import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rnnlm.scoring.predictor import Scores
    from rnnlm.scoring.spelling import Spelling
    from rnnlm.text.spelled import Spelled
    from rnnlm.text.vocabulary import Vocabulary

WORDS, UNKNOWNS, TARGETS, NATS, CHARGED, BYTES = range(6)  # the sums of a line; charged: nats of spellings


def total_type(counted: str = "sentence") -> np.dtype:
    """The dtype of a row: see ``sentence_rows`` and ``text_rows``."""
    return np.dtype([*((name, np.int64) for name in (counted, "words", "unknown")),
                     *((name, np.float64) for name in ("log_prob", "perplexity", "bits_per_byte"))])


def sentence_rows(model: Scores, vocabulary: Vocabulary, parts: Iterable[Spelled], *, protocol: str = "stream",
                  base: float = 2.0, spelling: Spelling | None = None) -> Iterator[np.ndarray]:
    """Yield a row for each line of a text, a structured array for each part of it.

    The fields of a row:

        sentence       the number of the line, from 1
        words          how many words (of a model of characters: characters) it has
        unknown        how many of them are not in the vocabulary
        log_prob       the sum of log p over its words and its end, in ``base``
        perplexity     exp of the mean of -ln p
        bits_per_byte  -log2 p over the bytes of the line in UTF-8, its end being one;
                       nan if a word is unknown, as <unk> is not the word, unless its
                       spelling is charged

    A line that is not scored, a blank one under ``document``, has nan.

    Parameters
    ----------
    model, vocabulary, parts, protocol, base : see ``word_rows``.
    spelling : Spelling that is charged for unknown words in bits_per_byte; None:
        nothing is.

    Raises
    ------
    RnnlmError : the text cannot be read, or the model's scores are not finite.
    """
    first, rest = 1, np.zeros(6)  # the sums of a line that goes on in the next part
    for part, scores in piece_scores(model, vocabulary, parts, protocol):
        sums = _sums(part, scores.log_probs, spelling)
        sums[0] += rest
        *_, rest = sums
        if len(sums) > 1:
            yield _table(sums[:-1], np.arange(first, first + len(sums) - 1), "sentence", base)
        first += len(sums) - 1


def text_rows(model: Scores, vocabulary: Vocabulary, parts: Iterable[Spelled], *, protocol: str = "stream",
              base: float = 2.0, spelling: Spelling | None = None) -> Iterator[np.ndarray]:
    """Yield one row for a text, in a structured array.

    Its fields are those of ``sentence_rows``, but for ``sentences``, how many lines the
    text has, in the place of ``sentence``.  Parameters and errors are the same, too.
    """
    lines, sums = 0, np.zeros(6)
    for part, scores in piece_scores(model, vocabulary, parts, protocol):
        lines += len(part.line_ends)
        sums += _sums(part, scores.log_probs, spelling).sum(axis=0)
    yield _table(sums[np.newaxis], np.array([lines]), "sentences", base)


def _sums(part, log_probs, spelling):
    """The sums of each line of a part, and of what follows the last: (k + 1, 6)."""
    is_scored, is_word = ~np.isnan(log_probs), np.ones(len(log_probs), bool)
    is_word[part.line_ends] = False
    of_pieces = np.zeros((len(log_probs) + 1, 6))  # one more, as the last line may be empty so far
    unknown = part.ids == UNKNOWN
    of_pieces[:-1, :CHARGED] = np.stack([is_word, unknown, is_scored, np.where(is_scored, log_probs, 0)], 1)
    of_pieces[:-1, CHARGED][unknown] = np.nan  # not known
    if spelling is not None:
        which = np.flatnonzero(unknown & is_scored)
        of_pieces[which, CHARGED] = [spelling.nats(part.pieces[i]) for i in which.tolist()]
    sums = np.add.reduceat(of_pieces, np.concatenate([[0], part.line_ends + 1]))
    sums[:, BYTES] = part.line_bytes()
    return sums


def _table(sums, numbers, counted, base):
    """Rows of sums (n, 6)."""
    rows = np.empty(len(sums), total_type(counted))
    rows[counted], rows["words"], rows["unknown"] = numbers, sums[:, WORDS], sums[:, UNKNOWNS]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        nats = np.where(sums[:, TARGETS] > 0, sums[:, NATS], np.nan)
        rows["log_prob"] = nats / math.log(base)
        rows["perplexity"] = np.exp(-nats / sums[:, TARGETS])
        rows["bits_per_byte"] = (sums[:, CHARGED] - nats) / math.log(2) / sums[:, BYTES]
    return rows
