"""Several training runs as a picture: how well each predicts its validation text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnnlm.reports.curves import LARGEST, log_scale, plain_log_ticks, save_figure
from rnnlm.reports.learning_chart import COLOURS, HANDLE, MOST_LINES, STYLES, drawable, legend_label, short

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Curve = Sequence[tuple[float, float]]

# What the horizontal axis shows, and how it writes its numbers; None: whole numbers, in
# a linear scale.
AXES = {"epochs": ("epochs of training", None), "tokens": ("tokens of training text read, epochs added up", short),
        "minutes": ("minutes of training and validation", "{:g}".format)}


def plot_runs(path: str | os.PathLike[str], curves: Mapping[str, Curve], title: str, *, x: str, value: str) -> None:
    """Draw ``runs_figure`` into a PNG file, whole or not at all."""
    save_figure(path, runs_figure(curves, title, x=x, value=value))


def runs_figure(curves: Mapping[str, Curve], title: str, *, x: str, value: str) -> Figure:
    """Curves of several runs, a matplotlib Figure.  The legend has the lowest values.

    Parameters
    ----------
    curves : from a run's name to its points, one for each epoch.
    title : what is written above the curves.
    x : a name of AXES.
    value : what the vertical axis shows, with the unit.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5.5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    draw_runs(axes, curves, x)
    left_out = f" ({len(curves) - MOST_LINES} runs left out)" if len(curves) > MOST_LINES else ""
    axes.set_ylabel(f"{value}{left_out}")
    axes.set_title("\n".join(map(drawable, title.split("\n"))), size=10, parse_math=False)
    runs_legend(figure, "lowest, at the star")
    return figure


def draw_runs(axes: Axes, curves: Mapping[str, Curve], x: str) -> None:
    """Draw the curves, a star at the lowest point of each, and both scales."""
    label, ticks = AXES[x]
    for i, (name, points) in enumerate(list(curves.items())[:MOST_LINES]):
        color, style = f"C{i % COLOURS}", STYLES[i // COLOURS]
        xs, ys = zip(*((at, y if y <= LARGEST else math.nan) for at, y in points), strict=True)
        lowest = min(zip(ys, xs, strict=True), key=lambda point: math.inf if math.isnan(point[0]) else point[0])
        axes.plot(xs, ys, marker="o", ms=3.5, color=color, ls=style, label=legend_label(name, f"{lowest[0]:.4g}"))
        axes.plot(lowest[1], lowest[0], "*", ms=11, color=color, mec="white", mew=0.5, zorder=3)
    axes.set_xlabel(label)
    if ticks:
        axes.set_xscale("log")
        plain_log_ticks(axes.xaxis, label=ticks)
    else:
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    log_scale(axes)
    axes.grid(alpha=0.3, which="both")


def runs_legend(figure: Figure, title: str) -> None:
    """Put the legend of all runs beside the curves, where it hides none."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    legend = figure.legend(handles, labels, loc="outside right upper", fontsize=8, title=title, title_fontsize=8,
                           handlelength=HANDLE)
    for text in legend.get_texts():
        text.set_parse_math(False)
