"""Pictures of a run.

matplotlib is imported when a picture is drawn, through Figure: no window, no back end.
"""

from __future__ import annotations

import io
import math
import warnings
from dataclasses import asdict, is_dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError
from rnnlm.files.whole import require_replaceable, whole_file

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from rnnlm.files.whole import File
    from rnnlm.training.trainer import Record

PNG = b"\x89PNG\r\n\x1a\n"  # how each such file begins
DRAWN = {"epoch", "train_perplexity", "valid_perplexity", "lr"}
LARGEST = 1e30  # a larger perplexity is drawn like one that is too large for a number: ticks overflow on the way there
FEWEST_BITS = 0.01  # per character; a text without surprises has 0, which has no logarithm
_STEPS = ((1,), (1, 2, 5), (1, 1.5, 2, 3, 5, 7), (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9))  # ticks within a decade


def plot_perplexity(path: str | os.PathLike[str] | File, records: Iterable[Record | dict], title: str,
                    best_possible: float | None = None, level: str = "word",
                    before: float | None = None, test: float | None = None) -> None:
    """Draw how well a run predicts its texts after each epoch, into a PNG file.

    The file appears whole or not at all.  Marked are the best epoch, the epochs that
    began with another learning rate and, if given, the lowest perplexity possible.  The
    legend says of which text each number is.

    Parameters
    ----------
    path : where the file is written.
    records : those that Trainer.fit yields, or dicts with the keys of metrics.jsonl.
    title : what is written above the curves.
    best_possible : the lowest perplexity any model can reach on the validation text.
    level : "char" draws bits per character, anything else perplexity; the axis is
        logarithmic.
    before : the perplexity of the validation text before training, where the run began
        from a trained model; it is drawn at epoch 0.
    test : the perplexity of the test text by the model of the best epoch.
    """
    arguments.path("path", path, remedy="plot_perplexity takes (path, records, title)")
    save_figure(path, perplexity_figure(records, title, best_possible, level, before, test))


def save_figure(path, figure):
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # a box in the title is no news for a user
        figure.savefig(buffer, format="png")
    with whole_file(path) as file:
        file.write(buffer.getvalue())


def require_picture(path):
    """RnnlmError unless a PNG picture can be written there, and is all it replaces."""
    require_replaceable(path, lambda file: file.read(len(PNG)) == PNG, "a PNG picture")


def perplexity_figure(records, title, best_possible=None, level="word", before=None, test=None):
    """The picture of ``plot_perplexity``, a matplotlib Figure."""
    records = _as_dicts(records)
    arguments.kind("title", title, str, "a string")
    for name, value in (("best_possible", best_possible), ("before", before), ("test", test)):
        if value is not None:
            arguments.number(name, value, "of at least 1", lambda x: x >= 1)
    first = [before] if before and before <= LARGEST else []
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), dpi=120, layout="constrained")
    axes, unit = figure.add_subplot(), math.log2 if level == "char" else float
    _draw_curves(axes, records, unit, first)
    _draw_best(axes, records, unit, best_possible, test)
    _mark_rates(axes, records)
    axes.set_title(title.encode("utf-8", "replace").decode(), parse_math=False)  # a corpus may be called anything
    axes.set(xlim=((0 if first else records[0]["epoch"]) - 0.5, records[-1]["epoch"] + 0.5),
             xlabel="epoch (0: before training)" if first else "epoch",
             ylabel="bits per character" if level == "char" else "perplexity")
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    log_scale(axes)
    axes.grid(alpha=0.3, which="both")
    axes.legend(loc="upper right")  # where falling curves leave room
    return figure


def _draw_curves(axes, records, unit, first):
    """Draw how well both texts are predicted.

    unit: function from a perplexity to the number that is drawn.  first: [] or the
    perplexity of the validation text at epoch 0.
    """
    epochs = [record["epoch"] for record in records]
    for split, label, color in (("train", "training text, during the epoch", "tab:blue"),
                                ("valid", "validation text, after the epoch", "tab:orange")):
        start = first if split == "valid" else []
        values = [unit(value) for value in [*start, *_values(records, f"{split}_perplexity")]]
        axes.plot([*(0 for _ in start), *epochs], values, "o-", ms=3, color=color, label=label)


