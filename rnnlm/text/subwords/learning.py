"""Subwords of a corpus: learned from its training text alone, or read from a file.

A text is read in parts, several times if need be; it is never in memory as a whole.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError, RnnlmError
from rnnlm.text.choose_tokenizer import ALL_LEVELS
from rnnlm.text.lines import read_blocks
from rnnlm.text.numbered_cache import LONG
from rnnlm.text.sources import called, require_text_file
from rnnlm.text.subwords.byte_level import LARGEST_SIZE, LEAST_SIZE, LEVEL, USUAL_SIZE, Subwords
from rnnlm.text.subwords.files import read_tokenizer
from rnnlm.text.tokenizer import LINE_END, Tokenizer, as_tokenizer

RULES = {
    "vocab_size": "it is of level subword without a tokenizer's file",
    "tokenizer": "it is of level subword",
    "min_count": "all subwords are in the vocabulary",
    "max_vocab": "vocab_size is the size of a vocabulary of subwords",
}

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnlm.text.numbered import Tokens


def learn_subwords(path: str | os.PathLike[str], size: int | None = None, share: float = 1.0,
                   on_bytes: Callable[[int], object] | None = None) -> tuple[Subwords, int]:
    """The Subwords of a text, and how many of its bytes they were learned from.

    Parameters
    ----------
    path : of a regular file, which is read once, or twice if ``share`` is below 1.
    size : of the vocabulary; None: USUAL_SIZE.
    share : how much of the text to learn from, up to a line end or else a blank.
    on_bytes : function, called as on_bytes(n) for n bytes that were read.

    Raises
    ------
    RnnlmError : the text cannot be read, or not several times.
    """
    if require_text_file(path) is None or not os.path.isfile(path):
        raise RnnlmError(f"subwords are learned from a regular file, because it is read several times, and "
                         f"{called(path)} is none: save the text first, or give --tokenizer")
    texts = _beginning(path, share, on_bytes)
    return Subwords.train(texts, USUAL_SIZE if size is None else size), texts.size


def _beginning(path, share, on_bytes=None):
    """The _Beginning of a text that is this share of it."""
    stop = share * sum(map(_size, read_blocks(path))) if share < 1 else float("inf")
    return _Beginning(read_blocks(path, on_bytes=on_bytes), stop)


class _Beginning:
    """Yields the first ``stop`` bytes of a text, and what is left of the last line.

    In a text of few lines that could be all; then it ends before a blank.  ``size``
    counts the bytes.
    """

    def __init__(self, blocks, stop):
        self.blocks, self.stop, self.size = blocks, stop, 0

    def __iter__(self):
        for text in self.blocks:
            if self.size + _size(text) < self.stop:
                self.size += _size(text)
                yield text
                continue
            part = text[: self._cut(text, max(0, int(self.stop) - self.size))]
            self.size += _size(part)
            yield part
            return

    def _cut(self, text, offset):
        """Where the text ends: at a line end behind these bytes, or before a blank."""
        start = len(text.encode()[:offset].decode(errors="ignore"))
        end = text.find(LINE_END, start) + 1
        if end and _size(text[start:end]) < self.stop / 20:
            return end
        blank = text.find(" ", start + 1)
        while blank >= 0 and text[blank - 1].isspace():
            blank = text.find(" ", blank + 1)
        return blank if blank >= 0 else end or len(text)


def tokenizer_source(level: str | Tokenizer, vocab_size: int | None, file: str | os.PathLike[str] | None,
                     min_count: int | None, max_vocab: int | None, was_learned: bool = False) -> Source:
    """Where the Tokenizer of a corpus comes from: see ``load_corpus``.

    ArgumentError for arguments that do not go together.
    """
    if not isinstance(level, Tokenizer):
        arguments.one_of("level", level, ALL_LEVELS)
    is_subword = level == LEVEL or isinstance(level, Subwords)
    for name, value, fits in (("vocab_size", vocab_size, level == LEVEL and file is None),
                              ("tokenizer", file, level == LEVEL),
                              ("min_count", min_count, not is_subword), ("max_vocab", max_vocab, not is_subword)):
        if value is not None and not fits:
            raise ArgumentError(f"{name} does nothing here: {RULES[name]}; leave it out")
    if level != LEVEL:
        return Source(as_tokenizer(level), was_learned=was_learned)
    if file is not None:
        return Source(*read_tokenizer(file))
    return Source(None, vocab_size=USUAL_SIZE if vocab_size is None else arguments.whole(
        "vocab_size", vocab_size, LEAST_SIZE, LARGEST_SIZE))


class Source:
    """A Tokenizer, or how it is learned from the training text.

    Attributes
    ----------
    tokenizer : the Tokenizer; None before it is learned.
    notes : list of str, what there is to say of it.
    """

    def __init__(self, tokenizer: Tokenizer | None, notes: list[str] | None = None, vocab_size: int = 0,
                 was_learned: bool = False) -> None:
        self.tokenizer, self.notes, self.vocab_size = tokenizer, notes or [], vocab_size
        self.was_learned = was_learned  # from the same text, so that learning it again is only reading

    def learn(self, path: str | os.PathLike[str], on_long: Callable | None, share: float = 1.0) -> int | None:
        """Learn from a text; returns the bytes of it that were read, None without need.
        """
        if self.was_learned and share < 1:
            return sum(map(_size, _beginning(path, share)))
        if not self.vocab_size:
            return None
        size = os.path.getsize(path) if os.path.isfile(path) else 0
        on_bytes = on_long(os.path.basename(path), size) if on_long and size > LONG else None
        self.tokenizer, read = learn_subwords(path, self.vocab_size, share, on_bytes)
        found = len(self.tokenizer.tokens) + 1
        self.notes = [f"the training text gives only {found:,} of {self.vocab_size:,} subwords: no other pair occurs "
                      "twice"] if found < self.vocab_size else []
        return read


def _size(text):
    return len(text.encode())


def token_after(tokens: Tokens, size: int) -> int:
    """The token of a text of subwords that follows its first ``size`` bytes."""
    sizes = np.array([1 if token == LINE_END else len(token) for token in tokens.words])  # a character for each byte
    read, offset = 0, 0
    if size <= 0:
        return 0
    for block in tokens.blocks():
        ends = read + np.cumsum(sizes[block])
        if ends[-1] >= size:
            return offset + int(np.searchsorted(ends, size)) + 1
        read, offset = int(ends[-1]), offset + block.size
    return offset
