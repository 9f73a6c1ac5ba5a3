"""Subwords: a text as pieces of words, by byte-level BPE.

Every text can be written in these pieces, as each byte is one of them, and nothing is
lost: ``join(split(text)) == text``.  There is no <unk>.

A piece carries the blank before it.  A line is encoded by itself, and its end is the
token "\\n", as in every text.
"""

from __future__ import annotations

import codecs
import hashlib
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.text.subwords.bpe_library import Encoder, train
from rnnlm.text.subwords.chunks import Dictionary, chunks_of
from rnnlm.text.subwords.pieces import BYTES, piece_bytes, pieces_of
from rnnlm.text.tokenizer import LINE_END, Tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

LEVEL = "subword"
KIND = "byte-level BPE"
LEAST_SIZE, USUAL_SIZE, LARGEST_SIZE = BYTES + 1, 8000, 1 << 20  # of the vocabulary, with <eos>
LONGEST_UNIT = 1 << 16  # characters of a text that the library gets at a time
LONGEST_CHUNK = 1 << 11  # of a chunk to learn from: the library's time grows with its square
IN_NO_TEXT = str.maketrans(dict.fromkeys("\n\0", "\ufffd"))  # of what a piece can spell


class Subwords(Tokenizer):
    """Splits a text into pieces of words.

    Parameters
    ----------
    merges : (n, 2), whole numbers; see rnnlm/text/subwords/pieces.py.

    Attributes
    ----------
    merges : as given.
    Raises
    ------
    ValueError : the merges are not those of a tokenizer.
    """

    level, unit = LEVEL, "subword"
    words_as_pieces = ("a blank belongs to the word after it; entropy, rank and the most probable are those of the "
                       "first subword of a word")
    has_blanks = joins_blanks = True
    usual_min_count = 0  # every piece is in the vocabulary
    enough, longest_line = 150, 15_000
    _replaced = IN_NO_TEXT

    def __init__(self, merges: np.ndarray) -> None:
        self.tokens = tuple(pieces_of(merges))
        self.merges = merges.astype(np.int32)
        self._by_number = [*self.tokens, LINE_END]
        self._printed = {piece: piece_bytes(piece) for piece in self.tokens}
        self._dictionary = None

    @classmethod
    def train(cls, texts: Iterable[str], size: int = USUAL_SIZE) -> Subwords:
        """The tokenizer that a text gives; the same one each time.

        Parameters
        ----------
        texts : the text in parts, cut at line ends or before a blank.
        size : of the vocabulary, <eos> included; it becomes smaller if the text has no
            more pairs that occur twice.
        """
        arguments.whole("vocab_size", size, LEAST_SIZE, LARGEST_SIZE)
        return cls(train(_units(texts), size - 1))

    def split(self, text: str) -> list[str]:
        """The pieces, and "\\n" for every line end."""
        return [*map(self._by_number.__getitem__, self._ids(text).tolist())]

    def encode(self, text: str, index: Mapping[str, int]) -> np.ndarray:  # (n,) int32
        """``index[token]`` of each token, asked in order of first appearance."""
        ids, table = self._ids(text), np.zeros(len(self._by_number), np.int32)
        first = np.full(len(table), len(ids))
        first[ids[::-1]] = np.arange(len(ids))[::-1]  # the last value that is put into a place stays there
        order = np.argsort(first)
        for i in order[: np.count_nonzero(first < len(ids))].tolist():
            table[i] = index[self._by_number[i]]
        return table[ids]

    def _ids(self, text):
        if self._dictionary is None:
            self._dictionary = Dictionary(Encoder(self.tokens, self.merges).encode, len(self.tokens))
        return self._dictionary.ids(text)

    def join(self, tokens: Iterable[str]) -> Iterator[str]:
        """Yield what can be printed after each token.

        Bytes wait until their character is whole.  Bytes that are none, and a NUL or a
        line end within a piece, become U+FFFD: no text has them.  If bytes wait at the
        end, there is one string more than there are tokens.
        """
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for token in tokens:
            if token == LINE_END:
                yield decoder.decode(b"", final=True) + LINE_END
                decoder.reset()
            else:
                yield decoder.decode(self._bytes(token)).translate(self._replaced)
        if rest := decoder.decode(b"", final=True):
            yield rest

    def _bytes(self, token):
        try:
            return self._printed[token]
        except (KeyError, TypeError):
            raise arguments.wrong("a token", "a piece of the tokenizer", token) from None

    def shown(self, token: str) -> str:
        """A piece as text, with escapes such as \\xc3 for parts of characters."""
        return token if token == LINE_END or token not in self._printed else self._printed[token].decode(
            "utf-8", "backslashreplace")

    def description(self) -> dict[str, Any]:
        """The level, the kind and the number of merges."""
        return {"level": LEVEL, "tokenizer": {"kind": KIND, "merges": len(self.merges)}}

    def arrays(self) -> dict[str, np.ndarray]:
        """The merges, as a file holds them."""
        return {"merges": self.merges}

    def fingerprint(self) -> str:
        """The level and a SHA-256 of the merges."""
        return f"{LEVEL}-{hashlib.sha256(KIND.encode() + self.merges.astype('<i4').tobytes()).hexdigest()}"

    def __getstate__(self):
        return {"merges": self.merges}  # the library's own object is made again when it is needed

    def __setstate__(self, state):
        self.__init__(state["merges"])


def _units(texts):
    """Yield the lines of texts; a long one in parts, cut where chunks are.

    A very long chunk is cut, too: pieces are learned from its parts.
    """
    for text in texts:
        for line in text.split(LINE_END):
            yield from [line] if len(line) <= LONGEST_CHUNK else _parts(line)


def _parts(line):
    held, size = [], 0
    for chunk in chunks_of(line):
        if len(chunk) > LONGEST_CHUNK:
            yield "".join(held)
            held, size = [], 0
            yield from (chunk[i: i + LONGEST_CHUNK] for i in range(0, len(chunk), LONGEST_CHUNK))
            continue
        held.append(chunk)
        size += len(chunk)
        if size > LONGEST_UNIT:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)
