"""Learning curves as a picture: a number for each kept model, over the tokens read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnnlm.errors import one_line
from rnnlm.reports.curves import plain_log_ticks, save_figure

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    Curve = Sequence[tuple[int, float | None]]

MOST_LINES = 20       # more cannot be told apart
LONGEST_LABEL = 40    # characters
STYLES = ("-", "--", ":")  # a colour comes again with the next of them
COLOURS = 10
HANDLE = 4            # characters of a line in the legend: shorter ones hide their style behind the point
SHORT = ((10**9, "G"), (10**6, "M"), (10**3, "k"))


def plot_learning_curves(path: str | os.PathLike[str], curves: Mapping[str, Curve], title: str, *, tokens: str,
                         value: str, chance: float | None = None) -> None:
    """Draw ``learning_curves_figure`` into a PNG file, whole or not at all."""
    save_figure(path, learning_curves_figure(curves, title, tokens=tokens, value=value, chance=chance))


def learning_curves_figure(curves: Mapping[str, Curve], title: str, *, tokens: str, value: str,
                           chance: float | None = None) -> Figure:
    """What models reach after so many tokens of training, a matplotlib Figure.

    Parameters
    ----------
    curves : from a name to its points: tokens read, and the number (None or nan: a
        gap).
    title : what is written above the curves.
    tokens, value : what the axes show, with the unit.
    chance : the accuracy of who guesses.  The axis then begins at 0, and the first
        curve, the mean of the others, is a black one.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5.5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    for i, (name, points) in enumerate(list(curves.items())[:MOST_LINES]):
        look = {"color": f"C{i % COLOURS}", "ls": STYLES[i // COLOURS]}
        if chance is not None:
            look = {"color": "black", "lw": 2.5, "zorder": 3} if i == 0 else {
                "color": f"C{(i - 1) % COLOURS}", "ls": STYLES[(i - 1) // COLOURS]}
        numbers = [math.nan if number is None else number for _, number in points]
        axes.plot([read for read, _ in points], numbers, marker="o", ms=3.5, label=_label(name, points), **look)
    if chance is not None:
        axes.axhline(chance, color="tab:gray", lw=1, ls="--", label="chance")
        axes.set_ylim(0, 1.02)  # a point at 1 is whole
    left_out = f" ({len(curves) - MOST_LINES} lines left out)" if len(curves) > MOST_LINES else ""
    axes.set(xscale="log", xlabel=tokens, ylabel=f"{value}{left_out}")
    axes.set_title(drawable(title), size=9, parse_math=False)
    plain_log_ticks(axes.xaxis, label=short)
    axes.grid(alpha=0.3)
    legend = figure.legend(loc="outside right upper", fontsize=8, title="last value", title_fontsize=8,
                           handlelength=HANDLE)
    for text in legend.get_texts():
        text.set_parse_math(False)
    return figure


def short(number: float) -> str:
    """A number of tokens for an axis: 500, 20k, 1.5M."""
    size, unit = next(((size, unit) for size, unit in SHORT if number >= size), (1, ""))
    return f"{number / size:g}{unit}"


def _label(name, points):
    last = points[-1][1]
    return legend_label(name, f"{last:.3f}" if last is not None and math.isfinite(last) else "")


def legend_label(name: str, value: str) -> str:
    """A curve's name of bounded length, and a value if there is one."""
    name = drawable(name)
    if len(name) > LONGEST_LABEL:  # of a path the end tells more
        name = f"...{name[-LONGEST_LABEL:]}" if "/" in name else f"{name[:LONGEST_LABEL]}..."
    name = f" {name}" if name.startswith("_") else name  # matplotlib leaves out labels that begin so
    return f"{name}: {value}" if value else name


def drawable(text: str) -> str:
    """A text without line ends and half characters; a group may be called anything."""
    return one_line(text.encode("utf-8", "replace").decode())
