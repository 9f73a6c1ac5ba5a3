"""Subwords in the files of other libraries: tokenizer.json with byte-level BPE.

The files are read without trust: their size is limited, and only settings that are
known to lose nothing are taken.  Whatever else splits a text otherwise is refused.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rnnlm.errors import DamagedError, RnnlmError, counted, shown
from rnnlm.files.strict_json import loads
from rnnlm.files.whole import reason
from rnnlm.text.subwords.byte_level import Subwords
from rnnlm.text.subwords.pieces import ALPHABET, MOST_MERGES, merges_of
from rnnlm.text.subwords.sentencepiece_files import sentencepieces

if TYPE_CHECKING:
    from typing import Any

LARGEST_FILE = 1 << 24  # bytes; those of this kind have some megabytes
# What must be so in the model, where it is there at all.
MODEL = {"dropout": (None, 0, 0.0), "continuing_subword_prefix": (None, ""), "end_of_word_suffix": (None, ""),
         "byte_fallback": (None, False), "ignore_merges": (None, False)}


def read_tokenizer(path: str | os.PathLike[str]) -> tuple[Subwords, list[str]]:
    """The Subwords of a file, and notes on what is otherwise here.

    Raises
    ------
    RnnlmError : the file cannot be read.
    DamagedError : it holds another kind of tokenizer, or none.
    """
    content = _content(path)
    if content.startswith(b"\n") and b"<unk>" in content[:64]:
        try:
            return sentencepieces(content)
        except ValueError as error:
            raise DamagedError(f"{path} must be a BPE model of sentencepiece: {shown(str(error))}") from None
    try:
        text = content.decode("utf-8-sig")  # editors on Windows write a byte-order mark
        if not text.lstrip().startswith("{"):
            raise ValueError("it is no JSON object")
        return _from_json(loads(text, "it", unique_keys=True))
    except (UnicodeDecodeError, ValueError) as error:
        detail = "it is no text" if isinstance(error, UnicodeDecodeError) else shown(str(error))
        raise DamagedError(f"{path} must be a tokenizer.json with byte-level BPE: {detail}") from None


def _content(path):
    try:
        if not os.path.isfile(path):
            raise RnnlmError(f"{path} must be a file with a tokenizer, and there is none")
        with open(path, "rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        detail = reason(error) if isinstance(error, OSError) else error
        raise RnnlmError(f"{path} could not be read: {detail}") from error
    if len(content) > LARGEST_FILE:
        raise DamagedError(f"{path} must be a tokenizer of at most {LARGEST_FILE:,} bytes, it has more")
    return content


def _from_json(value):
    """The Subwords of a tokenizer.json, and notes; ValueError for another kind."""
    model, before = _object(value, "model"), value.get("pre_tokenizer")
    _require(model.get("type", "BPE") == "BPE", "its model must be BPE", model.get("type"))
    _require(value.get("normalizer") is None, "its normalizer must be null, as it would change the text",
             value.get("normalizer"))
    _require(isinstance(before, dict) and before.get("type") == "ByteLevel" and before.get("use_regex", True) is True,
             "its pre_tokenizer must be ByteLevel with use_regex", before)
    for name, allowed in MODEL.items():
        _require(any(model.get(name) is value or model.get(name) == value for value in allowed),
                 f"{name} of its model must be {allowed[-1]!r}", model.get(name))
    pairs = [_pair(pair) for pair in _items(model, "merges")]
    subwords = Subwords(merges_of(pairs))
    return subwords, _notes(value, before, subwords, model)


def _notes(value, before, subwords, model):
    """What a text becomes otherwise than with the library; ValueError if bytes lack."""
    vocabulary = _object(model, "vocab")
    missing = [character for character in ALPHABET if character not in vocabulary]
    _require(not missing, f"its vocabulary must hold all 256 bytes, it lacks {len(missing)}", "".join(missing[:5]))
    lacking = next((piece for piece in subwords.tokens if piece not in vocabulary), None)
    _require(lacking is None, "its vocabulary must hold what its merges make", lacking)
    notes, others = [], sorted(vocabulary.keys() - set(subwords.tokens))
    added = value.get("added_tokens") or []
    _require(isinstance(added, list), "its added_tokens must be a list", added)
    names = [str(one.get("content")) for one in added if isinstance(one, dict)]
    others = list(dict.fromkeys([*names, *others]))
    if others:
        notes.append(f"left out of the tokenizer, and read as any text: {shown(' '.join(others[:5]))}"
                     f"{' ...' if len(others) > 5 else ''} ({counted(len(others), 'entry', 'entries')})")
    if before.get("add_prefix_space", True):
        notes.append("the tokenizer puts a blank before each text; here a line is read as it is")
    return notes


def _pair(pair):
    """The two parts of a merge, which are written as one string or as two."""
    parts = pair.split(" ") if isinstance(pair, str) else pair
    _require(isinstance(parts, list) and len(parts) == 2 and all(isinstance(part, str) and part for part in parts),
             "a merge must be two pieces", pair)
    return tuple(parts)


def _items(value: dict[str, Any], name: str) -> list[Any]:
    items = value.get(name)
    _require(isinstance(items, list) and len(items) <= MOST_MERGES, f"{name} must be a list of at most "
             f"{MOST_MERGES:,}", type(items).__name__)
    return items


def _object(value, name):
    found = value.get(name)
    _require(isinstance(found, dict), f"it must have an object {name}", found)
    return found


def _require(holds, rule, found):
    if not holds:
        raise ValueError(f"{rule}, found {shown(repr(found), 80)}")
