"""Minimal pairs as a picture: a bar for each phenomenon, next to chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnlm.reports.curves import save_figure
from rnnlm.reports.learning_chart import drawable

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from rnnlm.reports.published_pairs import Published

CHANCE = 0.5
MOST_BARS = 40  # groups; more cannot be read
LONGEST_LABEL = 40  # characters
MARKERS = "v^sDoPX*"


def plot_pairs(path: str | os.PathLike[str], numbers: dict, title: str, others: Sequence[Published] = ()) -> None:
    """Draw ``pairs_figure`` into a PNG file, whole or not at all."""
    save_figure(path, pairs_figure(numbers, title, others))


def pairs_figure(numbers: dict, title: str, others: Sequence[Published] = ()) -> Figure:
    """Accuracies as bars, a matplotlib Figure.

    The first row is the mean over UIDs; then come phenomena, the highest accuracy
    first, or UIDs where the pairs name no phenomenon.  Each row has a bar for all pairs
    and one for those without ties and unknown words.

    Parameters
    ----------
    numbers : what ``PairScores.summary`` returns.
    title : what is written above the bars.
    others : published accuracies, marked in the first row.
    """
    from matplotlib.figure import Figure

    groups = numbers["by_phenomenon"] or numbers["by_uid"]
    shown = sorted(groups.items(), key=lambda item: -item[1]["accuracy"])[:MOST_BARS]
    rows = [("mean", numbers), *shown]
    figure = Figure(figsize=(9, 1.7 + 0.38 * len(rows)), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    _draw_bars(axes, [group for _, group in rows])
    axes.axvline(CHANCE, color="black", lw=1, ls="--", label="chance")
    for i, (other, marker) in enumerate(zip(others, MARKERS, strict=False)):
        axes.plot(other.accuracy, -0.2 if i % 2 else 0.2, marker, color="tab:red", mec="white", ms=8, clip_on=False,
                  label=f"{other.model}: {other.accuracy:.3f}")
    left_out = f" (the lowest {len(groups) - len(shown)} rows left out)" if len(groups) > len(shown) else ""
    axes.set_title(drawable(title), size=9, parse_math=False)
    axes.set(xlim=(0, 1), ylim=(len(rows) - 0.4, -0.6),
             xlabel=f"share of pairs in which the good sentence is more probable{left_out}")
    axes.set_yticks(range(len(rows)), [_label(*row) for row in rows], size=8, parse_math=False)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=4, fontsize=8)
    return figure


def accuracy_curves(found: Sequence[tuple[int, dict]]) -> dict[str, list[tuple[int, float | None]]]:
    """The accuracies of several models as curves: see ``learning_curves_figure``.

    The first is the mean over UIDs; then come phenomena, the highest accuracy at the
    end first, or UIDs where the pairs name no phenomenon.  Of a single UID
    there is only the mean.

    Parameters
    ----------
    found : for each model how many tokens its training had read, and what
        ``PairScores.summary`` returns.
    """
    by = "by_phenomenon" if found[-1][1]["by_phenomenon"] else "by_uid"
    last = found[-1][1][by]
    curves = {"mean": [(tokens, numbers["accuracy"]) for tokens, numbers in found]}
    if len(last) == 1 and len(found[-1][1]["by_uid"]) == 1:  # its curve is that of the mean
        return curves
    for name in sorted(last, key=lambda name: -last[name]["accuracy"]):
        curves[f"mean of {name}" if name == "mean" else name] = [
            (tokens, numbers[by][name]["accuracy"]) for tokens, numbers in found]
    return curves


def _draw_bars(axes, groups):
    """Two bars for each group, with their accuracies; one where they are the same."""
    both = any(group["with_unknown"] or group["ties"] for group in groups)
    for name, label, color, offset in (("accuracy", "all pairs", "lightsteelblue", -0.2 if both else 0),
                                       ("accuracy_known", "without ties and unknown words", "orange", 0.2))[: 1 + both]:
        heights = [height + offset for height in range(len(groups))]
        axes.barh(heights, [group[name] or 0 for group in groups], 0.4 if both else 0.8, color=color, label=label)
        for height, group in zip(heights, groups, strict=True):
            axes.text(0.01, height, "no pair" if group[name] is None else f"{group[name]:.3f}", va="center", size=7)


def _label(name, group):
    name = drawable(name)
    short = name if len(name) <= LONGEST_LABEL else name[:LONGEST_LABEL] + "..."
    return f"{short} ({group['pairs']:,})"
