"""The lines of an ARPA file: the heading one by one, then n-grams in large blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import DamagedError
from rnnlm.text.sources import called

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

    from rnnlm.text.sources import Source

BLOCK = 1 << 20         # bytes of n-grams that are looked at together, and the longest line of them
LONGEST_START = 1 << 25  # bytes before \data\, where a tokenizer may be
MARK = b"\\"            # first character of \data\, \1-grams: and \end\, and of no n-gram

_IS_BLANK = np.zeros(256, bool)
_IS_BLANK[list(b"\t\n\v\f\r ")] = True  # as bytes.split has them


class Lines:
    """Reads an ARPA file forward.

    Attributes
    ----------
    number : of the line that was read last, from 1.
    """

    def __init__(self, source: Source) -> None:
        self.source, self.number = source, 0
        self._held, self._ended = b"", False

    def refuse(self, problem: str, number: int | None = None) -> NoReturn:
        """DamagedError for a line, by default the one that was read last."""
        number = self.number if number is None else number
        raise DamagedError(f"{called(self.source.path)} is no ARPA file that can be read: line {number:,} {problem}")

    def _fill(self, size):
        """Hold at least so many bytes, or all that are left."""
        while len(self._held) < size and not self._ended:
            more = self.source.read(BLOCK)
            self._ended = not more
            self._held += more

    def line(self, longest: int = BLOCK) -> bytes | None:
        """The next line without its end and the blanks around it; None at the end."""
        self._fill(1)
        end = self._held.find(b"\n")
        while end < 0 and not self._ended:
            size = len(self._held)
            if size > longest:
                self.number += 1
                self.refuse(f"must be shorter than {longest >> 20} MB, it is longer")
            self._fill(size + 1)
            end = self._held.find(b"\n", size)
        if end < 0 and not self._held:
            return None
        end = len(self._held) if end < 0 else end
        line, self._held = self._held[:end], self._held[end + 1 :]
        self.number += 1
        return line.strip()

    def filled_line(self) -> bytes | None:
        """The next line that is not blank; None at the end."""
        while (line := self.line()) == b"":
            pass
        return line

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """Yield (number of the first line, whole lines) up to the next mark."""
        while True:
            self._fill(BLOCK)
            if self._held.startswith(MARK) or not self._held:
                return
            size = self._held.find(b"\n" + MARK) + 1 or self._held.rfind(b"\n") + 1
            if not size:
                if not self._ended:
                    self.refuse(f"must be shorter than {BLOCK >> 20} MB, it is longer", self.number + 1)
                size = len(self._held)
            block, self._held = self._held[:size], self._held[size:]
            first = self.number + 1
            self.number += block.count(b"\n") + (not block.endswith(b"\n"))
            yield first, block


def fields_of_lines(block: bytes) -> np.ndarray:
    """How many words, parted by blanks, each line of a block has."""
    codes = np.frombuffer(block, np.uint8)
    is_blank = _IS_BLANK[codes]
    begins = ~is_blank
    begins[1:] &= is_blank[:-1]
    ends = np.flatnonzero(codes == ord("\n"))
    if not block.endswith(b"\n"):
        ends = np.append(ends, len(codes))
    return np.diff(np.searchsorted(np.flatnonzero(begins), ends), prepend=0)
