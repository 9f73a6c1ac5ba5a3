"""A text as numbers: each distinct token has one, in order of first appearance.

A short text is read into memory.  A long one is read once, block by block, into a file of numbers in the
cache, and later runs take that file: it is found by the text's SHA-256, which is remembered together with the
text file's size, times and inode, so that the text need not be read again while these stay.
"""

import hashlib
import json
import os
import stat
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.files import cache_folder, new_file, reason, write_text
from rnnlm.text import LINE_END, encode_blocks

LONG = 1 << 26     # bytes: longer texts go through the cache
BLOCK = 1 << 20    # numbers that are in memory at a time
ENDING = ".ids1"   # of the files of numbers; to be counted up when tokens change
HALF_WRITTEN, UNUSED = 3600, 30 * 24 * 3600  # seconds after which files of the cache are removed


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
                yield self._from_file(start, stop)
            else:
                yield self.source[start:stop]

    def _from_file(self, start, stop):
        try:
            return np.fromfile(self.source, np.int32, stop - start, offset=4 * start)
        except OSError as error:  # somebody cleared the cache
            raise RnnlmError(f"{self.source} could not be read: {reason(error)}; start again") from error

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
        counts = np.zeros(len(self.words), dtype=np.int64)
        for block in self.blocks():
            found = np.bincount(block, minlength=counts.size)
            if found.size > counts.size:
                raise RnnlmError(f"{self.source} does not fit its list of words: remove it and start again")
            counts += found
        return counts

    def look_up(self, table, keep=None):
        """table[number] for every token, as one array: of a long text a file in the cache that is mapped into memory.

        keep: for each number whether its tokens stay; the others are left out.
        """

        def chosen(block):
            return table[block] if keep is None else table[block[keep[block]]]

        if not isinstance(self.source, Path):
            return np.concatenate([np.empty(0, table.dtype), *map(chosen, self.blocks())])
        which = f"{table.dtype} {self.start} {self.stop}".encode()
        parts = [which, table.tobytes(), b"" if keep is None else keep.tobytes()]
        name = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:32]
        path = self.source.with_name(f"{self.source.stem}-{name}{ENDING}")
        count = self.size if keep is None else int(self.counts()[keep].sum())
        if not _has_size(path, count * table.itemsize):
            _write(path, map(chosen, self.blocks()))
        return _mapped(path, table.dtype)


def read_tokens(path, level, on_long=None, sha256=None):
    """The Tokens of a text file.

    on_long(name, size): called before a long text is read, returns a progress callback.  sha256: what the content
    must have.  RnnlmError: the file cannot be read, is no text, or has another content.
    """
    try:
        status = os.stat(path)
    except OSError as error:
        raise RnnlmError(f"{path} could not be read: {reason(error)}") from error
    if status.st_size > LONG:
        tokens, digest = _stored_tokens(Path(path), level, status, on_long)
    else:
        index, hasher = _new_index(), hashlib.sha256()
        on_block = hasher.update if sha256 else None
        ids = np.concatenate([np.empty(0, np.int32), *encode_blocks(path, index, level, on_block)])
        tokens, digest = Tokens(list(index), ids, 0, ids.size), hasher.hexdigest()
        _require_unchanged(path, status)
    if sha256 and digest != sha256:
        raise RnnlmError(f"{path} is damaged: its SHA-256 must be {sha256}, it is {digest}")
    return tokens


def _new_index():
    index = defaultdict()
    index.default_factory = index.__len__  # a new token gets the next number
    return index


