"""A text as it is spelled, next to its ids, for tables with a row for each word.

The pieces of a text are what the model reads: words, parts of words, or characters.  A
word is what stands between blanks.  Where words have several pieces, this file alone
says which piece belongs to which word:

    a blank belongs to the word before it, as it says that this word has ended;
    blanks at the start of a line belong to the line's first word;
    a line end is a word of its own, <eos>; in a line without words the blanks are its.

Subwords hold the blank before a word together with its first letters.  There a blank
belongs to what comes after it: to the next word, or to the line end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.text.lines import LONGEST_WORD, read_blocks, string_as_read, tokens_of
from rnnlm.text.sources import called
from rnnlm.text.tokenizer import BLANKS, LINE_END, WORDS, as_ids
from rnnlm.text.vocabulary import EOS

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from rnnlm.text.tokenizer import Tokenizer
    from rnnlm.text.vocabulary import Vocabulary

BLOCK = 1 << 18  # bytes read at a time; the rows of so many words take some ten megabytes
_BLANK = np.array([ord(blank) for blank in BLANKS])
_WORD = re.compile(rf"[^{BLANKS}\n]")


@dataclass
class Spelled:
    """A part of a text that ends between two words.

    Attributes
    ----------
    text : str, as it was read: no byte-order mark, LF for CRLF.
    pieces : list of n str, a line end being "\\n"; none where all is blanks of a long
        line, which for a model of words are no pieces.
    ids : (n,) int32; UNKNOWN (-1) for pieces that the vocabulary lacks.
    starts : (m,), the first piece of each word.
    line_ends : (k,), which of the pieces are line ends.
    tokenizer : the Tokenizer.
    """

    text: str
    pieces: list[str]
    ids: np.ndarray
    starts: np.ndarray
    line_ends: np.ndarray
    tokenizer: Tokenizer

    def piece_names(self) -> list[str]:
        """The pieces as they are shown, <eos> for a line end."""
        return [EOS if piece == LINE_END else self.tokenizer.shown(piece) for piece in self.pieces]

    def words(self) -> list[str]:
        """The m words, <eos> for a line end."""
        words = WORDS.split(self.text)
        if len(words) != len(self.starts):  # a piece holds two words: see _starts_of_parts
            stops = [*self.starts[1:].tolist(), len(self.pieces)]
            words = ["".join(self.tokenizer.join(self.pieces[start:stop])).strip(BLANKS + LINE_END) or LINE_END
                     for start, stop in zip(self.starts.tolist(), stops, strict=True)]
        return [EOS if word == LINE_END else word for word in words]

    def line_bytes(self) -> np.ndarray:  # (k + 1,)
        """The bytes of each line with its line end, and of what follows the last."""
        text = np.frombuffer(self.text.encode(), np.uint8)
        ends = np.flatnonzero(text == ord(LINE_END)) + 1
        return np.diff(ends, prepend=0, append=len(text))


def spelled_file(path: str | os.PathLike[str], vocabulary: Vocabulary, *, size: int | None = None,
                 by_line: bool = False, on_bytes: Callable[[int], object] | None = None) -> Iterator[Spelled]:
    """Yield a text in parts of bounded memory.

    Parameters
    ----------
    path : of a file, compressed or not; ``-`` is standard input.
    vocabulary : Vocabulary to encode with.
    size : of a part, in bytes, about; None: BLOCK.
    by_line : whether each line is a part, which waits for no further line.
    on_bytes : function, called as on_bytes(n) for n bytes that were read.

    Raises
    ------
    RnnlmError : the text has no token, or cannot be read.
    """
    index, text, line = vocabulary.index(), None, 1
    blocks = read_blocks(path, size or BLOCK, on_bytes=on_bytes, by_line=by_line)
    for text in _whole_words(blocks, vocabulary.tokenizer, path):
        yield _spelled(text, index, vocabulary, path, line)
        line += text.count(LINE_END)
    if text is None:
        raise RnnlmError(f"{called(path)} must hold at least one line of text, but it is empty")


def spelled_string(text: str, vocabulary: Vocabulary) -> Iterator[Spelled]:
    """Yield a string as ``spelled_file`` yields a file that holds it."""
    text, index = string_as_read(text), vocabulary.index()
    if not text:
        raise RnnlmError("text must hold at least one line, but it is empty")
    start, line = 0, 1
    while start < len(text):
        stop = text.find(LINE_END, min(start + BLOCK, len(text) - 1)) + 1
        yield _spelled(text[start:stop], index, vocabulary, "text", line)
        start, line = stop, line + text.count(LINE_END, start, stop)


def _spelled(text, index, vocabulary, path, line):
    pieces = tokens_of(text, vocabulary.tokenizer, path, line)
    ids = as_ids(pieces, index)
    line_ends = np.flatnonzero(ids == vocabulary.eos_id)
    return Spelled(text, pieces, ids, word_starts(text, pieces, line_ends, vocabulary.tokenizer), line_ends,
                   vocabulary.tokenizer)


def _whole_words(blocks, tokenizer, path):
    """Yield the pieces of a text, cut where a word starts."""
    held = ""
    for block in blocks:
        text = held + block if held else block
        last_start = _last_blank if tokenizer.joins_blanks else _last_start
        cut = len(text) if not tokenizer.has_blanks or text.endswith(LINE_END) else last_start(text)
        held = text[cut:]
        if len(held) > LONGEST_WORD:
            raise RnnlmError(f"{called(path)} must be text, it has a word that with its blanks is longer than "
                             f"{LONGEST_WORD // 10**6} million characters")
        if cut:
            yield text[:cut]  # nothing is held at the end, which is a line end


def _last_start(text):
    """Where the last word of a text, which may not have ended yet, starts."""
    line = text.rfind(LINE_END) + 1
    body = text[line:].rstrip(BLANKS)
    start = max(body.rfind(blank) for blank in BLANKS) + 1
    return line + start if _WORD.search(body, 0, start) else line


def _last_blank(text):
    """Where the last chunk of a text starts: see rnnlm.text.subwords.chunks."""
    line = text.rfind(LINE_END) + 1
    blank = text.rfind(" ", line)
    while blank > line and text[blank - 1].isspace():
        blank = text.rfind(" ", line, blank)
    return max(blank, line)


def word_starts(text: str, pieces: list[str], line_ends: np.ndarray, tokenizer: Tokenizer) -> np.ndarray:
    """The first piece of each word of whole lines; their names are those of Spelled."""
    if tokenizer.whole_words:
        return np.arange(len(pieces))
    if tokenizer.joins_blanks:
        return _starts_of_parts(pieces, line_ends, tokenizer)
    return _starts_of_characters(text, line_ends) if tokenizer.has_blanks else tokenizer.word_starts(text)


def _starts_of_parts(pieces, line_ends, tokenizer):
    """The first piece of each word of subwords: it, or blanks before it.

    If a piece holds two words, which only characters that Unicode calls white space can
    bring about, they are one.
    """
    shown = {piece: tokenizer.shown(piece) for piece in set(pieces)}
    blank = {piece: not text.strip(BLANKS) for piece, text in shown.items()}
    opens = {piece: text[0] in BLANKS for piece, text in shown.items()}
    closes = {piece: text[-1] in BLANKS for piece, text in shown.items()}
    is_end = np.zeros(len(pieces), bool)
    is_end[line_ends] = True
    content = np.flatnonzero(~_each(blank, pieces) | is_end)  # all but blanks
    before = np.concatenate([[-1], content[:-1]])
    after_end, after_blank = np.append(is_end, True)[before], np.append(_each(closes, pieces), True)[before]
    new = is_end[content] | after_end | after_blank | _each(opens, pieces)[content] | (content - before > 1)
    return before[new] + 1


def _each(of_piece, pieces):
    return np.fromiter(map(of_piece.__getitem__, pieces), bool, len(pieces))


def _starts_of_characters(text, line_ends):
    """The first character of each word of a text of characters."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    is_end = np.zeros(len(codes), bool)
    is_end[line_ends] = True
    is_letter = ~(np.isin(codes, _BLANK) | is_end)
    opens = np.concatenate([[True], is_end[:-1]])  # a line
    letters = np.cumsum(is_letter) - is_letter  # before each character
    before = letters - np.maximum.accumulate(np.where(opens, letters, 0))  # of its line
    after_blank = np.concatenate([[False], ~is_letter[:-1]])
    return np.flatnonzero(opens | ((is_letter & after_blank | is_end) & (before > 0)))
