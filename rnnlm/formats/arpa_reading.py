"""Reading an ARPA file again in less time: its arrays are kept in the cache.

A file in the cache belongs to one file of that size, times and inode.  It is checked
before it is used, and what is wrong with it only means that the ARPA file is read.
"""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import DamagedError, RnnlmError
from rnnlm.files.archive import open_archive, write_archive
from rnnlm.files.cache import cache_folder, sweep
from rnnlm.formats.arpa_parsing import parsed
from rnnlm.formats.stored_vocabulary import VOCABULARY, read_vocabulary, vocabulary_arrays
from rnnlm.ngrams.ngram_model import NgramModel
from rnnlm.ngrams.tables import Order, Tables, rising
from rnnlm.text.choose_tokenizer import stored_arrays
from rnnlm.text.id_files import used
from rnnlm.text.known_files import file_identity
from rnnlm.text.sources import is_pipe, require_text_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnlm.text.vocabulary import Vocabulary

FORMAT, VERSION = "rnnlm ARPA cache", 1
LONG = 1 << 22  # bytes: files of this size and longer ones are kept


def read_arpa(path: str | os.PathLike[str], on_bytes: Callable[[int], object] | None = None
              ) -> tuple[NgramModel, Vocabulary]:
    """The n-gram model of an ARPA file.

    Parameters
    ----------
    path : of a file, compressed or not, or of a pipe; ``-`` is standard input.
    on_bytes : function, called as on_bytes(n) for n bytes that were read from the file.

    Returns
    -------
    model : NgramModel, whose ``notes`` say what the file lacks.
    vocabulary : its Vocabulary: the words in the order of the file, <s> and </s> as
        <eos>.

    Raises
    ------
    DamagedError : it is no ARPA file that can be read; the message names the line.
    RnnlmError : the file cannot be read at all, or changed while it was read.
    """
    return _read(path, on_bytes)[:2]


def read_arpa_and_sha256(path: str | os.PathLike[str], on_bytes: Callable[[int], object] | None = None
                         ) -> tuple[NgramModel, Vocabulary, str]:
    """What ``read_arpa`` gives, and the SHA-256 (hex) of the file's bytes."""
    return _read(path, on_bytes)


def _read(path, on_bytes):
    """The model, the vocabulary and the SHA-256."""
    arguments.possible_path("path", path, "the path of an ARPA file")
    status = require_text_file(path)
    long = status is not None and stat.S_ISREG(status.st_mode) and status.st_size >= LONG
    found = _kept(path, status) if long else None
    if found is None:
        found = _parsed(path, on_bytes)
        _require_unchanged(path, status)
        if long:
            _keep(path, status, *found)
    tables, vocabulary, notes, sha256 = found
    return NgramModel(tables, vocabulary, notes), vocabulary, sha256


def _parsed(path, on_bytes):
    """What ``parsed`` gives, and the SHA-256 of what was read for it, to the end."""
    hasher = hashlib.sha256()
    try:
        return *parsed(path, on_bytes, hasher), hasher.hexdigest()
    except RnnlmError as error:
        if isinstance(error, DamagedError) or not is_pipe(path):
            raise
        raise RnnlmError(f"{error}; only an ARPA file can come from a pipe: give a network by the name of its file"
                         ) from error


def _require_unchanged(path, status):
    """RnnlmError if a regular file is not as it was before it was read."""
    with suppress(OSError):  # it was removed, after it had been read to its end
        if status is not None and stat.S_ISREG(status.st_mode) and (
                file_identity(path, os.stat(path)) != file_identity(path, status)):
            raise RnnlmError(f"{path} changed while it was read: start again when it is complete")


def _file(path, status):
    """Where the arrays of a file are kept."""
    name = hashlib.sha256(os.fsencode(file_identity(path, status)[0])).hexdigest()[:32]
    return cache_folder() / "arpa" / f"{name}.npz"


def _keep(path, status, tables, vocabulary, notes, sha256):
    """Keep what was read, if the cache can be written."""
    arrays = {f"{name}{k}": getattr(order, name) for k, order in enumerate(tables.orders, 1)
              for name in _names(k, len(tables.orders))}
    header = {"format": FORMAT, "version": VERSION, **vocabulary.tokenizer.description(), "notes": notes,
              "sizes": [order.keys.size for order in tables.orders], "sha256": sha256,
              "file": file_identity(path, status)}
    with suppress(RnnlmError, OSError):
        kept = _file(path, status)
        kept.parent.mkdir(parents=True, exist_ok=True)
        sweep(kept.parent)
        write_archive(kept, header, arrays | vocabulary_arrays(vocabulary))


def _names(k, orders):
    """The arrays of order k: the keys of unigrams are known."""
    return [*["keys"] * (k > 1), "log_probs", *["back_offs"] * (k < orders)]


def _kept(path, status):
    """What ``_read`` needs, from the cache; None if it is not there."""
    try:
        kept = _file(path, status)
        with open_archive(kept, "a whole file of the cache") as archive:
            archive.require_kind(FORMAT, VERSION)
            if archive.header["file"] != file_identity(path, status):
                return None
            found = _from(archive)
    except RnnlmError:
        return None
    used(kept)
    return found


def _from(archive):
    header = archive.header
    sizes = [arguments.whole("sizes", size, 0) for size in header["sizes"]]
    shapes = {f"{name}{k}": (size,) for k, size in enumerate(sizes, 1) for name in _names(k, len(sizes))}
    archive.require_names([VOCABULARY, *stored_arrays(header, sizes[0]), *shapes])
    for name, shape in shapes.items():
        archive.require({name: shape}, _type(name))
    vocabulary = read_vocabulary(archive, header, sizes[0], with_counts=False)
    orders = []
    for k, size in enumerate(sizes, 1):
        arrays = {"keys": np.arange(size), "back_offs": None}
        for name in _names(k, len(sizes)):
            arrays[name] = np.empty(size, _type(name))
            archive.read_finite(f"{name}{k}", arrays[name])
        orders.append(Order(**arrays))
        _require_keys(orders, sizes[0])
    return Tables(orders), vocabulary, [str(note) for note in header["notes"]], str(header["sha256"])


def _type(name):
    return np.int64 if name.startswith("keys") else np.float32


def _require_keys(orders, V):
    """ValueError unless the keys of the last order can be right."""
    keys = orders[-1].keys
    most = V * (orders[-2].keys.size if len(orders) > 1 else 1)
    if keys.size and not (keys[0] >= 0 and keys[-1] < most and rising(keys)):
        raise ValueError("its keys are not those of an n-gram model")