def _stored_tokens(path, level, status, on_long):
    """The Tokens of a long text, from the cache or by way of it, and the SHA-256 of its bytes."""
    folder = cache_folder() / "encoded"
    where = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:32]
    record, file = folder / f"{where}.json", [str(path.resolve()), *_identity(status)]
    known = _read_json(record)
    if isinstance(known, dict) and _is_same(path, file, known):
        tokens = _cached(folder, known.get("sha256"), level)
        if tokens is not None:
            _used(record)
            return tokens, known["sha256"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        tokens, sha256 = _encode(path, level, folder, on_long and on_long(path.name, status.st_size))
    except OSError as error:
        raise RnnlmError(f"the cache {folder} could not be written: {reason(error)}; "
                         "set RNNLM_CACHE to a folder with room") from error
    _require_unchanged(path, status)
    write_text(record, json.dumps({"file": file, "sha256": sha256}))
    return tokens, sha256


def _is_same(path, file, known):
    """Whether the record ``known`` is of this file as it is now.

    Where only the inode was touched, as by chmod or a link, the content is compared: faster than to encode it.
    """
    recorded = known.get("file")
    if recorded == file:
        return True
    if not isinstance(recorded, list) or [*recorded[:3], *recorded[4:]] != [*file[:3], *file[4:]]:
        return False
    try:
        with open(path, "rb") as text:
            return hashlib.file_digest(text, "sha256").hexdigest() == known.get("sha256")
    except OSError:  # encoding says why
        return False


def _require_unchanged(path, status):
    """RnnlmError if a regular file is not as it was before it was read."""
    try:
        now = os.stat(path)
    except OSError:  # it was removed, after it had been read to its end
        return
    if stat.S_ISREG(now.st_mode) and _identity(now) != _identity(status):
        raise RnnlmError(f"{path} changed while it was read: start again when it is complete")


def _identity(status):
    """What changes when a file's content does: a tool may keep its time of change, but not that of its inode."""
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _encode(path, level, folder, on_bytes):
    """Read a text into the cache; returns its Tokens and the SHA-256 of its bytes."""
    index, hasher, count = _new_index(), hashlib.sha256(), 0

    def on_block(block):
        hasher.update(block)
        if on_bytes:
            on_bytes(len(block))

    with new_file(folder, "text") as (file, settle):
        for ids in encode_blocks(path, index, level, on_block):
            file.write(ids)
            count += ids.size
        sha256 = hasher.hexdigest()
        path = folder / f"{sha256}-{level}{ENDING}"
        settle(path)
    write_text(path.with_name(path.name + ".json"), json.dumps({"tokens": count, "words": list(index)}))
    return Tokens(list(index), path, 0, count), sha256


def _cached(folder, sha256, level):
    """The Tokens with this content if the cache holds them whole, else None."""
    path = folder / f"{sha256}-{level}{ENDING}"
    about = _read_json(path.with_name(path.name + ".json"))
    if not isinstance(about, dict):
        return None
    count, words = about.get("tokens"), about.get("words")
    if type(count) is not int or not isinstance(words, list) or LINE_END not in words or not _has_size(path, 4 * count):
        return None
    _used(path, path.with_name(path.name + ".json"))
    return Tokens(words, path, 0, count)


def _has_size(path, size):
    """Whether there is a file with so many bytes."""
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def _write(path, arrays):
    """Write arrays into a file of the cache, whole or not at all."""
    try:
        with new_file(path.parent, "ids") as (file, settle):
            for array in arrays:
                file.write(array)
            settle(path)
    except OSError as error:
        raise RnnlmError(f"{path} could not be written: {reason(error)}; "
                         "set RNNLM_CACHE to a folder with room") from error


def _mapped(path, dtype):
    """The numbers in a file as a read-only array that is read from it when it is used."""
    _used(path)
    try:
        return np.asarray(np.memmap(path, dtype, mode="r")) if path.stat().st_size else np.empty(0, dtype)
    except OSError as error:
        raise RnnlmError(f"{path} could not be read: {reason(error)}; start again") from error


def _used(*paths):
    """Note that files of the cache are of use, so that they are not swept."""
    for path in paths:
        with suppress(OSError):  # a cache that may only be read
            os.utime(path)


def _sweep(folder):
    """Remove what a killed run left half-written, and what nobody has used for a month."""
    for path in folder.iterdir():
        with suppress(OSError):
            age = time.time() - path.stat().st_mtime
            if age > (HALF_WRITTEN if path.suffix == ".tmp" else UNUSED):
                path.unlink()


def _read_json(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
