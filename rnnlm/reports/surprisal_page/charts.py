"""Two pictures of a text as SVG.

How many words are how surprising, and the perplexity as the text goes on.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.reports.surprisal_page.markup import escaped
from rnnlm.reports.surprisal_page.tints import LETTERS, labels

if TYPE_CHECKING:
    from rnnlm.reports.surprisal_page.reading import Reading

WIDTH, HEIGHT = 420, 190
LEFT, RIGHT, TOP, BOTTOM = 52, 412, 12, 168  # of the plane inside the axes
POINTS = 240  # of a line


def histogram(levels: np.ndarray, compared: bool) -> str:
    """A bar for each level, of the words at it.

    levels : (n,), see tints; -1 is left out.
    """
    counts = np.bincount(levels[levels >= 0], minlength=len(LETTERS)).tolist()
    most, width = max(*counts, 1), (RIGHT - LEFT) / len(LETTERS)
    parts = []
    for i, (letter, count, label) in enumerate(zip(LETTERS, counts, labels(compared), strict=True)):
        x, height = LEFT + i * width, (BOTTOM - TOP) * count / most
        parts.append(f'<rect class="{letter}" x="{x + 1:.1f}" y="{BOTTOM - height:.1f}" width="{width - 2:.1f}" '
                     f'height="{height:.1f}"><title>{label or "between"} bits: {count:,}</title></rect>'
                     + _text(x + width / 2, BOTTOM + 13, label, "middle"))
    parts += [_text(LEFT - 4, TOP + 8, f"{most:,}", "end"), _text(LEFT - 4, BOTTOM, "0", "end"), _axes()]
    what = "difference in surprisal (bits)" if compared else "surprisal (bits)"
    said = ", ".join(f"{label}: {count:,}" for label, count in zip(labels(compared), counts, strict=True) if label)
    return _svg(f"Number of words by {what}. {said}", parts)


def perplexity_line(readings: list[Reading]) -> str:
    """Perplexity so far, a line for each model; of one model the local one, too."""
    lines = _lines(readings)
    low, high = _range(np.concatenate([bits for *_, bits in lines]))
    total = len(readings[0].rows)

    def at_height(bits):
        return BOTTOM - (BOTTOM - TOP) * (bits - low) / (high - low)

    parts = [_axes(), _text(LEFT, BOTTOM + 15, "1", "middle"), _text(RIGHT, BOTTOM + 15, f"word {total:,}", "end")]
    for value in _round_numbers(low, high):
        y = at_height(math.log2(value))
        parts += [f'<path class="grid" d="M{LEFT} {y:.1f}H{RIGHT}"/>', _text(LEFT - 4, y + 4, _short(value), "end")]
    for name, style, ends, bits in lines:
        seen = np.isfinite(bits)
        xs = LEFT + (RIGHT - LEFT) * ends[seen] / total
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, at_height(bits[seen]), strict=True))
        parts.append(f'<polyline class="{style}" points="{points}"><title>{escaped(name)}</title></polyline>')
    last = ", ".join(f"{name}: {2 ** bits[-1]:.4g}" for name, *_, bits in lines if bits[-1] < 1000)
    return _svg(f"Perplexity as the text goes on, on a logarithmic scale. At the end, {last}", parts)


def line_names(readings: list[Reading]) -> str:
    """The names of the lines, each after a piece of its line."""
    return ", ".join(f'<svg class=key viewBox="0 0 24 8" aria-hidden="true"><path class="{style}" d="M0 4H24"/></svg> '
                     f"{escaped(name)}" for name, style, *_ in reversed(_lines(readings)))


def _lines(readings):
    """(name, style, where in the text, mean bits there) of each line, from below."""
    if len(readings) == 1:
        return [("near the word", "line local", *_local(readings[0])), ("so far", "line", *_so_far(readings[0]))]
    first, other = readings
    return [(other.name, "line second", *_so_far(other)), (first.name, "line", *_so_far(first))]


def _range(bits):
    """The lowest and the highest of these bits, with some room where they are one."""
    bits = bits[np.isfinite(bits)]
    low, high = (float(bits.min()), float(bits.max())) if len(bits) else (0.0, 1.0)
    room = 0.05 + 1e-6 * abs(low)  # which a large number does not swallow
    return (low, high) if high - low > 2 * room else (low - room, high + room)


def _so_far(reading):
    """(ends, mean bits of all words before each of them)."""
    ends = np.unique(np.linspace(0, len(reading.rows), POINTS + 1).astype(int)[1:])
    return ends, _mean(reading, np.zeros_like(ends), ends)


def _local(reading):
    """(middles, mean bits of the words around each of them)."""
    borders = np.unique(np.linspace(0, len(reading.rows), POINTS // 2 + 1).astype(int))
    return (borders[1:] + borders[:-1]) / 2, _mean(reading, borders[:-1], borders[1:])


def _mean(reading, starts, ends):
    """Mean bits of the rows from each start to each end, of those that are scored."""
    with np.errstate(invalid="ignore", divide="ignore"):
        sums = np.append(0.0, np.cumsum(np.where(reading.scored, reading.bits, 0)))
        counts = np.append(0, np.cumsum(reading.scored))
        return (sums[ends] - sums[starts]) / (counts[ends] - counts[starts])


def _round_numbers(low, high, most=6):
    """Perplexities for the axis, between two numbers of bits."""
    decades = range(math.floor(low * math.log10(2)), math.ceil(min(high, 1000) * math.log10(2)) + 1)
    for steps in ((1,), (1, 3), (1, 2, 5), range(1, 10), [i / 10 for i in range(10, 100)]):
        found = [step * 10.0**decade for decade in decades for step in steps
                 if low <= math.log2(step * 10.0**decade) <= high]
        if len(found) >= 3:
            break
    return found[:: math.ceil(len(found) / most) or 1]


def _short(value):
    """A perplexity in few characters."""
    return f"{value:,g}" if value < 1e6 else f"{value:.0e}".replace("e+0", "e").replace("e+", "e")


def _text(x, y, words, anchor):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escaped(words)}</text>' if words else ""


def _axes():
    return f'<path class="axis" d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}"/>'


def _svg(description, parts):
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escaped(description)}">{"".join(parts)}</svg>'
