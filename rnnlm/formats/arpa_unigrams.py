"""What the unigrams of an ARPA file say: the words, and what <s> and </s> are here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import DamagedError, RnnlmError, listed, shown
from rnnlm.formats.arpa_fields import LN10, NEVER
from rnnlm.formats.arpa_heading import END, ESCAPES, START, UNKNOWN_WORDS, tokenizer_of, unescaped
from rnnlm.formats.arpa_lines import shown_part
from rnnlm.ngrams.tables import Order
from rnnlm.text.sources import called
from rnnlm.text.vocabulary import EOS, UNK, Vocabulary

if TYPE_CHECKING:
    from rnnlm.formats.arpa_fields import Fields
    from rnnlm.formats.arpa_lines import Lines

_START, _END, _EOS = START.encode(), END.encode(), EOS.encode()
_UNKNOWN = [word.encode() for word in UNKNOWN_WORDS]


class Unigrams:
    """The vocabulary of an ARPA file, and its unigrams.

    Ids are in the order of the file.  <s> and </s> are one word, <eos>; a file may also
    call both <eos>.

    Parameters
    ----------
    fields : Fields of the section, with words as bytes.
    lines : the Lines, for messages.
    about : what the heading says; see ``described``.

    Attributes
    ----------
    vocabulary : Vocabulary.
    index : dict, the number of each word as the file writes it: its id; of <s>
        ``start``.
    start : V, or the id of <eos> in a file that calls <s> so.
    order : Order.
    notes : what the file lacks, a list of lines.

    Raises
    ------
    DamagedError : two words are the same, or one is no text.
    """

    def __init__(self, fields: Fields, lines: Lines, about: dict) -> None:
        self.fields, self.lines, self.notes = fields, lines, []
        self.rows = self._rows(fields.words[0])
        names = [fields.words[0][row] for row in self.rows.tolist()]
        names = [_UNKNOWN[0] if name in _UNKNOWN else name for name in names]
        marks = self._marks(names)
        is_mark = np.array([name in marks for name in names])
        eos_id = int(is_mark.argmax()) if is_mark.any() else len(names)
        is_kept = ~is_mark
        is_kept[eos_id : eos_id + 1] = True
        self.ids = np.cumsum(is_kept) - 1
        self.ids[is_mark] = eos_id
        kept = [name for name, keep in zip(names, is_kept.tolist(), strict=True) if keep]
        kept[eos_id : eos_id + 1] = [_EOS]
        self.vocabulary = self._vocabulary(kept, about)
        self.order = self._order(names, len(kept))
        self.index = dict(zip(names, self.ids.tolist(), strict=True))
        self.start = eos_id if _EOS in self.index else len(kept)
        if _START in self.index:
            self.index[_START] = self.start
        if _UNKNOWN[0] in self.index:
            self.index[_UNKNOWN[1]] = self.index[_UNKNOWN[0]]

    def _rows(self, words):
        """Which rows count: of <unk> and <UNK> the later one, as KenLM has it."""
        both = [words.index(name) for name in _UNKNOWN if name in words]
        if len(both) < 2:
            return np.arange(len(words))
        self.notes.append(f"<unk> and <UNK> are one word here, as for KenLM: its probability is that of line "
                          f"{self._line(max(both)):,}")
        return np.delete(np.arange(len(words)), min(both))

    def _line(self, row):
        """The number of the line of a row of the fields."""
        return self.fields.line(int(row))

    def _marks(self, names):
        """The names of the line end; refuses words that are given twice."""
        there = set(names)
        if len(there) < len(names):
            seen = set()
            twice = next(i for i, name in enumerate(names) if name in seen or seen.add(name))
            self.lines.refuse(f"gives the word {shown_part(names[twice])} again", self._line(self.rows[twice]))
        marks = {_START, _END} & there
        if _EOS in there and marks:
            self.lines.refuse(f"gives {EOS}, which is the line end here, and the file has "
                              f"{listed(sorted(mark.decode() for mark in marks))} for it: rename one of them",
                              self._line(self.rows[names.index(_EOS)]))
        return marks or {_EOS}

    def _vocabulary(self, names, about):
        try:
            words = [name.decode("utf-8") for name in names]
        except UnicodeDecodeError:
            given = self.fields.words[0]
            wrong = next(i for i, name in enumerate(given) if not _is_utf8(name))
            self.lines.refuse(f"must be UTF-8, the word is {shown_part(given[wrong])}: convert the file, for example "
                              "with iconv -f latin1 -t utf-8", self._line(wrong))
        try:
            words = unescaped(words) if about.get(ESCAPES) is True else words
            vocabulary = Vocabulary(words, tokenizer_of(about, len(words)))
        except (ValueError, KeyError, TypeError, RnnlmError) as error:
            raise DamagedError(f"{called(self.lines.source.path)} is no ARPA file that can be read: its heading and "
                               f"its words do not fit: {shown(str(error))}") from None
        if vocabulary.unk_id is None and vocabulary.tokenizer.whole_words:
            self.notes.append(f"no {UNK} among the words: unknown words have no probability")
        return vocabulary

    def _order(self, names, V):
        """The Order of the unigrams; <eos> has the p of </s> and the weight of <s>."""
        log_probs, back_offs = np.full(V, NEVER * LN10, np.float32), np.zeros(V, np.float32)
        is_start, is_end = (np.array([name == mark for name in names]) for mark in (_START, _END))
        log_probs[self.ids[~is_start]] = self.fields.log_probs[self.rows[~is_start]]
        back_offs[self.ids[~is_end]] = self.fields.back_offs[self.rows[~is_end]]
        if not is_end.any() and _EOS not in names:
            self.notes.append(f"no </s> among the words: a line end has the log10 p {NEVER:g}")
        if not is_start.any() and _EOS not in names:
            self.notes.append("no <s> among the words: the first word of a line has no context")
        return Order(np.arange(V), log_probs, back_offs)


def _is_utf8(name):
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
