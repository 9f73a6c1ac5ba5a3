"""Which tokenizer a file describes, and which one options ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError, shown
from rnnlm.text.split_words import RULES, SplitWords
from rnnlm.text.subwords.byte_level import KIND, Subwords
from rnnlm.text.subwords.byte_level import LEVEL as SUBWORD
from rnnlm.text.subwords.pieces import MOST_BYTES
from rnnlm.text.subwords.sentencepieces import KIND as SENTENCEPIECE
from rnnlm.text.subwords.sentencepieces import SentencePieces, pieces_in
from rnnlm.text.tokenizer import LEVELS, WORDS, Tokenizer, Words, as_tokenizer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

KEY = "tokenizer"  # of the header, in files whose tokenizer is not what its level alone says
LEARNED = (SUBWORD,)  # levels whose tokenizer is learned from a text, or read from a file
OF_TOKENIZERS = ("merges", "pieces")  # names of arrays that files hold of them
ALL_LEVELS = (*LEVELS, *LEARNED)


def words_tokenizer(lowercase: bool = False, split_punctuation: bool = False) -> Tokenizer:
    """The tokenizer of words that does this."""
    if split_punctuation:
        return SplitWords(lowercase)
    return Words(lowercase) if lowercase else WORDS


def chosen(tokenizer: Tokenizer) -> dict[str, Any]:
    """What makes this tokenizer: the level, and the arguments of words_tokenizer."""
    return {"level": tokenizer.level, "lowercase": tokenizer.lowercase,
            "split_punctuation": isinstance(tokenizer, SplitWords)}


def stored_arrays(header: Mapping[str, Any], vocab_size: int) -> dict[str, np.ndarray]:
    """The arrays that a file with this header must hold, to be filled from it.

    There are at most twice as many merges as words, since nearly all of them make a
    piece of their own.  ValueError if the header describes no tokenizer.
    """
    if arguments.one_of("level", header["level"], ALL_LEVELS) not in LEARNED:
        tokenizer_from(header)
        return {}
    about = header[KEY]
    if isinstance(about, dict) and about.keys() == {"kind", "bytes"} and about["kind"] == SENTENCEPIECE:
        return {"pieces": np.empty(arguments.whole("bytes", about["bytes"], 0, MOST_BYTES), np.uint8)}
    if not isinstance(about, dict) or about.keys() != {"kind", "merges"} or about["kind"] != KIND:
        raise arguments.wrong(KEY, f"an object with the kind {KIND!r} and the number of merges", about)
    return {"merges": np.empty((arguments.whole("merges", about["merges"], 0, 2 * vocab_size), 2), np.int32)}


def tokenizer_from(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None) -> Tokenizer:
    """The tokenizer that a file's header describes: see ``Tokenizer.description``.

    arrays: those of ``stored_arrays``, filled.  ValueError if there is none.
    """
    if header["level"] in LEARNED:
        return SentencePieces(pieces_in(arrays["pieces"])) if "pieces" in arrays else Subwords(arrays["merges"])
    tokenizer = as_tokenizer(header["level"])
    if KEY not in header:
        return tokenizer
    values = header[KEY]
    if tokenizer == WORDS and values == {"lowercase": True}:
        return Words(lowercase=True)
    for lowercase in (False, True):
        if tokenizer == WORDS and values == {"lowercase": lowercase, "punctuation": RULES}:
            return SplitWords(lowercase)
    raise ArgumentError(f"tokenizer must be one that this version of rnnlm knows, got {shown(values)}")
