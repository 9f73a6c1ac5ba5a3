"""Columns of numbers as compact text: base64 of little-endian arrays.

Bits are packed as whole numbers of 1/1024 bit, which is 0.07 % of a probability.
"""

from __future__ import annotations

from base64 import b64encode

import numpy as np

STEPS = 1024       # of a bit
MISSING = 0xffff   # a number of bits that is not there, or too large to matter


def packed(column: np.ndarray) -> list[str]:
    """[type, text] of a column: "f4", or for whole numbers the smallest of u1 u2 u4.

    Whole numbers must lie between 0 and 2**32 - 1.
    """
    kind = "f4"
    if column.dtype.kind != "f":
        largest = int(column.max(initial=0))
        kind = "u1" if largest < 1 << 8 else "u2" if largest < 1 << 16 else "u4"
    return [kind, b64encode(column.astype(f"<{kind}").tobytes()).decode()]


def in_steps(bits: np.ndarray) -> np.ndarray:
    """Bits as whole numbers of steps; MISSING for nan, and from 64 bits on."""
    with np.errstate(invalid="ignore"):
        steps = np.round(np.asarray(bits, float) * STEPS)
        return np.where((steps >= 0) & (steps < MISSING), steps, MISSING).astype(np.uint16)
