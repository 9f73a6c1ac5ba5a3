"""The content of files from elsewhere: bounded, and errors that name the file."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rnnlm.errors import DamagedError, RnnlmError, shown
from rnnlm.files.whole import reason

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def content_of(path: str | os.PathLike[str], what: str) -> Iterator[None]:
    """A block that reads a file, or works on what was in it.

    A ValueError in it becomes a DamagedError that says that the file is not ``what``.
    An OSError becomes an RnnlmError.
    """
    try:
        yield
    except OSError as error:
        raise RnnlmError(f"{path} could not be read: {reason(error)}") from error
    except DamagedError:
        raise
    except ValueError as error:  # an ArgumentError, too
        raise DamagedError(f"{path} is not {what}: {shown(str(error), 400)}") from None


def text_of(path: str | os.PathLike[str], most: int) -> str:
    """The text of a regular file, UTF-8; ValueError if it is longer than ``most``."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise ValueError("it is not a regular file")
    with open(path, "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it has more than {most:,} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
