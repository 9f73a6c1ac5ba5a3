"""Which tokenizer a file describes, and which one options ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnlm.errors import ArgumentError, shown
from rnnlm.text.split_words import RULES, SplitWords
from rnnlm.text.tokenizer import WORDS, Tokenizer, Words, as_tokenizer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

KEY = "tokenizer"  # of the header, in files whose tokenizer is not what its level alone says


def words_tokenizer(lowercase: bool = False, split_punctuation: bool = False) -> Tokenizer:
    """The tokenizer of words that does this."""
    if split_punctuation:
        return SplitWords(lowercase)
    return Words(lowercase) if lowercase else WORDS


def tokenizer_from(header: Mapping[str, Any]) -> Tokenizer:
    """The tokenizer that a file's header describes: see ``Tokenizer.description``.

    ArgumentError if there is none.
    """
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
