"""What the script shows of each word, for JSON.

Columns of numbers are compact text: base64 of little-endian arrays.  Bits are packed as
whole numbers of 1/1024 bit, which is 0.07 % of a probability.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.reports.surprisal_page.markup import visible

if TYPE_CHECKING:
    from rnnlm.reports.surprisal_page.reading import Reading

STEPS = 1024      # of a bit
MISSING = 0xffff  # a number of bits that is not there, or too large to matter
BLANK = "␣"       # models of characters expect blanks, which alone are not seen


def page_data(readings: list[Reading]) -> dict[str, object]:
    """What the script shows of each word."""
    index = {"": 0}
    models = [_model(reading, index) for reading in readings]
    return {"models": models, "words": [_shown(word) for word in index]}


def _model(reading, index):
    """One model's columns; ``index`` numbers the expected words."""
    rows, ranks = reading.rows, range(1, reading.expected + 1)
    expected = [_numbered(rows[f"top{k}"].tolist(), index) for k in ranks]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # ln p of float32 may be too many bits for it
        surprisals = reading.bits.astype(np.float32)
        chances = [in_steps(-np.log2(rows[f"p{k}"].astype(float))) for k in ranks]
    columns = {"surprisal": surprisals, "known": rows["known"].astype(np.uint8),
               "rank": np.maximum(np.nan_to_num(rows["rank"].astype(float)), 0).astype(np.int64),
               "entropy": in_steps(rows["entropy"]),
               "expected": np.array(expected, np.int64).T.ravel(), "chances": np.array(chances, np.uint16).T.ravel()}
    return {"name": visible(reading.name), "size": reading.vocab_size, "count": reading.expected, "unit": reading.unit,
            "columns": {name: packed(column) for name, column in columns.items()}}


def _shown(word):
    """An expected word as the card shows it, one that would not be seen as ␣."""
    text = visible(word)
    return BLANK * len(text) if text.isspace() else text


def _numbered(words, index):
    """The number of each word; a word that is not there is None or ""."""
    return [index.setdefault(word or "", len(index)) for word in words]


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
