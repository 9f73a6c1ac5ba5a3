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

from rnnlm.errors import DamagedError, RnnlmError, counted, listed, shown
from rnnlm.files.whole import reason
from rnnlm.formats.arpa_fields import LN10, NEVER, read_fields
from rnnlm.formats.arpa_heading import ESCAPES, described, tokenizer_of, unescaped
from rnnlm.formats.arpa_lines import LONGEST_START, Lines
from rnnlm.ngrams.building import Building
from rnnlm.ngrams.tables import Order, Tables
from rnnlm.text.sources import called, opened
from rnnlm.text.vocabulary import EOS, UNK, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable

DATA, END_MARK = b"\\data\\", b"\\end\\"
START, END, UNKNOWN = b"<s>", b"</s>", (b"<unk>", b"<UNK>")
MOST_ORDERS = 20
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
OTHER_FORMS = {b"iARPA": "compile-lm FILE --text=yes NEW.arpa", b"qARPA": "compile-lm FILE --text=yes NEW.arpa"}
_COUNT = re.compile(rb"ngram\s+(\d{1,4})\s*=\s*(\d{1,18})")


def is_arpa(path: str | os.PathLike[str]) -> bool:
    """Whether a file, compressed or not, has a line \\data\\ near its start."""
    try:
        with opened(path) as source:
            start = source.read(1 << 16)
    except (OSError, RnnlmError):
        return False
    return any(line.strip() == DATA for line in start.removeprefix(BYTE_ORDER_MARK).split(b"\n"))


def parsed(path: str | os.PathLike[str], on_bytes: Callable[[int], object] | None = None
           ) -> tuple[Tables, Vocabulary, list[str]]:
    """The tables and the vocabulary of an ARPA file, and notes on it.

    Raises
    ------
    DamagedError : it is no ARPA file that can be read; the message names the line.
    RnnlmError : the file cannot be read at all.
    """
    try:
        with opened(path, on_bytes) as source:
            return _Reading(Lines(source)).whole()
    except OSError as error:
        raise RnnlmError(f"{called(path)} could not be read: {reason(error)}") from error


