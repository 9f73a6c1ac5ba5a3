"""Files that go with n-best lists: scores of the first pass, and references.

Each has a line for a hypothesis or an utterance, with its key or in the same order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnlm.errors import RnnlmError, counted, shown
from rnnlm.text.nbest_files import as_number, numbered_lines
from rnnlm.text.sources import called
from rnnlm.text.tokenizer import WORDS

if TYPE_CHECKING:
    import os

    from rnnlm.text.nbest_files import NBestList

MOST_LINES = 10_000_000   # of one file, which is read whole
LARGEST_TABLE = 1 << 28   # characters of one file
BY_KEY, BY_ORDER = WAYS = "key", "order"  # what says to which hypothesis or utterance a line belongs


class FirstPassFile:
    """Scores of the first pass, read from a file: a number a line, or a key and one.

    Empty lines are left out, with "order" at the end alone.

    Parameters
    ----------
    path : of the file, compressed or not; ``-`` is standard input.
    by : "key" if each line begins with the key of its hypothesis, as
        ``NBestList.key`` gives it; "order" if the lines have the order of the
        hypotheses.

    Raises
    ------
    RnnlmError : a line is not in this form, a key is there twice, or the file is too
        large.
    """

    def __init__(self, path: str | os.PathLike[str], by: str) -> None:
        self.path, self.by_key = path, by == BY_KEY
        self._scores = self._keyed() if self.by_key else self._numbers()
        self.used = 0

    def scores_of(self, one: NBestList) -> list[float]:
        """The numbers of a list's hypotheses; RnnlmError if one is missing.

        With "order", lists are asked for in their order, each once.
        """
        self.used += len(one.hypotheses)
        found = [self._scores.get(one.key(hypothesis)) if self.by_key else next(self._scores, None)
                 for hypothesis in one.hypotheses]
        if None in found:
            key = shown(repr(one.key(one.hypotheses[found.index(None)])), 60)
            raise RnnlmError(f"{called(self.path)} must have a score for each hypothesis, it has none for "
                             f"{'the key ' if self.by_key else ''}{key}: give the file that goes with these lists")
        return found

    def require_end(self) -> None:
        """RnnlmError unless all lines were used, after all lists; only with "order"."""
        if not self.by_key and next(self._scores, None) is not None:
            raise RnnlmError(f"{called(self.path)} must have a score for each hypothesis, it has more: give the file "
                             "that goes with these lists")

    def left(self) -> int:
        """How many keys nobody asked for, after all lists; 0 with "order"."""
        return len(self._scores) - self.used if self.by_key else 0

    def _keyed(self):
        scores = {}
        for where, words in _lines_with_words(self.path):
            if len(words) != 2:
                raise RnnlmError(f"{where}: must be a key and a number, got {counted(len(words), 'word')}: "
                                 f"{shown(' '.join(words), 60)}")
            if words[0] in scores:
                raise RnnlmError(f"{where}: each key must be there once, {shown(repr(words[0]), 60)} comes again")
            scores[words[0]] = as_number(words[1], f"{where}: the score")
        return scores

    def _numbers(self):
        empty = None
        for where, words in _bounded_lines(self.path):
            if words and empty:
                raise RnnlmError(f"{empty}: the score must be a number, but the line is empty, so it is not clear to "
                                 "which hypothesis the next one belongs: remove it, or write its score")
            if words:
                yield as_number(" ".join(words), f"{where}: the score")
            else:
                empty = empty or where


def _lines_with_words(path):
    """Yield (where it is, its words) of each line that has any."""
    for where, words in _bounded_lines(path):
        if words:
            yield where, words


def _bounded_lines(path):
    size = 0
    for number, line in numbered_lines(path):
        size += len(line)
        if number > MOST_LINES or size > LARGEST_TABLE:
            raise RnnlmError(f"{called(path)} must have at most {MOST_LINES:,} lines and {LARGEST_TABLE // 2**20} MB, "
                             "it has more: split the lists and this file")
        yield f"{called(path)} line {number}", WORDS.split(line)


@dataclass
class References:
    """What was really said in each utterance.

    Attributes
    ----------
    texts : a dict from an utterance's id, or its position from 0, to its words with one
        blank between them; "" for an empty reference.
    by : "key" or "order", see FirstPassFile.
    repeated : how many lines were left out that repeat a key with the same words.
    """

    texts: dict[str | int, str]
    by: str
    repeated: int = 0

    def name(self, one: NBestList) -> str | int:
        """The key in ``texts`` that a list's reference has."""
        return one.utterance if self.by == BY_KEY else one.position


def read_references(path: str | os.PathLike[str], by: str) -> References:
    """The references of a file.

    Parameters
    ----------
    path : of the file, compressed or not; ``-`` is standard input.
    by : "key" if each line is an utterance's id and the words, and empty lines are
        left out; "order" if the lines have the order of the utterances, and an empty
        line is an empty reference.

    Raises
    ------
    RnnlmError : the file holds no reference or is too large, or an id is there twice
        with different words.
    """
    found = References({}, by)
    for position, (where, words) in enumerate(_bounded_lines(path)):
        if by == BY_ORDER:
            found.texts[position] = " ".join(words)
        elif words:
            _add(found, words[0], " ".join(words[1:]), where)
    if not found.texts:
        raise RnnlmError(f"{called(path)} must hold at least one reference, but it is empty")
    return found


def _add(found, key, text, where):
    if key not in found.texts:
        found.texts[key] = text
    elif found.texts[key] == text:
        found.repeated += 1
    else:
        raise RnnlmError(f"{where}: an utterance must have one reference, {shown(repr(key), 60)} comes again with "
                         "other words")
