"""The bytes of a text in order: of a file, compressed or not, a pipe or standard input.

The first bytes of a file, not its name, tell what it is.  gzip, bzip2, xz and zstd are
decompressed piece by piece, so memory does not grow with what comes out.  How much may
come out is bounded by the size of what went in, so that a small file fills no disk.
"""

import os
import stat
import sys
from contextlib import contextmanager, nullcontext
from importlib import import_module

from rnnlm.errors import RnnlmError
from rnnlm.files.whole import reason

STANDARD_INPUT = "-"  # the string; a Path of this name, as Path("./-") is, is a file's
CHUNK = 1 << 16
LARGEST_DICTIONARY = 100_000_000  # bytes of memory that an xz file may ask for; one made by xz -9 asks for 65 MB
ALWAYS_READ = 1 << 28  # bytes, 268 MB, that any compressed text may decompress to
MOST_EXPANDED = 100    # times its own size, where that is more; text is rarely compressed to a tenth
LARGEST_WINDOW = 27    # log2 of the bytes of memory that a zstd file may ask for: 134 MB, as much as its tool gives
ZSTD = "zstd"
READ = {b"\x1f\x8b": ("gzip", "gunzip"), b"BZh": ("bz2", "bunzip2"), b"\xfd7zXZ\0": ("lzma", "unxz"),  # module, remedy
        b"\x28\xb5\x2f\xfd": (ZSTD, "unzstd"), b"\x50\x2a\x4d\x18": (ZSTD, "unzstd")}  # the second of pzstd
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
            return _module_for(file.read(10))
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
        module = _module_for(start)
        yield Source(path, raw, module, module is None and status is not None and stat.S_ISREG(status.st_mode))


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


def _module_for(start):
    """The module's name that decompresses what starts so; None for plain bytes."""
    if start.startswith(b"BZh") and start[4:10] not in (b"1AY&SY", b"\x17rE8P\x90"):  # a text may start with BZh
        return None
    return next((module for magic, (module, _) in READ.items() if start.startswith(magic)), None)


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


class Source:
    """What ``opened`` yields: read(size) gives at most so many bytes, none at the end.

    bounded: whether no more bytes can come than the file's size.
    """

    def __init__(self, path, raw, module, bounded):
        self.path, self.module, self.bounded = path, module, bounded
        self._raw, self._read, self._length = raw, raw.read, 0
        if module is not None:
            self._read = self._decompressed(raw)

    def _decompressed(self, raw):
        """The read of a decompressor."""
        library = self._library()
        if self.module == ZSTD:
            limit = {library.DecompressionParameter.window_log_max: LARGEST_WINDOW}
            return _Streams(raw, lambda: library.ZstdDecompressor(options=limit)).read
        if self.module == "gzip":
            return library.GzipFile(fileobj=raw, mode="rb").read
        if self.module == "bz2":
            return _Streams(raw, library.BZ2Decompressor).read
        return _Streams(raw, lambda: library.LZMADecompressor(memlimit=LARGEST_DICTIONARY)).read

    def _library(self):
        """The module that decompresses; RnnlmError if it is not there."""
        try:
            return zstd() if self.module == ZSTD else import_module(self.module)
        except ImportError as error:
            lack = ("compressed by zstd, which needs the extra of that name: pip install 'numpy-rnnlm[zst]', or"
                    if self.module == ZSTD else f"compressed and this Python was built without {self.module}:")
            raise RnnlmError(f"{called(self.path)} is {lack} decompress it first with {self._command()}") from error

    def _command(self):
        return next(command for module, command in READ.values() if module == self.module)

    def read(self, size):
        """The next bytes.

        RnnlmError if the file is compressed and damaged, or comes out far too long.
        """
        if self.module is None:
            return self._read(size)
        block = self._of_decompressor(size)
        self._length += len(block)
        if self._length > max(ALWAYS_READ, MOST_EXPANDED * self._raw.size):
            raise RnnlmError(f"{called(self.path)} decompresses to more than {ALWAYS_READ // 10**6} MB and more than "
                             f"{MOST_EXPANDED} times its own size, which no text does: if it is one, decompress it "
                             f"first with {self._command()}")
        return block

    def _of_decompressor(self, size):
        try:
            return self._read(size)
        except OSError as error:
            if error.errno is not None:
                raise
            raise self._damaged(error) from error
        except MemoryError:
            raise
        except Exception as error:  # each library has its own
            raise self._damaged(error) from error

    def _damaged(self, error):
        if "limit" in str(error) or "too much memory" in str(error):
            most = 1 << LARGEST_WINDOW if self.module == ZSTD else LARGEST_DICTIONARY
            return RnnlmError(f"{called(self.path)} needs more than {most // 10**6} MB of memory "
                              f"to be decompressed: decompress it first with {self._command()}")
        words = "it ends too early" if isinstance(error, EOFError) else str(error)
        return RnnlmError(f"{called(self.path)} is damaged and cannot be decompressed ({words}): get a new copy")


def zstd():
    """The module for zstd: Python's own from 3.14 on, before that a package like it.

    ImportError if it is not there.  The package zstandard is not used: it bounds no
    piece that comes out, and takes a text that is cut off for a whole one.
    """
    try:
        return import_module("compression.zstd")
    except ImportError:
        return import_module("backports.zstd")


class _Streams:
    """Compressed streams, one after another, as one: tools write several to a file."""

    def __init__(self, raw, new):
        self.raw, self.new, self.decoder = raw, new, new()

    def read(self, size):
        block = b""
        while not block:
            data = b""
            if self.decoder.eof:
                data = self._next_stream()
                if not data:
                    return b""
                self.decoder = self.new()
            elif self.decoder.needs_input:
                data = self.raw.read(CHUNK)
                if not data:
                    raise EOFError
            block = self.decoder.decompress(data, size)
        return block

    def _next_stream(self):
        """The first bytes of the next stream, without zeros that pad the one before."""
        data = self.decoder.unused_data.lstrip(b"\0")
        while not data and (more := self.raw.read(CHUNK)):
            data = more.lstrip(b"\0")
        return data
