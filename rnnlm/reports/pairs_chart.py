"""Minimal pairs as a picture: a bar for each phenomenon, next to chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnlm.reports.curves import save_figure

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from rnnlm.reports.published_pairs import Published

CHANCE = 0.5
MOST_BARS = 40  # more cannot be read
LONGEST_LABEL = 40  # characters


def plot_pairs(path: str | os.PathLike[str], numbers: dict, others: Sequence[Published] = ()) -> None:
    """Draw ``pairs_figure`` into a PNG file, whole or not at all."""
    save_figure(path, pairs_figure(numbers, others))


def pairs_figure(numbers: dict, others: Sequence[Published] = ()) -> Figure:
    """Accuracies as bars, a matplotlib Figure.

    There is a bar for all pairs of a phenomenon, and a thin one for those without a tie
    or an unknown word.  Without phenomena the bars are those of UIDs.

    Parameters
    ----------
    numbers : what ``PairScores.summary`` returns.
    others : published accuracies, drawn as lines.
    """
    from matplotlib.figure import Figure

    groups = numbers["by_phenomenon"] or numbers["by_uid"]
    shown = dict(sorted(groups.items(), key=lambda item: -item[1]["accuracy"])[:MOST_BARS])
    bars = {"mean": numbers, **shown}
    figure = Figure(figsize=(9, 1.6 + 0.38 * len(bars)), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    _draw_bars(axes, bars)
    axes.axvline(CHANCE, color="black", lw=1, ls="--", label="chance")
    for other, style in zip(others, ("-", "--", ":", "-.", (0, (1, 3))), strict=False):
        axes.axvline(other.accuracy, color="tab:red", lw=1, ls=style, label=f"{other.model}: {other.accuracy:.3f}")
    left_out = len(groups) - len(shown)
    axes.set(xlim=(0, 1), xlabel="share of pairs in which the good sentence is more probable"
             + (f" (the {left_out} lowest left out)" if left_out else ""))
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside lower center", ncols=4, fontsize=8)
    return figure


def _draw_bars(axes, bars):
    """Two bars for each group, and the group's name and accuracy."""
    places, groups = range(len(bars)), list(bars.values())
    axes.barh(places, [group["accuracy"] for group in groups], 0.75, color="lightsteelblue", label="all pairs")
    if any(group["with_unknown"] or group["ties"] for group in groups):
        known = [group["accuracy_known"] or 0 for group in groups]
        axes.barh(places, known, 0.2, color="tab:orange", label="without ties and unknown words")
    for place, group in zip(places, groups, strict=True):
        axes.text(0.01, place, f"{group['accuracy']:.3f}", va="center", size=8)
    axes.set_yticks(places, [_label(name, group) for name, group in bars.items()], size=8, parse_math=False)


def _label(name, group):
    name = name.encode("utf-8", "replace").decode()  # a file may call its groups anything
    short = name if len(name) <= LONGEST_LABEL else name[:LONGEST_LABEL] + "..."
    return f"{short} ({group['pairs']:,})"
