"""What our own export says of a model besides its arrays, read without trust."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import shown
from rnnlm.exchange.content import content_of, text_of
from rnnlm.exchange.torch.writing import COUNTS, KEY, VERSION
from rnnlm.files.strict_json import loads
from rnnlm.text.choose_tokenizer import LEARNED, tokenizer_from
from rnnlm.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from typing import Any

MOST_BYTES = 1 << 28  # of a list of words or counts


def about_model(metadata: dict[str, str]) -> dict[str, Any] | None:
    """What the metadata of a file of arrays say of the model; None if another made it.

    ValueError if no export of a version that is known wrote them.
    """
    if KEY not in metadata:
        return None
    about = loads(metadata[KEY], f"{KEY} in its metadata", unique_keys=True)
    if not isinstance(about, dict) or about.get("version") != VERSION:
        raise ValueError(f"{KEY} in its metadata must be an object of version {VERSION}, got {shown(about, 80)}")
    if "architecture" not in about or about.get("level") in (None, *LEARNED):
        raise ValueError(f"{KEY} in its metadata must have an architecture and a level, word or char, got "
                         f"{shown(about, 80)}")
    return about


def read_own_words(path: str | os.PathLike[str], size: int, about: dict[str, Any]) -> Vocabulary:
    """The Vocabulary in a folder of our own export.

    Parameters
    ----------
    path : of its vocabulary.txt; counts.txt may be beside.
    size : how many words the model has.
    about : what the metadata say: see ``about_model``.

    Raises
    ------
    DamagedError : the words are not those of such a model.
    RnnlmError : a file cannot be read.
    """
    with content_of(path, "the vocabulary of the model"):
        words = _lines(path, size)
        tokenizer = tokenizer_from(about)
    counts = Path(path).with_name(COUNTS)
    if not counts.exists():
        return _in_file(path, words, tokenizer, None)
    with content_of(counts, "the counts of the words"):
        numbers = _lines(counts, size)
        if not all(number.isascii() and number.isdigit() and len(number) < 19 for number in numbers):
            raise ValueError("each line must be a whole number of at least 0")
        return _in_file(path, words, tokenizer, np.array(numbers, np.int64))


def _in_file(path, words, tokenizer, counts):
    with content_of(path, "the vocabulary of the model"):
        try:
            return Vocabulary(words, tokenizer, counts)
        except Exception as error:
            raise ValueError(str(error)) from None


def _lines(path, size):
    """The lines of a file; ValueError unless there are ``size``."""
    text = text_of(path, MOST_BYTES)
    count = text.count("\n")
    if count != size or not text.endswith("\n"):  # before a list of them is made
        raise ValueError(f"it must have {size:,} lines, one for each of the model's ids, it has {count:,}")
    return text.split("\n")[:-1]
