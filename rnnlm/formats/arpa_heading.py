"""What our ARPA files say before \\data\\: how a text is split and words are written.

An ARPA file has words between blanks and tells nothing else of them.  So that a model
of characters or subwords, or of words in lower case, can be used alone, a line of the
heading holds the tokenizer:

    # rnnlm: {"level": "char", "escapes": true}

With ``escapes``, what would end a word or mean something else is written as \\x and two
hexadecimal digits: ASCII blanks and control characters, the backslash, and the first
character of a word that is <s>, </s> or <UNK>.  Other programs then must escape their
text in the same way.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import ArgumentError, shown
from rnnlm.files.strict_json import loads
from rnnlm.text.choose_tokenizer import stored_arrays, tokenizer_from
from rnnlm.text.tokenizer import WORDS, Tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rnnlm.text.vocabulary import Vocabulary

START, END, UNKNOWN_WORDS = "<s>", "</s>", ("<unk>", "<UNK>")
MARK = "# rnnlm: "
ARRAYS, ESCAPES = "arrays", "escapes"
_MEANT = (START, END, UNKNOWN_WORDS[1])  # words that mean something else in an ARPA file
_UNSAFE, _ESCAPED = re.compile(r"[\x00-\x20\x7f\\]"), re.compile(r"\\x([0-9a-f]{2})")


def written_words(vocabulary: Vocabulary) -> tuple[list[str], bool]:
    """The words as they are written, and whether any is escaped.

    ArgumentError for a word that no file can hold.
    """
    words = vocabulary.words
    if "" in vocabulary.ids:
        raise ArgumentError("words must not be empty in an ARPA file, one of the vocabulary is")
    escapes = any(map(re.compile(r"[\x00-\x20\x7f]").search, words)) or any(word in vocabulary.ids for word in _MEANT)
    words = [_escaped(word) for word in words] if escapes else words
    try:
        "\n".join(words).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ArgumentError(f"words must be text that UTF-8 can encode, got {shown(error.object[error.start])}"
                            ) from None
    return words, escapes


def _escaped(word):
    word = _UNSAFE.sub(lambda found: f"\\x{ord(found[0]):02x}", word)
    return f"\\x{ord(word[0]):02x}{word[1:]}" if word in _MEANT else word


def unescaped(words: Iterable[str]) -> list[str]:
    """The words that were escaped."""
    return [_ESCAPED.sub(lambda found: chr(int(found[1], 16)), word) if "\\" in word else word for word in words]


def tokenizer_lines(tokenizer: Tokenizer, escapes: bool) -> list[str]:
    """The line of the heading; none for plain words that are written as they are."""
    if tokenizer == WORDS and not escapes:
        return []
    about = dict(tokenizer.description())
    arrays = {name: base64.b64encode(array.astype(_little(array)).tobytes()).decode()
              for name, array in tokenizer.arrays().items()}
    about |= {ARRAYS: arrays} if arrays else {}
    about |= {ESCAPES: True} if escapes else {}
    return [MARK + json.dumps(about, allow_nan=False)]


def described(lines: Sequence[str]) -> dict:
    """What the heading says; {} where it says nothing.  ValueError if it is damaged."""
    found = [line for line in lines if line.startswith(MARK)]
    if not found:
        return {}
    about = loads(found[0][len(MARK) :], "the heading", unique_keys=True)
    if len(found) > 1 or not isinstance(about, dict) or not isinstance(about.get("level"), str):
        raise ValueError(f"it must describe one tokenizer after {MARK.strip()!r}")
    return about


def tokenizer_of(about: dict, vocab_size: int) -> Tokenizer:
    """The tokenizer that a heading describes.  ValueError if there is none."""
    if not about:
        return WORDS
    header = {key: value for key, value in about.items() if key not in (ARRAYS, ESCAPES)}
    arrays, given = stored_arrays(header, vocab_size), about.get(ARRAYS, {})
    if not isinstance(given, dict) or given.keys() != arrays.keys():
        raise ValueError(f"arrays must be those of its tokenizer, {list(arrays)}")
    return tokenizer_from(header, {name: _filled(name, array, given[name]) for name, array in arrays.items()})


def _filled(name, array, text):
    try:
        content = base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error):
        content = b""
    if len(content) != array.nbytes:
        raise ValueError(f"{name} must be {array.nbytes:,} bytes in base64")
    return np.frombuffer(content, _little(array)).reshape(array.shape).astype(array.dtype)


def _little(array):
    """The type of an array's numbers in a file."""
    return array.dtype.newbyteorder("<")
