"""Rows of scores made by hand, and rows as a format prints them."""

import math

import numpy as np

from rnnlm.reports.score_formats import SCORE_FORMATS
from rnnlm.scoring.rows import row_type


def rows_of(sentences, known, base=2.0, entropies=None):
    """A structured array of rows; <eos> is not given, but for its log_prob.

    sentences : lists of (word, log_prob), logarithms in ``base``; the last is (None,
        log_prob) of the sentence end.
    known : the words of the vocabulary.
    """
    rows = np.zeros(sum(map(len, sentences)), row_type())
    table = [(number, position, "<eos>" if word is None else word, log_prob)
             for number, sentence in enumerate(sentences, 1) for position, (word, log_prob) in enumerate(sentence, 1)]
    for name, values in zip(("sentence", "position", "word", "log_prob"), zip(*table, strict=True), strict=True):
        rows[name] = values
    rows["known"] = [word in known or word == "<eos>" for word in rows["word"]]
    rows["surprisal"] = 0.0 - rows["log_prob"]
    for name in ("entropy", "entropy_reduction"):
        rows[name] = math.nan
    if entropies is not None:
        rows["entropy"] = entropies
        rows["entropy_reduction"] = rows["entropy"] - np.append(rows["entropy"][1:], np.nan)
    rows["rank"], rows["frequency"] = np.arange(1, len(rows) + 1), np.arange(len(rows)) + 100
    return rows


def printed(name, rows, vocabulary=None, head=None, cuts=()):
    """The text of rows in a format, given in parts that are cut at these rows."""
    table = SCORE_FORMATS[name](head or {"text": "test.txt", "model": "model.npz"}, [], vocabulary)
    return table.begin() + "".join(map(table.rows, np.split(rows, cuts))) + table.end()