def _draw_best(axes, records, unit, best_possible, test):
    """Mark the best epoch, its model's test score and the best possible one."""
    best = min(records, key=lambda record: record["valid_perplexity"] or math.inf)
    if best["valid_perplexity"]:
        lowest = unit(best["valid_perplexity"])
        axes.plot(best["epoch"], lowest, "*", ms=14, color="tab:red", zorder=3,
                  label=f"best on the validation text: {lowest:.4g}, epoch {best['epoch']}")
        if test and test <= LARGEST:
            axes.plot(best["epoch"], unit(test), "D", ms=7, mfc="none", mew=1.5, color="tab:purple", zorder=3,
                      label=f"this model on the test text: {unit(test):.4g}")
    if best_possible and best_possible <= LARGEST:
        optimum = unit(best_possible)
        axes.axhline(optimum, color="tab:green", ls="--",
                     label=f"best possible on the validation text: {optimum:.4g}")


def plot_learning(path, curves, title):
    """Draw ``learning_figure`` into a PNG file, whole or not at all."""
    save_figure(path, learning_figure(curves, title))


def learning_figure(curves, title):
    """Losses over the epochs, a matplotlib Figure.

    curves: dict from a name to the mean loss of each epoch.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    for name, losses in curves.items():
        axes.plot(range(1, len(losses) + 1), losses, "o-", ms=3, label=f"{name}: {losses[-1]:.3g} at the end")
    axes.set(title=title, xlabel="epoch", ylabel="loss (nats per sequence)", yscale="log")
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    axes.grid(alpha=0.3, which="both")
    axes.legend(loc="upper right")
    return figure


def plot_confusion(path, counts, labels, title):
    """Draw ``confusion_figure`` into a PNG file, whole or not at all."""
    save_figure(path, confusion_figure(counts, labels, title))


def confusion_figure(counts, labels, title):
    """A confusion matrix, a matplotlib Figure.

    counts: (K, K), how often class i (row) was taken for class j (column).
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 5.5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(counts, cmap="Blues", vmax=1.3 * counts.max())
    for i, row in enumerate(counts):
        for j, count in enumerate(row):
            if count:
                axes.text(j, i, count, ha="center", va="center", color="black" if i == j else "tab:red")
    axes.set(title=title, xlabel="predicted", ylabel="true", xticks=range(len(labels)), yticks=range(len(labels)),
             xticklabels=labels, yticklabels=labels)
    return figure


def _as_dicts(records):
    """Records as metrics.jsonl has them, None for what cannot be drawn.

    ArgumentError unless there is at least one.
    """
    dicts = []
    for record in arguments.items("records", records, "a list of the Records that Trainer.fit yields"):
        values = asdict(record) if is_dataclass(record) and not isinstance(record, type) else record
        if not isinstance(values, dict) or not values.keys() >= DRAWN:
            raise arguments.wrong("a record", f"a Record or a dict with the keys {', '.join(sorted(DRAWN))}", record)
        dicts.append({key: None if isinstance(value, float) and not _can_be_drawn(key, value) else value
                      for key, value in values.items()})
    if not dicts:
        raise ArgumentError("records must hold at least one epoch, got none: draw when fit has yielded one")
    return dicts


def _can_be_drawn(key, value):
    return math.isfinite(value) and not (key.endswith("_perplexity") and value > LARGEST)


def _values(records, key):
    """The numbers to draw; a perplexity too large for a number (None) leaves a gap."""
    return [math.nan if record[key] is None else record[key] for record in records]


def _mark_rates(axes, records):
    """Draw a thin line where the learning rate changed before an epoch.

    No lines if it changes at more than half of the epochs.
    """
    changes = [record["epoch"] for before, record in pairwise(records) if record["lr"] != before["lr"]]
    label = "learning rate changed"
    for epoch in changes if 2 * len(changes) <= len(records) else ():
        axes.axvline(epoch - 0.5, color="tab:gray", lw=0.8, ls=":", label=label)
        label = None  # one entry in the legend


def log_scale(axes):
    """Make the vertical axis logarithmic, unless something drawn is at zero."""
    if axes.dataLim.y0 > FEWEST_BITS:
        axes.set_yscale("log")
        plain_log_ticks(axes.yaxis)


def plain_log_ticks(axis, fewest=5, label="{:g}".format):
    """Label an axis with plain numbers (8, 10, 20, 50, 100), not powers of ten.

    They are round numbers, at least ``fewest`` where that is possible.  Call it when
    everything is drawn that decides the range.  label: function from a number to its
    text.
    """
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

    low, high = axis.get_view_interval()
    if low <= 0:  # nothing is drawn
        low, high = 1, 10
        axis.set_view_interval(low, high, ignore=True)
    for locator in (*(LogLocator(subs=subs, numticks="auto") for subs in _STEPS), MaxNLocator(8, steps=[1, 2, 2.5, 5])):
        ticks = [tick for tick in locator.tick_values(low, high) if low <= tick <= high]
        if len(ticks) >= fewest:
            break
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FuncFormatter(lambda value, _: label(value)))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())
