"""A text as numbers: each distinct token has one, in order of first appearance.

A short text is read into memory.  A long one is read once, block by block, into a file of numbers in the
cache, and later runs take that file: it is found by the text's content, and by the text file's name, size and
time of change, so that an unchanged file need not even be read.
"""

import hashlib
import json
import os
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.files import cache_folder, reason, whole_file, write_text
from rnnlm.text import LINE_END, encode_blocks

LONG = 1 << 26     # bytes: longer texts go through the cache
BLOCK = 1 << 20    # numbers that are in memory at a time


@dataclass
class Tokens:
    """The numbers start ... stop - 1 of a text; words: its distinct tokens by number.

    source: the numbers (int32), an array, or the path of a file of them.
    """

    words: list
    source: object
    start: int
    stop: int

    @property
    def size(self):
        """How many tokens."""
        return self.stop - self.start

    def part(self, start, stop):
        """Some of them, counted from the first of these."""
        return Tokens(self.words, self.source, self.start + start, self.start + min(stop, self.size))

    def blocks(self):
        """Yield the numbers, block by block."""
        for start in range(self.start, self.stop, BLOCK):
            stop = min(start + BLOCK, self.stop)
            if isinstance(self.source, Path):
                yield np.fromfile(self.source, np.int32, stop - start, offset=4 * start)
            else:
                yield self.source[start:stop]

    def next_line(self, place):
        """Where the first line begins that does not begin before ``place``; the end if there is none."""
        line_end = self.words.index(LINE_END)
        start = place - 1
        for block in self.part(start, self.size).blocks():
            (ends,) = np.nonzero(block == line_end)
            if ends.size:
                return start + int(ends[0]) + 1
            start += block.size
        return self.size

    def counts(self):
        """How often each word occurs (len(words),)."""
        return sum((np.bincount(block, minlength=len(self.words)) for block in self.blocks()),
                   np.zeros(len(self.words), dtype=np.int64))

    def collect(self, function, dtype):
        """What ``function`` makes of each block, as one array: of a long text a file that is mapped into memory."""
        arrays = map(function, self.blocks())
        if not isinstance(self.source, Path):
            return np.concatenate([np.empty(0, dtype), *arrays])
        with tempfile.TemporaryFile(dir=self.source.parent) as file:  # without a name: gone with the last use
            for array in arrays:
                file.write(array)
            file.flush()
            return np.asarray(np.memmap(file, dtype, mode="r")) if file.tell() else np.empty(0, dtype)


def read_tokens(path, level, on_long=None):
    """The Tokens of a text file.  on_long(name, size): called before a long text is read, returns a progress callback.

    RnnlmError: the file cannot be read or is no text.
    """
    try:
        status = os.stat(path)
    except OSError as error:
        raise RnnlmError(f"{path} could not be read: {reason(error)}") from error
    if status.st_size > LONG:
        return _stored_tokens(Path(path), level, status, on_long)
    index = _new_index()
    ids = np.concatenate([np.empty(0, np.int32), *encode_blocks(path, index, level)])
    return Tokens(list(index), ids, 0, ids.size)


def _new_index():
    index = defaultdict()
    index.default_factory = index.__len__  # a new token gets the next number
    return index


def _stored_tokens(path, level, status, on_long):
    """The Tokens of a long text, from the cache or by way of it."""
    folder = cache_folder() / "encoded"
    known = folder / f"{hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:32]}.json"
    seen = [str(path.resolve()), status.st_size, status.st_mtime_ns, status.st_ino]
    record = _read_json(known)
    if isinstance(record, dict) and record.get("file") == seen:
        tokens = _cached(folder, record.get("sha256"), level)
        if tokens is not None:
            return tokens
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RnnlmError(f"the cache {folder} could not be made: {reason(error)}; "
                         "set RNNLM_CACHE to a folder with room") from error
    sha256 = _encode(path, level, folder, known.stem, on_long and on_long(path.name, status.st_size))
    after = os.stat(path)
    if (after.st_size, after.st_mtime_ns) == (status.st_size, status.st_mtime_ns):
        write_text(known, json.dumps({"file": seen, "sha256": sha256}))
    return _cached(folder, sha256, level)


def _encode(path, level, folder, name, on_bytes):
    """Read a text into the cache, first under a name of its own; returns the SHA-256 of its bytes."""
    _sweep(folder)
    index, digest, count = _new_index(), hashlib.sha256(), 0

    def on_block(block):
        digest.update(block)
        if on_bytes:
            on_bytes(len(block))

    with whole_file(folder / f"{name}.ids") as file:
        for ids in encode_blocks(path, index, level, on_block):
            file.write(ids)
            count += ids.size
    sha256 = digest.hexdigest()
    os.replace(folder / f"{name}.ids", folder / f"{sha256}-{level}.ids")
    write_text(folder / f"{sha256}-{level}.json", json.dumps({"tokens": count, "words": list(index)}))
    return sha256


def _sweep(folder):
    """Remove what a killed run left half-written."""
    for path in folder.glob(".*.tmp"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > 3600:
                path.unlink()


def _cached(folder, sha256, level):
    """The Tokens with this content if the cache holds them whole, else None."""
    ids = folder / f"{sha256}-{level}.ids"
    about = _read_json(folder / f"{sha256}-{level}.json")
    try:
        if about["tokens"] * 4 == ids.stat().st_size:
            return Tokens(about["words"], ids, 0, about["tokens"])
    except (OSError, KeyError, TypeError):
        pass
    return None


def _read_json(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