class _Reading:
    def __init__(self, lines):
        self.lines, self.notes = lines, []
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
            if size > LONGEST_START:
                break
            if line.startswith(b"#"):
                comments.append(line.decode("utf-8", "replace"))
        self.lines.refuse("ends a file without a line \\data\\" if line is None else
                          f"is {LONGEST_START >> 20} MB from the start, and no line \\data\\ came")

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
                self.lines.refuse(f"must be ngram {len(counts) + 1}=COUNT, it is {_shown(line)}")
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
                              f"it is {_shown(self.mark)}"))
        return True

    def _fields(self, n, count, index):
        """The Fields of a section; the mark after it was read."""
        fields = read_fields(self.lines, n, count, index)
        self.mark = self.lines.filled_line()
        return fields

    def _unigrams(self, count, about):
        """Make the vocabulary; a Building with the unigrams."""
        self._section(1, count)
        fields = self._fields(1, count, None)
        names = [UNKNOWN[0] if name in UNKNOWN else name for name in fields.words[0]]
        marks = self._require_distinct(names, fields)
        eos = next((i for i, name in enumerate(names) if name in marks), None)
        kept = [name for i, name in enumerate(names) if name not in marks or i == eos]
        ids = np.cumsum([name not in marks or i == eos for i, name in enumerate(names)]) - 1
        if eos is None:
            eos, kept = len(kept), [*kept, EOS.encode()]
        else:
            kept[eos], ids[[name in marks for name in names]] = EOS.encode(), eos
        self._make_vocabulary(kept, about, fields)
        self.eos_id, self.index = eos, dict(zip(names, ids.tolist(), strict=True))
        if UNKNOWN[0] in self.index:
            self.index[UNKNOWN[1]] = self.index[UNKNOWN[0]]
        unigrams = Order(np.arange(len(kept)), *self._of_words(len(kept), names, ids, fields))
        self.index |= {START: len(kept)} if START in self.index else {}  # until it is known where it occurs
        return Building(unigrams)

    def _require_distinct(self, names, fields):
        """Refuse a word that is given twice; the names of the line end."""
        there = set(names)
        if len(there) < len(names):
            seen = set()
            twice = next(i for i, name in enumerate(names) if name in seen or seen.add(name))
            self.lines.refuse(f"gives the word {_shown(names[twice])} again", fields.line(twice))
        marks = {START, END} & there
        if EOS.encode() in there and marks:
            self.lines.refuse(f"gives {EOS}, which is the line end here, and the file has "
                              f"{listed(sorted(mark.decode() for mark in marks))} for it: rename one of them",
                              fields.line(names.index(EOS.encode())))
        return marks or {EOS.encode()}

    def _of_words(self, V, names, ids, fields):
        """The log_probs (V,) and back_offs (V,) of the words.

        Of <eos> they are those of </s> and of <s>.
        """
        log_probs, back_offs = np.full(V, NEVER * LN10, np.float32), np.zeros(V, np.float32)
        is_start, is_end = np.array([[name == mark for name in names] for mark in (START, END)])
        log_probs[ids[~is_start]] = fields.log_probs[~is_start]
        back_offs[ids[~is_end]] = fields.back_offs[~is_end]
        ends_known = END in names or EOS.encode() in names
        if not ends_known:
            self.notes.append(f"no </s> among the words: a line end has the log10 p {NEVER:g}")
        if START not in names and EOS.encode() not in names:
            self.notes.append("no <s> among the words: the first word of a line has no context")
        return log_probs, back_offs

    def _make_vocabulary(self, names, about, fields):
        try:
            words = [name.decode("utf-8") for name in names]
        except UnicodeDecodeError:
            wrong = next(i for i, name in enumerate(fields.words[0]) if not _is_utf8(name))
            self.lines.refuse(f"must be UTF-8, the word is {_shown(fields.words[0][wrong])}: convert the file, for "
                              "example with iconv -f latin1 -t utf-8", fields.line(wrong))
        try:
            words = unescaped(words) if about.get(ESCAPES) is True else words
            self.vocabulary = Vocabulary(words, tokenizer_of(about, len(words)))
        except (ValueError, KeyError, TypeError, RnnlmError) as error:
            raise DamagedError(f"{called(self.lines.source.path)} is no ARPA file that can be read: its heading and "
                               f"its words do not fit: {shown(str(error))}") from None
        if self.vocabulary.unk_id is None and self.vocabulary.tokenizer.whole_words:
            self.notes.append(f"no {UNK} among the words: unknown words have no probability")

    def _order(self, building, n, count):
        if not self._section(n, count):
            building.add(np.empty((n, 0), np.int64), np.empty(0, np.float32), np.empty(0, np.float32))
            return
        fields = self._fields(n, count, self.index)
        ids, kept = self._reachable(fields.words, len(self.vocabulary))
        again = building.add(ids, fields.log_probs[kept], fields.back_offs[kept])
        if again is not None:
            line = fields.line(again if isinstance(kept, slice) else int(np.flatnonzero(kept)[again]))
            self.lines.refuse("gives an n-gram again", line)

    def _reachable(self, words, start):
        """The ids (n, m) of the n-grams that lines can have, and which they are."""
        ids = np.stack(words)
        is_end, is_start = ids == self.eos_id, ids == start
        if EOS.encode() in self.index:  # it stands for both
            inside = is_end[1:-1].any(axis=0) if len(ids) > 2 else np.zeros(ids.shape[1], bool)
        else:
            inside = is_end[:-1].any(axis=0) | is_start[1:].any(axis=0)
        ids[0][is_start[0]] = self.eos_id
        if not inside.any():
            return ids, slice(None)
        self.unreachable += int(np.count_nonzero(inside))
        return ids[:, ~inside], ~inside

    def _end(self):
        if self.mark != END_MARK:
            self.lines.refuse("must be \\end\\, " + ("the file ends: is it cut off?" if self.mark is None else
                              f"it is {_shown(self.mark)}"))
        if (line := self.lines.filled_line()) is not None:
            self.lines.refuse(f"comes after \\end\\: {_shown(line)}")


def _is_utf8(word):
    try:
        word.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _shown(part):
    """Bytes of the file for a message."""
    return shown(part[:100].decode("utf-8", "backslashreplace"), 60)
