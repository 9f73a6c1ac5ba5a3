"""Compressed texts: decompressed piece by piece, and never far more than there was.

Memory does not grow with what comes out.  How much may come out is bounded by the size
of what went in, so that a small file fills no disk.
"""

from importlib import import_module

from rnnlm.errors import RnnlmError

CHUNK = 1 << 16
LARGEST_DICTIONARY = 100_000_000  # bytes of memory that an xz file may ask for; one made by xz -9 asks for 65 MB
ALWAYS_READ = 1 << 28  # bytes, 268 MB, that any compressed text may decompress to
MOST_EXPANDED = 100    # times its own size, where that is more; text is rarely compressed to a tenth
LARGEST_WINDOW = 27    # log2 of the bytes of memory that a zstd file may ask for: 134 MB, as much as its tool gives
ZSTD = "zstd"
READ = {b"\x1f\x8b": ("gzip", "gunzip"), b"BZh": ("bz2", "bunzip2"), b"\xfd7zXZ\0": ("lzma", "unxz"),  # module, remedy
        b"\x28\xb5\x2f\xfd": (ZSTD, "unzstd"), b"\x50\x2a\x4d\x18": (ZSTD, "unzstd")}  # the second of pzstd


def module_for(start):
    """The module's name that decompresses what starts so; None for plain bytes."""
    if start.startswith(b"BZh") and start[4:10] not in (b"1AY&SY", b"\x17rE8P\x90"):  # a text may start with BZh
        return None
    return next((module for magic, (module, _) in READ.items() if start.startswith(magic)), None)


class Source:
    """What ``rnnlm.text.sources.opened`` yields.

    read(size) gives at most so many bytes, none at the end.

    Parameters
    ----------
    path, name : of the text, and what messages call it.
    raw : has read(size) for the bytes of the file, and size, how many were read.
    module : the name of the module that decompresses them; None: they are the text.
    bounded : whether no more bytes can come than the file's size.
    """

    def __init__(self, path, name, raw, module, bounded):
        self.path, self.name, self.module, self.bounded = path, name, module, bounded
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
            raise RnnlmError(f"{self.name} is {lack} decompress it first with {self._command()}") from error

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
            raise RnnlmError(f"{self.name} decompresses to more than {ALWAYS_READ // 10**6} MB and more than "
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
            return RnnlmError(f"{self.name} needs more than {most // 10**6} MB of memory "
                              f"to be decompressed: decompress it first with {self._command()}")
        words = "it ends too early" if isinstance(error, EOFError) else str(error)
        return RnnlmError(f"{self.name} is damaged and cannot be decompressed ({words}): get a new copy")


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
