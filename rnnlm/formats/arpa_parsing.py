"""Reading an ARPA file of any tool as an n-gram model.

The format has no definition, so tools differ.  What they are known to write is read:

    before \\data\\    anything; our own files have the tokenizer there
    counts          with blanks around =; orders without n-grams, with a section or not
    separators      tabs or blanks, of any number; blank lines; CR LF
    numbers         with exponents; -inf, which becomes -99; back-offs missing or not
    <s>             with any probability: it is never predicted
    <unk>           or <UNK>, or none
    n-grams         in any order; pruned ones whose first words are no n-gram

Everything else is refused, with the number of the line.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import DamagedError, RnnlmError, counted, shown
from rnnlm.files.whole import reason
from rnnlm.formats.arpa_bytes import WordNumbers
from rnnlm.formats.arpa_fields import read_fields
from rnnlm.formats.arpa_heading import MARK, described
from rnnlm.formats.arpa_lines import LONGEST_START, Lines, shown_part
from rnnlm.formats.arpa_unigrams import Unigrams
from rnnlm.ngrams.building import Building
from rnnlm.ngrams.tables import Tables
from rnnlm.text.sources import called, opened
from rnnlm.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

DATA, END_MARK = b"\\data\\", b"\\end\\"
MOST_ORDERS = 20
MOST_START = 1 << 16  # lines before \\data\\
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
OTHER_FORMS = {b"iARPA": "compile-lm FILE --text=yes NEW.arpa", b"qARPA": "compile-lm FILE --text=yes NEW.arpa"}
_CLASS = re.compile(rb"\S+\s+[0-9][0-9.e+-]*\s+\S.*")  # the name of a class, a probability, words
_COUNT = re.compile(rb"ngram\s+(\d{1,4})\s*=\s*(\d{1,18})")


def begins_as_arpa(path: str | os.PathLike[str]) -> bool:
    """Whether a file, compressed or not, has a line of ARPA files near its start."""
    try:
        with opened(path) as source:
            start = source.read(1 << 16)
    except (OSError, RnnlmError):
        return False
    lines = start.removeprefix(BYTE_ORDER_MARK).split(b"\n")
    return any(line.strip() == DATA or line.startswith(MARK.encode()) for line in lines)


def parsed(path: str | os.PathLike[str], on_bytes: Callable[[int], object] | None = None,
           hasher: Any = None) -> tuple[Tables, Vocabulary, list[str]]:
    """The tables and the vocabulary of an ARPA file, and notes on it.

    path, on_bytes, hasher : see ``rnnlm.text.sources.opened``.

    Raises
    ------
    DamagedError : it is no ARPA file that can be read; the message names the line.
    RnnlmError : the file cannot be read at all.
    """
    try:
        with opened(path, on_bytes, hasher=hasher) as source:
            return _Reading(Lines(source)).whole()
    except OSError as error:
        raise RnnlmError(f"{called(path)} could not be read: {reason(error)}") from error


class _Reading:
    def __init__(self, lines):
        self.lines = lines
        self.unreachable = 0  # n-grams that no text of lines has

    def whole(self):
        about = self._start()
        counts = self._counts()
        building = self._unigrams(counts[0], about)
        for n, count in enumerate(counts[1:], 2):
            self._order(building, n, count)
        self._end()
        tables = building.tables()
        if self.unreachable:
            self.notes.append(f"{counted(self.unreachable, 'n-gram')} with <s> or </s> in the middle left out: no line "
                              "of text has them")
        return tables, self.vocabulary, self.notes

    def _start(self):
        """Read up to \\data\\; what a heading of ours says."""
        comments, size = [], 0
        while (line := self.lines.line(LONGEST_START)) is not None:
            line = line.removeprefix(BYTE_ORDER_MARK) if self.lines.number == 1 else line
            if line == DATA:
                return self._described(comments)
            if line in OTHER_FORMS and self.lines.number == 1:
                self.lines.refuse(f"says {line.decode()}, a form of IRSTLM: convert it with {OTHER_FORMS[line]}")
            size += len(line)
            if size > LONGEST_START or self.lines.number > MOST_START:
                break
            if line.startswith(b"#"):
                comments.append(line.decode("utf-8", "replace"))
        if not self.lines.number:
            raise DamagedError(f"{called(self.lines.source.path)} is no ARPA file that can be read: it is empty")
        self.lines.refuse("ends a file without a line \\data\\" if line is None else
                          "is far from the start, and no line \\data\\ came")

    def _described(self, comments):
        try:
            return described(comments)
        except ValueError as error:
            self.lines.refuse(f"ends a damaged heading: {shown(str(error))}")

    def _counts(self):
        counts = []
        while (line := self.lines.filled_line()) is not None and line.startswith(b"ngram"):
            match = _COUNT.fullmatch(line)
            if not match or int(match[1]) != len(counts) + 1:
                self.lines.refuse(f"must be ngram {len(counts) + 1}=COUNT, it is {shown_part(line)}")
            counts.append(int(match[2]))
        self.mark = line
        if not counts or not counts[0]:
            self.lines.refuse("must come after a line ngram 1=COUNT, with at least one word")
        if len(counts) > MOST_ORDERS:
            self.lines.refuse(f"declares order {len(counts)}, at most {MOST_ORDERS} is read")
        return counts

    def _section(self, n, count):
        """Whether there is a section of order n, which now begins."""
        expected = b"\\%d-grams:" % n
        if self.mark != expected:
            if not count:
                return False
            self.lines.refuse(f"must be {expected.decode()}, " + ("the file ends" if self.mark is None else
                              f"it is {shown_part(self.mark)}"))
        return True

    def _fields(self, n, count, words):
        """The Fields of a section; the mark after it was read."""
        fields = read_fields(self.lines, n, count, words)
        self.mark = self.lines.filled_line()
        return fields

    def _unigrams(self, count, about):
        """A Building with the unigrams."""
        self._section(1, count)
        self.unigrams = Unigrams(self._fields(1, count, None), self.lines, about)
        self.vocabulary, self.notes = self.unigrams.vocabulary, self.unigrams.notes
        self.words = WordNumbers(self.unigrams.index)
        return Building(self.unigrams.order)

    def _order(self, building, n, count):
        if not self._section(n, count):
            building.add([np.empty(0, np.int32)] * n, np.empty(0, np.float32), np.empty(0, np.float32))
            return
        fields = self._fields(n, count, self.words)
        ids, kept = self._reachable(fields.words)
        again = building.add(ids, fields.log_probs[kept], fields.back_offs[kept])
        if again is not None:
            line = fields.line(again if isinstance(kept, slice) else int(np.flatnonzero(kept)[again]))
            self.lines.refuse("gives an n-gram again", line)

    def _reachable(self, ids):
        """The ids (n arrays) of the n-grams that lines can have, and which they are."""
        eos_id, start = self.vocabulary.eos_id, self.unigrams.start
        inside = np.zeros(len(ids[0]), bool)
        for middle in ids[1:-1]:
            inside |= (middle == eos_id) | (middle == start)
        if start != eos_id:  # else both ends may be the same word
            inside |= (ids[0] == eos_id) | (ids[-1] == start)
        ids[0][ids[0] == start] = eos_id
        if not inside.any():
            return ids, slice(None)
        self.unreachable += int(np.count_nonzero(inside))
        return [column[~inside] for column in ids], ~inside

    def _end(self):
        if self.mark != END_MARK:
            self.lines.refuse("must be \\end\\, " + ("the file ends: is it cut off?" if self.mark is None else
                              f"it is {shown_part(self.mark)}"))
        if (line := self.lines.filled_line()) is not None:
            classes = ("; if these are SRILM's classes of words, write the model of words with ngram -expand-classes N "
                       "-write-lm NEW.arpa") if _CLASS.fullmatch(line) else ""
            self.lines.refuse(f"comes after \\end\\: {shown_part(line)}{classes}")
