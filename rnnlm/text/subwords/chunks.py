"""Chunks: what a text of subwords is cut into, and a dictionary of those already seen.

GPT-2's expression splits a text before anything is merged:

    's|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+

No alternative holds white space behind another character: a blank can only be its
first.  So there is always a border between a character that is no white space and one
that is.  Nor does one hold a letter before anything but letters, so there is a border
where ASCII letters end; and one where digits and other signs of ASCII end, unless an
apostrophe begins such as 's.  What comes before a border does not change what comes
after, as the expression looks at nothing behind it.  Nor the other way round: it looks
ahead only behind white space, of which nothing ends there.

What other characters are is left to the library: from the first one on, all up to the
next white space is one chunk, with the letters or signs before it.

Texts repeat their words, so each chunk is encoded once and then looked up.  A word of
more than LONGEST characters is cut, as the library takes 300 bytes for each.
"""

from __future__ import annotations

import re
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_CHUNKS, MOST_CHARACTERS = 1 << 18, 1 << 23  # in the dictionary; then half of it is forgotten
SLICE = 1 << 19                                  # characters that are cut at a time
LONGEST = 1 << 14                                # characters of a chunk, but for the blanks before them


def _chunk(longest):
    """The expression of a chunk: white space and what follows it; or a line end."""
    most = f"{{1,{longest}}}+"
    words = f"[A-Za-z]{most}|[!-@[-`{{-~]{most}(?:(?<=')[A-Za-z]{most})?+"
    return re.compile(rf"[^\S\n]{{0,{longest}}}+(?:(?:{words})(?![^\s!-~])|\S{most})|[^\S\n]{most}|\n")


CHUNK = _chunk(LONGEST)
# Python calls these white space, Unicode and the expression above do not.
SEPARATORS = re.compile("[\x1c-\x1f]")
_LINE = re.compile(r"[^\n]+|\n")


def chunks_of(text: str) -> list[str]:
    """The chunks of a text; a line with separators is one, but for its length."""
    if SEPARATORS.search(text) is None:
        return CHUNK.findall(text)
    return [chunk for line in _LINE.findall(text)
            for chunk in (_cut(line) if SEPARATORS.search(line) else CHUNK.findall(line))]


def _cut(line):
    return [line[start: start + LONGEST] for start in range(0, len(line), LONGEST)]


class Dictionary:
    """The ids of chunks.

    Parameters
    ----------
    encode : function from a list of distinct chunks to two arrays: the ids of all of
        them, one after another, and how many each has.
    line_end : the id of "\\n".
    cut : function from a text to its chunks, among which "\\n" is one.
    """

    def __init__(self, encode: Callable[[list[str]], tuple[np.ndarray, np.ndarray]], line_end: int,
                 cut: Callable[[str], list[str]] = chunks_of) -> None:
        self.encode, self.line_end, self.cut, self.lock = encode, line_end, cut, Lock()
        self._clear()

    def ids(self, text: str) -> np.ndarray:  # (n,) int32
        """The ids of a text."""
        found, start = [np.empty(0, np.int32)], 0
        while start < len(text):
            stop = text.find("\n", min(start + SLICE, len(text) - 1)) + 1 or len(text)
            with self.lock:
                found.append(self._ids(self.cut(text[start:stop])))
            start = stop
        return np.concatenate(found)

    def _ids(self, chunks):
        which = self._numbers_of(chunks)
        self.counts += np.bincount(which, minlength=len(self.counts))
        ids = taken(self.flat, self.starts[which], self.lengths[which])
        if len(self.numbers) > MOST_CHUNKS or self.characters > MOST_CHARACTERS:
            self._forget()
        return ids

    def _forget(self):
        """Keep the half of the chunks that was met most since the last time."""
        self.counts[0] = self.counts.max() + 1  # the line end
        kept = np.sort(np.argsort(-self.counts, kind="stable")[: (len(self.counts) + 1) // 2])
        chunks = [*self.numbers]
        chunks = [chunks[i] for i in kept.tolist()]
        starts, lengths = self.starts[kept], self.lengths[kept]
        self.numbers, self.characters = _Numbers(zip(chunks, range(len(chunks)), strict=True)), sum(map(len, chunks))
        self.flat, self.starts, self.lengths = taken(self.flat, starts, lengths), np.cumsum(lengths) - lengths, lengths
        self.counts = np.zeros(len(kept), np.int64)

    def _numbers_of(self, chunks):
        """The number of each chunk; new ones are encoded."""
        try:
            which = np.fromiter(map(self.numbers.__getitem__, chunks), np.int64, len(chunks))
            if self.numbers.new:
                self._learn(self.numbers.new)
        except BaseException:  # such as Ctrl-C: chunks have numbers and no ids
            self._clear()
            raise
        return which

    def _learn(self, chunks):
        """Add the ids of new chunks to those of the dictionary."""
        flat, lengths = self.encode(chunks)
        starts = np.cumsum(lengths) - lengths + len(self.flat)
        self.flat = np.concatenate([self.flat, flat])
        self.starts, self.lengths = np.append(self.starts, starts), np.append(self.lengths, lengths)
        self.counts = np.append(self.counts, np.zeros(len(chunks), np.int64))
        self.characters += sum(map(len, chunks))
        chunks.clear()

    def _clear(self):
        self.numbers, self.characters = _Numbers({"\n": 0}), 0
        self.flat = np.array([self.line_end], np.int32)
        self.starts, self.lengths, self.counts = np.zeros(1, np.int64), np.ones(1, np.int64), np.zeros(1, np.int64)


def taken(flat: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """For each i the lengths[i] values of ``flat`` from starts[i] on."""
    ends = np.cumsum(lengths)
    return flat[np.repeat(starts - (ends - lengths), lengths) + np.arange(ends[-1])]


class _Numbers(dict):
    """The number of each chunk; a new one gets the next, and is put on a list."""

    def __init__(self, known):
        super().__init__(known)
        self.new = []

    def __missing__(self, chunk):
        number = self[chunk] = len(self)
        self.new.append(chunk)
        return number
