"""Tokenizers in files: from a header and arrays, which are read without trust."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.text.subwords import KIND, LEVEL, Subwords
from rnnlm.text.tokenizer import LEVELS, Tokenizer, as_tokenizer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

LEARNED = (LEVEL,)  # levels whose tokenizer is learned from a text, or read from a file
ALL_LEVELS = (*LEVELS, *LEARNED)


def stored_arrays(header: Mapping[str, Any], vocab_size: int) -> dict[str, np.ndarray]:
    """The arrays that a file with this header must hold, to be filled from it.

    There are at most twice as many merges as words, since nearly all of them make a
    piece of their own.  ValueError if the header describes no tokenizer.
    """
    if arguments.one_of("level", header["level"], ALL_LEVELS) != LEVEL:
        return {}
    about = header["tokenizer"]
    if not isinstance(about, dict) or about.keys() != {"kind", "merges"} or about["kind"] != KIND:
        raise arguments.wrong("tokenizer", f"an object with the kind {KIND!r} and the number of merges", about)
    return {"merges": np.empty((arguments.whole("merges", about["merges"], 0, 2 * vocab_size), 2), np.int32)}


def tokenizer_from(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Tokenizer:
    """The Tokenizer that a file describes.

    arrays: those of ``stored_arrays``, filled.  ValueError if there is none.
    """
    return Subwords(arrays["merges"]) if header["level"] == LEVEL else as_tokenizer(header["level"])
