"""Pieces of byte-level BPE: 256 bytes and a list of merges (Sennrich et al., 2016).

A piece is a string in which a printable character stands for each byte, as GPT-2 writes
them: "Ġ" is a blank.  The numbers of pieces are 0 ... 255 for the bytes, then one for
each merge that gives a new piece.  So the merges say everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

BYTES = 256
MOST_MERGES = 1 << 20
LONGEST_PIECE = 128        # bytes; the largest public tokenizers have pieces of this length
MOST_BYTES = 1 << 24       # of all pieces together: a merge can double a piece
NOT_PIECES = ("<eos>", "<unk>")  # a vocabulary has other uses for these strings


def _alphabet():
    """The character of each byte: itself where it is printable and no blank."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte if byte in printable else next(others)) for byte in range(BYTES)]


ALPHABET = _alphabet()
_BYTE_OF = {character: byte for byte, character in enumerate(ALPHABET)}


def piece_bytes(piece: str) -> bytes:
    """The bytes of a piece; KeyError for a character that stands for none."""
    return bytes([_BYTE_OF[character] for character in piece])


def pieces_of(merges: np.ndarray) -> list[str]:
    """The pieces by number.

    Parameters
    ----------
    merges : (n, 2), the numbers of the pieces that each merge joins, by rank.

    Raises
    ------
    ValueError : no such merges; at once where the pieces would become too long.
    """
    if merges.ndim != 2 or merges.shape[1] != 2 or merges.dtype.kind not in "iu":
        raise ValueError(f"merges must be whole numbers (n, 2), got {merges.dtype} {merges.shape}")
    if len(merges) > MOST_MERGES:
        raise ValueError(f"merges must be at most {MOST_MERGES:,}, got {len(merges):,}")
    pieces, seen, pairs, size = [*ALPHABET], set(ALPHABET), set(), BYTES
    for rank, (first, second) in enumerate(merges.tolist()):
        if not (0 <= first < len(pieces) and 0 <= second < len(pieces)) or (first, second) in pairs:
            raise ValueError(f"merge {rank} must join two pieces from before it, and no others than those of each "
                             f"merge before, got {first} and {second}")
        pairs.add((first, second))
        piece = pieces[first] + pieces[second]
        if piece in seen:  # "abc" as "a" + "bc" and as "ab" + "c"
            continue
        size += len(piece)
        _require_usual(piece, rank, size)
        pieces.append(piece)
        seen.add(piece)
    return pieces


def _require_usual(piece, rank, size):
    if len(piece) > LONGEST_PIECE or size > MOST_BYTES:
        raise ValueError(f"merge {rank} makes a piece of {len(piece)} bytes, all pieces together {size:,}: at most "
                         f"{LONGEST_PIECE} and {MOST_BYTES:,} are allowed")
    if piece in NOT_PIECES:
        raise ValueError(f"merge {rank} makes the piece {piece}, which has another meaning in a vocabulary")


def merges_of(pairs: Iterable[tuple[str, str]]) -> np.ndarray:  # (n, 2) int32
    """The merges as numbers, from pairs of pieces by rank.

    ValueError if a pair is not of pieces that come before it.
    """
    numbers, merges = {piece: number for number, piece in enumerate(ALPHABET)}, []
    for first, second in pairs:
        if first not in numbers or second not in numbers:
            unknown = second if first in numbers else first
            raise ValueError(f"merge {len(merges)} joins {shown(repr(unknown), 40)}, which is no byte and comes from "
                             "no merge before it")
        merges.append((numbers[first], numbers[second]))
        if len(first) + len(second) <= LONGEST_PIECE:  # a longer one is refused when pieces are made
            numbers.setdefault(first + second, len(numbers))
    return np.array(merges, np.int32).reshape(-1, 2)
