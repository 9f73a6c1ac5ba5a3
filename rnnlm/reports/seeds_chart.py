"""The curves of several seeds in one picture, with their mean and its band."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnnlm.reports.curves import LARGEST, plain_log_ticks, save_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from rnnlm.files.whole import File

MOST_NAMED = 10  # seeds in the legend
LARGEST_LOSS = math.log(LARGEST)


def plot_seeds(path: File, runs: Sequence, title: str, in_bits: bool = False) -> None:
    """Draw ``seeds_figure`` into a PNG file, whole or not at all."""
    save_figure(path, seeds_figure(runs, title, in_bits))


def seeds_figure(runs: Sequence, title: str, in_bits: bool = False) -> Figure:
    """Validation perplexity of several seeds over the epochs, a matplotlib Figure.

    The band is one standard deviation (of a sample: n - 1) on either side of the mean,
    in the epochs that all runs have.

    Parameters
    ----------
    runs : what has ``seed``, ``valid_losses`` (nats), ``best_epoch``; at least one.
    title : what is written above the curves.
    in_bits : whether bits per character are drawn, not perplexity; the axis is
        logarithmic.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), dpi=120, layout="constrained")
    axes, unit = figure.add_subplot(), (lambda loss: loss / math.log(2)) if in_bits else math.exp
    curves = [[unit(loss) if loss <= LARGEST_LOSS else math.nan for loss in run.valid_losses] for run in runs]
    for i, (run, curve) in enumerate(zip(runs, curves, strict=True)):
        label = f"seed {run.seed}: {curve[run.best_epoch - 1]:.4g}" if i < MOST_NAMED else None
        axes.plot(range(1, len(curve) + 1), curve, "o-", ms=2.5, lw=1, color=f"C{i % 10}", alpha=0.7, label=label)
    if len(curves) > 1:
        _draw_band(axes, curves)
    longest = max(map(len, curves))
    axes.set_title(title.encode("utf-8", "replace").decode(), parse_math=False)  # a corpus may be called anything
    axes.set(xlim=(0.5, longest + 0.5), xlabel="epoch",
             ylabel=f"{'bits per character' if in_bits else 'perplexity'} of the validation text")
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    if axes.dataLim.y0 > 0.01:  # a text without surprises has 0 bits, which has no logarithm
        axes.set_yscale("log")
        plain_log_ticks(axes.yaxis)
    axes.grid(alpha=0.3, which="both")
    more = f", {len(runs) - MOST_NAMED} more not named" if len(runs) > MOST_NAMED else ""
    axes.legend(loc="upper right", title=f"lowest of each{more}", fontsize=8, title_fontsize=8)
    return figure


def _draw_band(axes, curves):
    """Draw the mean of the curves, and the band around it, where all have a point."""
    import numpy as np

    shortest = min(map(len, curves))
    points = np.array([curve[:shortest] for curve in curves])  # (runs, epochs)
    epochs, mean, deviation = np.arange(1, shortest + 1), points.mean(axis=0), points.std(axis=0, ddof=1)
    low = np.maximum(mean - deviation, mean / 100)  # a logarithmic axis has no place for less than nothing
    axes.fill_between(epochs, low, mean + deviation, color="tab:gray", alpha=0.3, lw=0,
                      label="mean ± standard deviation (n - 1)")
    axes.plot(epochs, mean, color="black", lw=1.5, label=f"mean of {len(curves)} seeds")
