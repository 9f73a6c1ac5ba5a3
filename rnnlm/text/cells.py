"""What the cells of a table with tabs hold, for its writers and its readers."""

import math
import re

from rnnlm.errors import one_line

NA = "NA"  # there is no value
BREAKS = re.compile(r"[\t\n\r]")  # what would add a cell or a row


def finite_number(text: str) -> float | None:
    """The number that a text of ASCII without ``_`` is; None if it is no finite one."""
    try:
        value = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def in_a_cell(text: str) -> str:
    """The text with escapes (\\t, \\n, \\r) for what would add a cell or a row."""
    return BREAKS.sub(lambda match: one_line(match[0]), text)
