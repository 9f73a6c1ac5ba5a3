"""A text as numbers: each distinct token has one, in order of first appearance.

The numbers are in memory or, for a long text, in a file of the cache.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.files.whole import reason
from rnnlm.text.id_files import ENDING, has_size, mapped, write_arrays
from rnnlm.text.tokenizer import LINE_END

BLOCK = 1 << 20    # numbers that are in memory at a time


@dataclass
class Tokens:
    """The numbers start ... stop - 1 of a text.

    Attributes
    ----------
    words : list of str, the text's distinct tokens by number.
    source : the text's numbers (int32): an array, or the path of a file of them.
    start, stop : int, offsets in ``source``.
    bytes : int, those of the text from which the numbers come, line ends included: see
        EncodedText; None: not known.
    crlf : int, how many of its line ends are CRLF; 0 where ``bytes`` are not known.
    """

    words: list
    source: object
    start: int
    stop: int
    bytes: int | None = None
    crlf: int = 0

    @property
    def size(self):
        """How many tokens."""
        return self.stop - self.start

    def part(self, start, stop):
        """Some of them, counted from the first of these."""
        stop = min(stop, self.size)
        of_file = (self.bytes, self.crlf) if (start, stop) == (0, self.size) else ()
        return Tokens(self.words, self.source, self.start + start, self.start + stop, *of_file)

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
            raise RnnlmError(f"{self.source} could not be read: {reason(error)}; run the command again") from error

    def next_line(self, offset):
        """Where the first line from ``offset`` on begins; the end without one."""
        line_end = self.words.index(LINE_END)
        start = offset - 1
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
                raise RnnlmError(f"{self.source} does not match its list of words: delete it and run the command again")
            counts += found
        return counts

    def blank_lines(self):
        """How many lines hold no word."""
        line_end = self.words.index(LINE_END) if LINE_END in self.words else -1
        blank, ended = 0, True  # the start of the text is that of a line
        for block in self.blocks():
            ends = block == line_end
            if ends.size:
                blank += int((ends[1:] & ends[:-1]).sum()) + int(ends[0] and ended)
                ended = ends[-1]
        return blank

    def look_up(self, table, keep=None):
        """table[number] for every token, as one array.

        For a long text it is a file in the cache, mapped into memory.

        Parameters
        ----------
        table : (len(words),), a value for each number.
        keep : (len(words),) bool, which numbers' tokens are kept; None: all.
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
        if not has_size(path, count * table.itemsize):
            write_arrays(path, map(chosen, self.blocks()))
        return mapped(path, table.dtype)
