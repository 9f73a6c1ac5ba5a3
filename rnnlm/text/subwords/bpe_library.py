"""The library `tokenizers`: it trains byte-level BPE and encodes what is new.

This file alone imports it, when it is used.  Byte-level BPE loses nothing with these
settings alone: no blank is put before a line, the alphabet is whole from the start, and
there are no special tokens, which would be taken out of the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import ArgumentError, RnnlmError
from rnnlm.text.subwords.chunks import SEPARATORS, taken
from rnnlm.text.subwords.pieces import ALPHABET, BYTES, LONGEST_PIECE, merges_of, piece_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SLICE = 1 << 13  # characters that the library encodes at a time: longer texts are slower
LEAST_COUNT = 2  # a pair seen once becomes no piece


def _library():
    """The module; RnnlmError unless it is installed."""
    try:
        import tokenizers
    except ImportError:
        raise RnnlmError("subwords need the package tokenizers: pip install tokenizers, or this package with its "
                         "extra: pip install 'numpy-rnnlm[subword]'") from None
    return tokenizers


def _new(library, **model):
    """A tokenizer of the library with the settings that lose nothing."""
    made = library.Tokenizer(library.models.BPE(**model))
    made.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    return made


def train(lines: Iterable[str], pieces: int) -> np.ndarray:  # (n, 2) int32
    """The merges that a text gives.

    Parameters
    ----------
    lines : of the text, without their ends.
    pieces : how many pieces there will be at most, the 256 bytes among them.
    """
    import json

    library = _library()
    trainer = library.trainers.BpeTrainer(
        vocab_size=pieces, min_frequency=LEAST_COUNT, max_token_length=LONGEST_PIECE, special_tokens=[],
        initial_alphabet=sorted(ALPHABET), show_progress=False)
    made = _new(library)
    made.train_from_iterator(lines, trainer)
    return merges_of(map(tuple, json.loads(made.to_str())["model"]["merges"]))


class Encoder:
    """Encodes chunks by the library.

    Parameters
    ----------
    pieces : the pieces by number.
    merges : (n, 2), the numbers that each merge joins; both as ``pieces_of`` has
        checked them, since the library does not.
    """

    def __init__(self, pieces: list[str], merges: np.ndarray) -> None:
        self.tokenizer = _new(_library(), vocab={piece: number for number, piece in enumerate(pieces)},
                            merges=[(pieces[first], pieces[second]) for first, second in merges.tolist()])
        self.sizes = np.array([len(piece_bytes(piece)) for piece in pieces])  # in bytes

    def encode(self, chunks: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """The ids of distinct chunks, one after another, and how many each has.

        Several are encoded as one text, which is ten times as fast as one by one.
        There is a border between two chunks where white space follows another
        character; other chunks get a line end before them, which is no part of any.
        """
        kinds = [_kind(chunk) for chunk in chunks]
        order = sorted(range(len(chunks)), key=kinds.__getitem__)
        sizes = np.array([len(_utf8(chunks[i])) for i in order])
        flat = np.concatenate([*map(self._ids, _joined([(chunks[i], kinds[i]) for i in order]))])
        flat = flat[flat != ord("\n")]
        last = np.searchsorted(np.cumsum(self.sizes[flat]), np.cumsum(sizes))  # the last id of each chunk
        lengths = np.diff(last, prepend=-1)
        return _in_order(flat, lengths, order)

    def _ids(self, text):
        return np.array(self.tokenizer.encode(text, add_special_tokens=False).ids, np.int32)


class PieceEncoder:
    """Encodes chunks of sentencepiece, whose pieces are strings of characters.

    Parameters
    ----------
    tokens : 256 names of bytes, then the pieces.
    merges : (n, 2), the numbers that each merge joins.
    """

    def __init__(self, tokens: Sequence[str], merges: np.ndarray) -> None:
        library = _library()
        self.tokenizer = library.Tokenizer(library.models.BPE(
            vocab={token: number for number, token in enumerate(tokens)}, byte_fallback=True,
            merges=[(tokens[first], tokens[second]) for first, second in merges.tolist()]))
        self.sizes = np.array([1 if number < BYTES else len(token.encode()) for number, token in enumerate(tokens)])

    def encode(self, chunks: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """As that of ``Encoder``; no piece has a line end, which can stand between."""
        sizes = np.array([len(_utf8(chunk)) for chunk in chunks])
        found = (self.tokenizer.encode(text, add_special_tokens=False).ids
                 for text in _joined([(chunk, PLAIN) for chunk in chunks]))
        flat = np.concatenate([np.array(ids, np.int32) for ids in found])
        flat = flat[flat != ord("\n")]
        last = np.searchsorted(np.cumsum(self.sizes[flat]), np.cumsum(sizes))
        return flat, np.diff(last, prepend=-1)


SPACED, PLAIN, SINGLE = range(3)  # white space before other characters; these alone; anything else


def _kind(chunk):
    if chunk[-1].isspace() or SEPARATORS.search(chunk):
        return SINGLE
    return SPACED if chunk[0].isspace() else PLAIN


def _joined(chunks):
    """Yield texts in which chunks of the same kind are joined."""
    held, size, before = [], 0, None
    for chunk, kind in chunks:
        if held and (size > SLICE or kind != before or kind == SINGLE):
            yield "".join(held)
            held, size = [], 0
        held.append(f"{chunk}\n" if kind == PLAIN else chunk)
        size, before = size + len(chunk), kind
    if held:
        yield "".join(held)


def _utf8(chunk):
    try:
        return chunk.encode()
    except UnicodeEncodeError as error:
        raise ArgumentError(f"text must be text that UTF-8 can encode, its character {error.start + 1} of a word is "
                            f"{chunk[error.start]!a}") from None


def _in_order(flat, lengths, order):
    """Ids and lengths, given in the order of ``order``, in that of 0, 1, 2, ..."""
    starts, back = np.cumsum(lengths) - lengths, np.argsort(order)
    return taken(flat, starts[back], lengths[back]), lengths[back]
