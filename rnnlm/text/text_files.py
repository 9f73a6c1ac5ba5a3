"""The files of one text: several files, and folders of files, in order.

A folder means the files in it and in its folders whose names end as those of texts do,
sorted by name.  Hidden files and folders are left out, as are links to folders.
"""

import os
import stat
from pathlib import Path

import numpy as np

from rnnlm.errors import RnnlmError, counted, shown
from rnnlm.files.whole import reason
from rnnlm.text.corpora import KINDS, PACKED
from rnnlm.text.lines import MARK_BYTES, read_blocks, tokens_of
from rnnlm.text.sources import require_text_file
from rnnlm.text.tokenizer import LINE_END

MOST_NAMED = 3  # files that a note names


def text_files(paths):
    """The files that make one text, a list of paths, and a list of notes.

    paths: of files and folders, in order.  RnnlmError if there is none in a folder, or
    a file is there twice.
    """
    files, notes = [], []
    for path in map(Path, paths):
        if not path.is_dir():
            files.append(path)
            continue
        found, others = _inside(path)
        if not found:
            raise RnnlmError(f"{path} must hold one text named train.txt, NAME.train.txt or NAME.train.tokens, or "
                             f"texts to be split, whose names end in {_endings()}, found none")
        files += found
        notes += _left_out(path, others)
    _require_distinct(files)
    return files, notes


def _endings():
    return f".{', .'.join(KINDS[:-1])} or .{KINDS[-1]}"


def _left_out(folder, others):
    """Yield a note on the files of a folder that are no texts, if there are any."""
    if not others:
        return
    named = ", ".join(shown(name, 40) for name in others[:MOST_NAMED]) + ", ..." * (len(others) > MOST_NAMED)
    are = "is" if len(others) == 1 else "are"
    yield f"{counted(len(others), 'file')} of {folder} {are} left out: {named}"


def _inside(folder):
    """The texts in a folder, sorted, and the names of the other files.

    A packed text next to the text that it is named after is one of the others.
    """
    found, others = [], []

    def fail(error):
        raise RnnlmError(f"{error.filename} could not be read: {reason(error)}") from error

    for parent, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        names = [name for name in names if not name.startswith(".")]
        for name in names:
            plain = _unpacked(name)
            stem, _, ending = plain.rpartition(".")
            is_text = stem and ending in KINDS and (plain == name or plain not in names)
            (found if is_text else others).append(Path(parent, name))
    return sorted(found), [str(path.relative_to(folder)) for path in sorted(others)]


def _unpacked(name):
    """A file's name without the ending of a packed file."""
    stem, _, ending = name.rpartition(".")
    return stem if ending in PACKED else name


def _require_distinct(files):
    seen = {}
    for path in files:
        real = os.path.realpath(path)
        if real in seen:
            raise RnnlmError(f"each file of a corpus must be given once, but {path} is "
                             f"{'there twice' if seen[real] == path else f'{seen[real]}, too'}")
        seen[real] = path


def require_regular(path):
    """The os.stat of a text that can be read again; RnnlmError for a pipe."""
    status = require_text_file(path)
    if not stat.S_ISREG(status.st_mode):
        raise RnnlmError(f"{path} must be a regular file to be one of several, or to be split by these options, it is "
                         "a pipe: save the text in a file first")
    return status


def raw_blocks(path, tokenizer=None):
    """Yield the bytes of a text, decompressed and checked, in blocks.

    A block ends at a line end, or else at a blank.  The bytes are as in the file, but
    for a byte-order mark, which is dropped, and the line end that the last line lacks.
     tokenizer: one for which no token may be <eos>.
    """
    held, first, line = [], True, 1
    for text in read_blocks(path, on_block=held.append):
        if tokenizer and "<eos>" in text:
            tokens_of(text, tokenizer, path, line)
        block = held.pop() if held else LINE_END.encode()
        yield block.removeprefix(MARK_BYTES) if first else block
        first, line = False, line + text.count("\n")


class TextWriter:
    """Writes a text into an open file, so that it is read again as the same text.

    Attributes
    ----------
    size : bytes so far.
    blank : whether the last line so far is blank, or there is none.
    """

    def __init__(self, file):
        self.file, self.size, self.blank, self._in_line = file, 0, True, False

    def write(self, data):
        """Write some bytes of the text."""
        if not data:
            return
        if not self.size and data.startswith(MARK_BYTES):  # a character of the text: a reader drops the first one
            self.file.write(MARK_BYTES)
        self.file.write(data)
        self.size += len(data)
        start = data.rfind(b"\n", 0, -1) + 1
        blank = not data[start:].strip()
        self.blank = blank and (self.blank or start > 0 or not self._in_line)
        self._in_line = not data.endswith(b"\n")


def at_lines(blocks, lines):
    """Yield the blocks of a text, cut after so many line ends each: (part, bytes).

    lines : how many each part has, but for the last one, which gets the rest.
    """
    part, left = 0, [*lines]
    for block in blocks:
        while left and (count := block.count(b"\n")) >= left[0]:
            end = int(np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))[left[0] - 1]) + 1 if left[0] else 0
            yield part, block[:end]
            block, part = block[end:], part + 1
            left.pop(0)
        if left:
            left[0] -= count
        yield part, block
