"""Texts that are made for a corpus and kept in the cache: joined, or split.

They are found again by the files that they were made from, as these were then: path,
size, times and inode.  What was read from standard input is kept, too, as long as its
user likes.
"""

import hashlib
import json
import os
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from rnnlm.errors import RnnlmError
from rnnlm.files.cache import HALF_WRITTEN, UNUSED, cache_folder, read_json
from rnnlm.files.whole import new_file, reason, remedy, write_text
from rnnlm.text.corpora import SPLITS
from rnnlm.text.decompressing import CHUNK
from rnnlm.text.documents import DOCUMENTS
from rnnlm.text.id_files import has_size, used
from rnnlm.text.known_files import file_identity
from rnnlm.text.sources import standard_input
from rnnlm.text.split import texts_of
from rnnlm.text.text_files import TextWriter, raw_blocks, require_regular

LINE_END = b"\n"
FORM = 1  # of what is made from the same files; to be counted up when it changes


def joined(files, tokenizer, apart):
    """The path of the text that several files make, one after another.

    Parameters
    ----------
    files : paths.
    tokenizer : that of the text, for what it may not hold.
    apart : whether a blank line comes between two files where there is none.
    """

    def write(outputs):
        (output,) = outputs
        for path in files:
            if apart and not output.blank:
                output.write(LINE_END)
            for block in raw_blocks(path, tokenizer):
                output.write(block)

    (path,) = _made(files, ["joined", apart], ["txt"], write)
    return path


def split_texts(files, tokenizer, split):
    """The paths of the three texts into which the text of some files is split.

    split: a Split.  The lines of each keep their order.  Between two documents that
    came from different places there is a blank line.
    """

    def write(outputs):
        for piece, number, begins in texts_of(lambda: (raw_blocks(path, tokenizer) for path in files), split):
            if begins and split.unit == DOCUMENTS and not outputs[number].blank:
                outputs[number].write(LINE_END)
            outputs[number].write(piece)
        for output, name in zip(outputs, SPLITS, strict=True):
            if not output.size:
                raise RnnlmError(f"the {name} text would be empty: give other --split-shares than {split.shares}, or "
                                 "--split random")

    how = [split.order, split.unit, split.shares, split.seed]
    return _made(files, how, [f"{name}.txt" for name in SPLITS], write)


def _made(files, how, names, write):
    """The paths of files in the cache with these names, found there or written.

    write(outputs): writes into TextWriters.
    """
    before = [file_identity(path, require_regular(path)) for path in files]
    folder = cache_folder() / "texts"
    key = hashlib.sha256(json.dumps([FORM, how, before]).encode()).hexdigest()[:32]
    record, paths = folder / f"{key}.json", [folder / f"{key}.{name}" for name in names]
    sizes = read_json(record)
    if isinstance(sizes, list) and len(sizes) == len(paths) and all(map(has_size, paths, sizes)):
        used(record)
        return paths
    try:
        _write(folder, paths, write)
        if before != [file_identity(path, require_regular(path)) for path in files]:
            raise RnnlmError("a file of the corpus changed while it was read: start again when it is complete")
        write_text(record, json.dumps([path.stat().st_size for path in paths]))
    except OSError as error:
        raise not_kept(folder, error) from error
    return paths


def _write(folder, paths, write):
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    with ExitStack() as stack:
        opened = [stack.enter_context(new_file(folder, "text")) for _ in paths]
        write([TextWriter(file) for file, _ in opened])
        for (_, settle), path in zip(opened, paths, strict=True):
            settle(path)


def not_kept(folder, error):
    """The RnnlmError for an OSError at a write into the cache."""
    return RnnlmError(f"the cache {folder} could not be written: {reason(error)}; {remedy(error)}, or set RNNLM_CACHE "
                      "to a folder with free space")


def _sweep(folder):
    """Remove what a killed run left half-written, and what was unused for a month.

    The record of a text is touched when the text is used.
    """
    for path in folder.iterdir():
        with suppress(OSError):
            record = path.with_name(f"{path.name.partition('.')[0]}.json")
            known = record.exists() and not path.name.startswith(".")
            age = time.time() - (record if known else path).stat().st_mtime
            if age > (UNUSED if known else HALF_WRITTEN):
                path.unlink()


def _read(source):
    """The next bytes of standard input."""
    try:
        return source.read(CHUNK)
    except OSError as error:
        raise RnnlmError(f"standard input could not be read: {reason(error)}") from error


def standard_input_kept():
    """Keep the bytes of standard input, which is read to its end, in a file.

    Returns the file's path, and whether it is new.  Its name says what it holds.
    """
    folder, hasher = cache_folder() / "standard-input", hashlib.sha256()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with standard_input() as source, new_file(folder, "input") as (file, settle):
            while block := _read(source):
                hasher.update(block)
                file.write(block)
            if not file.tell():
                raise RnnlmError("standard input must hold at least one line of text, but it is empty")
            path = folder / f"standard-input-{hasher.hexdigest()[:16]}.txt"
            is_new = not path.exists()
            settle(path)
    except OSError as error:
        raise not_kept(folder, error) from error
    return Path(os.path.abspath(path)), is_new
