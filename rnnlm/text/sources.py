"""The bytes of a text in order: of a file, compressed or not, a pipe or standard input.

The first bytes of a file, not its name, tell what it is.
"""

import os
import stat
import sys
from contextlib import contextmanager, nullcontext

from rnnlm.errors import RnnlmError
from rnnlm.files.whole import reason
from rnnlm.text.decompressing import Source, module_for

STANDARD_INPUT = "-"  # the string; a Path of this name, as Path("./-") is, is a file's
NOT_READ = {b"PK\x03\x04": ("a ZIP archive", "unzip"), b"7z\xbc\xaf\x27\x1c": ("a 7z archive", "7z x"),
            b"\x1f\x9d": ("compressed by compress", "uncompress")}


def called(path):
    """A text's name in messages."""
    return "standard input" if path == STANDARD_INPUT else path


def require_text_file(path):
    """The os.stat of a text, None for standard input.

    RnnlmError if it does not exist, or is neither a regular file nor a pipe.
    """
    if path == STANDARD_INPUT:
        return None
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        words = reason(error) if isinstance(error, OSError) else error
        raise RnnlmError(f"{path} could not be read: {words}") from error
    if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode) or stat.S_ISSOCK(status.st_mode):
        kind = "socket" if stat.S_ISSOCK(status.st_mode) else "device"
        raise RnnlmError(f"{path} must be a regular file or a pipe, it is a {kind}: for standard input give -")
    return status


def is_pipe(path):
    """Whether a text can be read only once: standard input, or a pipe by its name."""
    if path == STANDARD_INPUT:
        return True
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def require_one_standard_input(*paths, remedy="give - once, or a file"):
    """RnnlmError if several of these paths, or None, are standard input."""
    if paths.count(STANDARD_INPUT) > 1:
        raise RnnlmError(f"standard input (-) can be read only once: {remedy}")


def compression(path):
    """The name of the module that decompresses a regular file.

    None if the file is not compressed, or cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return module_for(file.read(10))
    except OSError:
        return None


@contextmanager
def opened(path, on_bytes=None, by_line=False, hasher=None):
    """A block with a Source of the bytes of a text.

    Parameters
    ----------
    path : of a file or pipe; ``-`` is standard input.
    on_bytes : function, called as on_bytes(n) for n bytes from the disk or the pipe.
    by_line : whether a read ends at a line end, and so waits for no further line.
    hasher : of hashlib, which is given the bytes from there; None: none.

    Raises
    ------
    RnnlmError : no file or pipe, damaged, compressed in a way that is not supported, or
        far longer than its compressed form.
    OSError : from the system, unchanged.
    """
    status = require_text_file(path)
    with standard_input() if status is None else open(path, "rb") as file:
        raw = _Raw(file, on_bytes, by_line, hasher)
        start = raw.fill(10)
        for magic, (what, command) in NOT_READ.items():
            if start.startswith(magic):
                raise RnnlmError(f"{called(path)} is {what}, which is not supported: decompress it first with "
                                 f"{command}")
        module = module_for(start)
        bounded = module is None and status is not None and stat.S_ISREG(status.st_mode)
        yield Source(path, called(path), raw, module, bounded)


def standard_input():
    """A block with standard input, which stays open."""
    stream = getattr(sys.stdin, "buffer", None)
    try:
        status = stream and os.fstat(stream.fileno())
    except (OSError, ValueError):  # no file of the system's, as in a notebook or a test
        return nullcontext(stream)
    if status is None or os.path.samestat(status, os.stat(os.devnull)):  # the commands put that in a closed one's place
        raise RnnlmError("standard input is closed: redirect a text to it, or name a file")
    if stat.S_ISCHR(status.st_mode) and not stream.isatty():
        raise RnnlmError("standard input must be a regular file, a pipe or a terminal, it is a device")
    return nullcontext(stream)


class _Raw:
    """A file whose first bytes can be looked at, and that is not read after its end.

    size: how many bytes were read so far.
    """

    def __init__(self, file, on_bytes, by_line=False, hasher=None):
        self.file, self.on_bytes, self.by_line, self.hasher = file, on_bytes, by_line, hasher
        self.held, self.ended, self.size = b"", False, 0

    def fill(self, size):
        """The first bytes, which ``read`` will give again."""
        self.held = self.read(size)
        return self.held

    def read(self, size):
        part, self.held = self.held[:size], self.held[size:]
        if len(part) < size and not self.ended and not (self.by_line and part.endswith(b"\n")):
            part += self._read_on(size - len(part))
        return part

    def _read_on(self, size):
        more = self.file.readline(size) if self.by_line else self.file.read(size)
        at_line_end = self.by_line and more.endswith(b"\n")
        self.ended = len(more) < size and not at_line_end  # a terminal would have to be ended twice
        self.size += len(more)
        if self.hasher:
            self.hasher.update(more)
        if self.on_bytes:
            self.on_bytes(len(more))
        return more
