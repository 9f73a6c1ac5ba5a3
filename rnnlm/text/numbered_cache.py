"""Reading a text as numbers: a short one into memory, a long one through the cache.

A long text is read once, block by block, into a file of numbers in the cache.  Later
runs take that file, which they find by the SHA-256 of the text.  This is remembered,
see ``rnnlm.text.known_files``.
"""

import hashlib
import json
import stat
from collections import defaultdict
from contextlib import suppress
from itertools import chain
from pathlib import Path

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.files.cache import read_json, sweep
from rnnlm.files.whole import new_file, reason, write_text
from rnnlm.text.id_files import ENDING, has_size, used
from rnnlm.text.known_files import TextFile, encoded_folder
from rnnlm.text.lines import ByteCount, encode_blocks
from rnnlm.text.numbered import Tokens
from rnnlm.text.sources import require_text_file
from rnnlm.text.tokenizer import LINE_END

LONG = 1 << 26     # bytes: longer texts go through the cache, earlier with a slow tokenizer


def read_tokens(path, tokenizer, on_long=None, sha256=None):
    """The Tokens of a text.

    Parameters
    ----------
    path : of a file, compressed or not, or of a pipe; ``-`` is standard input.
    tokenizer : Tokenizer.
    on_long : function, called as on_long(name, size) when a file turns out to be a long
        text; returns a callback for its bytes.
    sha256 : str (hex), the digest that the file must have; None: any.

    Raises
    ------
    RnnlmError : the file cannot be read, is not text, or has another content.
    """
    status = require_text_file(path)
    file = TextFile(path, status) if status is not None and stat.S_ISREG(status.st_mode) else None
    tokens = _known_tokens(file, tokenizer) if file and (file.compressed or status.st_size > _long(tokenizer)) else None
    if tokens is not None:
        digest = file.digest
    else:
        tokens, digest = _Reading(path, tokenizer, file, on_long).tokens()
    if sha256:
        digest = _file_digest(path) if file and file.compressed else digest
        if digest != sha256:
            raise RnnlmError(f"{path} is damaged: its SHA-256 must be {sha256}, it is {digest}")
    return tokens


def _long(tokenizer):
    """The bytes from which on a text of this tokenizer goes through the cache."""
    return LONG // tokenizer.slowness


def _file_digest(path):
    """The SHA-256 of a file as it is on disk; None if it cannot be read."""
    with suppress(OSError), open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _known_tokens(file, tokenizer):
    """The Tokens of a file from the cache; None if it is not there, or has changed."""
    tokens = _cached(encoded_folder(), file.digest, tokenizer) if file.is_known() else None
    if tokens is not None:
        used(file.record)
    return tokens


class _Reading:
    """One reading of a text: into memory, and into the cache when it becomes long."""

    def __init__(self, path, tokenizer, file, on_long):
        self.path, self.tokenizer, self.file, self.on_long = path, tokenizer, file, on_long
        self.index, self.hasher = defaultdict(), hashlib.sha256()
        self.index.default_factory = self.index.__len__  # a new token gets the next number
        self.size = file.status.st_size if file and not file.compressed else 0  # of the text, as far as it is known
        self.length, self.read, self.bar = 0, 0, None  # bytes so far: of the text, of the file; what shows the latter
        self.count = ByteCount()

    def tokens(self):
        """The Tokens of the text and its SHA-256."""
        blocks, held = encode_blocks(self.path, self.index, self.tokenizer, self._on_block, self._on_bytes), []
        while self.size <= _long(self.tokenizer) and (ids := next(blocks, None)) is not None:
            held.append(ids)
        if self.size > _long(self.tokenizer):
            return self._by_way_of_the_cache(chain(_emptied(held), blocks))
        if self.file:
            self.file.require_unchanged()
        ids = np.concatenate([np.empty(0, np.int32), *held])
        return Tokens(list(self.index), ids, 0, ids.size, self.count.bytes, self.count.crlf), self.hasher.hexdigest()

    def _on_block(self, block):
        self.hasher.update(block)
        self.count.add(block)
        self.length += len(block)
        self.size = max(self.size, self.length)

    def _on_bytes(self, count):
        self.read += count
        if self.bar:
            self.bar(count)

    def _by_way_of_the_cache(self, blocks):
        folder = encoded_folder()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            sweep(folder)
            if self.on_long and self.file:
                self.bar = self.on_long(self.file.path.name, self.file.status.st_size)
                self.bar(self.read)
            tokens, sha256 = self._stored(folder, blocks)
        except OSError as error:
            raise RnnlmError(f"the cache {folder} could not be written: {reason(error)}; "
                             "set RNNLM_CACHE to a folder with free space") from error
        if self.file:
            self.file.require_unchanged()
            self.file.remember(sha256)
        return tokens, sha256

    def _stored(self, folder, blocks):
        """Write the numbers into the cache; returns Tokens and the text's SHA-256."""
        count = 0
        with new_file(folder, "text") as (file, settle):
            for ids in blocks:
                file.write(ids)
                count += ids.size
            sha256 = self.hasher.hexdigest()
            path = folder / f"{sha256}-{self.tokenizer.fingerprint()}{ENDING}"
            settle(path)
        words, size, crlf = list(self.index), self.count.bytes, self.count.crlf
        about = {"tokens": count, "bytes": size, "crlf": crlf, "words": words}
        write_text(path.with_name(path.name + ".json"), json.dumps(about))
        return Tokens(words, path, 0, count, size, crlf), sha256


def kept_with(tokens, name, make):
    """make(), a value for JSON that depends on the text of some Tokens alone.

    For a long text it is made once and kept in the cache under this name.
    """
    if not isinstance(tokens.source, Path):
        return make()
    path = tokens.source.with_name(f"{tokens.source.name}.{name}.json")
    value = read_json(path)
    if value is None:
        value = make()
        with suppress(RnnlmError):  # a cache that may only be read
            write_text(path, json.dumps(value))
    used(path)
    return value


def _emptied(arrays):
    """Yield the arrays of a list, which lets go of them."""
    while arrays:
        yield arrays.pop(0)


def _cached(folder, sha256, tokenizer):
    """The Tokens with this content if the cache holds them whole, else None."""
    path = folder / f"{sha256}-{tokenizer.fingerprint()}{ENDING}"
    about = read_json(path.with_name(path.name + ".json"))
    if not isinstance(about, dict):
        return None
    count, size, crlf, words = map(about.get, ("tokens", "bytes", "crlf", "words"))
    if not all(type(number) is int for number in (count, size, crlf)):  # earlier versions counted less
        return None
    if not isinstance(words, list) or LINE_END not in words or not has_size(path, 4 * count):
        return None
    used(path, path.with_name(path.name + ".json"))
    return Tokens(words, path, 0, count, size, crlf)
