"""The names of kept models, which hold the marks at which a run keeps them."""

from __future__ import annotations

import re

KEPT = "kept"  # the folder in the run folder
DIGITS = 12    # so that names sort as numbers do
LARGEST_MARK = 10**DIGITS - 1
_NAME = re.compile(rf"tokens-(\d{{{DIGITS}}})\.npz", re.ASCII)


def kept_name(mark: int) -> str:
    """The name of the file with the model that is kept at a mark."""
    return f"tokens-{mark:0{DIGITS}}.npz"


def mark_of(name: str) -> int | None:
    """The mark in a file's name; None if it is no such name."""
    match = _NAME.fullmatch(name)
    return int(match[1]) if match else None
