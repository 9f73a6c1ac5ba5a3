"""The content of a file that anybody may have put there: read within bounds."""

from __future__ import annotations

import os


def bytes_of(path: str | os.PathLike[str], most: int) -> bytes:
    """What a file holds.

    ValueError if it has more than ``most`` bytes, or is a pipe or a device, which may
    never end or never begin; OSError if it cannot be read.
    """
    if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
        raise ValueError("it is not a regular file")
    with open(path, "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it has more than {most:,} bytes")
    return content
