"""The lines of an ARPA file: the heading one by one, then n-grams in large blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnlm.errors import DamagedError, shown
from rnnlm.text.sources import called

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

    from rnnlm.text.decompressing import Source

BLOCK = 1 << 20         # bytes of n-grams that are looked at together, and the longest line of them
LONGEST_START = 1 << 25  # bytes before \data\, where a tokenizer may be
MARK = b"\\"            # first character of \data\, \1-grams: and \end\, and of no n-gram


class Lines:
    """Reads an ARPA file forward.

    Attributes
    ----------
    number : of the line that was read last, from 1.
    """

    def __init__(self, source: Source) -> None:
        self.source, self.number = source, 0
        self._held, self._at, self._ended = b"", 0, False  # bytes, and how many of them were given

    def refuse(self, problem: str, number: int | None = None) -> NoReturn:
        """DamagedError for a line, by default the one that was read last."""
        number = self.number if number is None else number
        raise DamagedError(f"{called(self.source.path)} is no ARPA file that can be read: line {number:,} {problem}")

    def _fill(self, size):
        """Hold at least so many bytes that were not given, or all that are left."""
        while len(self._held) - self._at < size and not self._ended:
            more = self.source.read(BLOCK)
            self._ended = not more
            self._held, self._at = self._held[self._at :] + more, 0

    def line(self, longest: int = BLOCK) -> bytes | None:
        """The next line without its end and the blanks around it; None at the end."""
        self._fill(1)
        end = self._held.find(b"\n", self._at)
        while end < 0 and not self._ended:
            size = len(self._held) - self._at
            if size > longest:
                self._refuse_long(longest)
            self._fill(size + 1)
            end = self._held.find(b"\n", self._at + size)
        if self._at == len(self._held):
            return None
        end = len(self._held) if end < 0 else end
        line, self._at = self._held[self._at : end], min(end + 1, len(self._held))
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
            if self._held.startswith(MARK, self._at) or self._at == len(self._held):
                return
            end = self._held.find(b"\n" + MARK, self._at) + 1 or self._held.rfind(b"\n", self._at) + 1
            if not end and not self._ended:
                self._refuse_long(BLOCK)
            end = end or len(self._held)
            block, self._at = self._held[self._at : end], end
            first = self.number + 1
            self.number += block.count(b"\n") + (not block.endswith(b"\n"))
            yield first, block

    def _refuse_long(self, longest):
        self.refuse(f"must be shorter than {longest >> 10:,} kB, it is longer", self.number + 1)


def shown_part(part: bytes) -> str:
    """Bytes of a line for a message."""
    return shown(part[:200].decode("utf-8", "backslashreplace"), 60)
