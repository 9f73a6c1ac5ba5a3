"""Subwords of a BPE model of sentencepiece, which are strings of characters.

A blank is the character U+2581 (▁) in them.  Characters that no piece has are written
as their bytes.  A line is read as it is: nothing is normalised, and no blank is added.
Whatever joins two neighbours into a piece is a merge, the likelier piece first.

All is kept but U+2581 itself, which becomes a blank.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import shown
from rnnlm.text.subwords.bpe_library import PieceEncoder
from rnnlm.text.subwords.byte_level import IN_NO_TEXT, LEVEL, Subwords
from rnnlm.text.subwords.chunks import LONGEST, Dictionary
from rnnlm.text.subwords.pieces import BYTES, LONGEST_PIECE, MOST_BYTES, NOT_PIECES
from rnnlm.text.tokenizer import LINE_END

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

KIND = "sentencepiece BPE"
BLANK = "\u2581"
MOST_SPLITS = 16  # merges for each piece, on average: usual are two or three
BYTE_NAMES = [f"<0x{byte:02X}>" for byte in range(BYTES)]
CHUNK = re.compile(f"{BLANK}{{0,{LONGEST}}}+[^{BLANK}\n]{{1,{LONGEST}}}|{BLANK}{{1,{LONGEST}}}|\n")


class SentencePieces(Subwords):
    """Splits a text into the pieces of a model of sentencepiece.

    Parameters
    ----------
    pieces : strings, the likeliest first; none of bytes.

    Raises
    ------
    ValueError : these are no pieces.
    """

    _replaced = IN_NO_TEXT | {ord(BLANK): " "}  # whose bytes are written where no piece has it

    def __init__(self, pieces: Iterable[str]) -> None:
        self.pieces = list(pieces)
        _require_pieces(self.pieces)
        self.merges = merges_between(self.pieces)
        self.tokens = (*BYTE_NAMES, *self.pieces)
        self._by_number = [*self.tokens, LINE_END]
        self._printed = {name: bytes([byte]) for byte, name in enumerate(BYTE_NAMES)}
        self._printed |= {piece: piece.replace(BLANK, " ").encode() for piece in self.pieces}
        self._dictionary = None

    def _ids(self, text):
        if self._dictionary is None:
            encode = PieceEncoder(self.tokens, self.merges).encode
            self._dictionary = Dictionary(encode, len(self.tokens), CHUNK.findall)
        return self._dictionary.ids(text.replace(" ", BLANK))

    def description(self) -> dict[str, Any]:
        """The level, the kind and the bytes of the pieces."""
        return {"level": LEVEL, "tokenizer": {"kind": KIND, "bytes": self.arrays()["pieces"].size}}

    def arrays(self) -> dict[str, np.ndarray]:
        """The pieces in UTF-8, joined by LF, as a file holds them."""
        return {"pieces": np.frombuffer("\n".join(self.pieces).encode(), np.uint8)}

    def fingerprint(self) -> str:
        """The level and a SHA-256 of the pieces."""
        return f"{LEVEL}-{hashlib.sha256(KIND.encode() + self.arrays()['pieces'].tobytes()).hexdigest()}"

    def __getstate__(self):
        return {"pieces": self.pieces}

    def __setstate__(self, state):
        self.__init__(state["pieces"])


def pieces_in(array: np.ndarray) -> list[str]:
    """The pieces that a file holds; ValueError if they are not UTF-8."""
    try:
        return array.tobytes().decode().split("\n")
    except UnicodeDecodeError:
        raise ValueError("pieces are not UTF-8") from None


def _require_pieces(pieces):
    if len(set(pieces)) < len(pieces):
        raise ValueError("pieces must be there once each")
    if sum(map(len, pieces)) > MOST_BYTES:
        raise ValueError(f"pieces must have at most {MOST_BYTES:,} characters together")
    names = {*BYTE_NAMES, *NOT_PIECES}
    for piece in pieces:
        if not piece or piece in names or len(piece) > LONGEST_PIECE or "\n" in piece or BLANK in piece.lstrip(BLANK):
            raise ValueError(f"a piece must be a string of at most {LONGEST_PIECE} characters with blanks only before "
                             f"others, no line end and no name of another token, got {shown(repr(piece), 40)}")


def merges_between(pieces: list[str]) -> np.ndarray:  # (n, 2) int32
    """The merges: all pairs of pieces that make a piece, the likeliest piece first.

    They are numbered as tokens are, behind the bytes.  ValueError for a piece that no
    pair makes, or if there are more merges than any real model has.
    """
    numbers, merges = {piece: number for number, piece in enumerate(pieces, BYTES)}, []
    for piece in pieces:
        pairs = sorted((numbers[piece[:i]], numbers[piece[i:]]) for i in range(1, len(piece))
                       if piece[:i] in numbers and piece[i:] in numbers)
        if not pairs and len(piece) > 1:
            raise ValueError(f"a piece must be made of two others, got {shown(repr(piece), 40)}")
        merges += pairs
        if len(merges) > MOST_SPLITS * len(pieces):
            raise ValueError(f"pieces must be made of others in at most {MOST_SPLITS} ways on average")
    return np.array(merges, np.int32).reshape(-1, 2)
