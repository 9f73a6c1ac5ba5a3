"""How the recipes learn: perplexity over time, from their runs' metrics.

    python benchmarks/recipes.py docs/runs/*.jsonl --chart docs/images/recipes.png
    python benchmarks/recipes.py runs/*/metrics.jsonl

Each file is the metrics.jsonl of a run.  A row is called like its file or, where that
is metrics.jsonl, like the run folder.

The chart has a part for each text, because Penn Treebank's test text is a little easier
than its validation text.  On the left is the validation text after each epoch.  On the
right is the test text, which was read once: ours as the recipes say, and what others
reached.
"""

import argparse
import json
import re
from collections import Counter
from pathlib import Path

from rnnlm.reports.curves import plain_log_ticks, save_figure
from rnnlm.reports.runs_chart import draw_runs, runs_legend
from rnnlm.runs.recipes import recipes

TIMED = [("faster C++, NCE", 4.7, 164.3), ("HS", 1.5, 161.4), ("classic C++", 11, 143.9)]  # minutes, test perplexity
PUBLISHED = [("tanh RNN (Józefowicz et al.)", 97.7), ("LSTM, 2 x 650 (Zaremba et al.)", 82.7),
             ("LSTM, 2 x 1,500 (Zaremba et al.)", 78.4)]
TEST = re.compile(r"reaches a test perplexity of ([\d.]+)")


def names(paths):
    """A different name for each path: the recipe's, the run folder's or the path."""
    short = [path.parent.resolve().name if path.name == "metrics.jsonl" else path.stem for path in paths]
    times = Counter(short)
    return [name if times[name] == 1 else str(path) for name, path in zip(short, paths, strict=True)]


def read_runs(paths):
    """The records of each run by its name.

    A run that has no finite validation perplexity yet is left out.
    """
    paths = list(dict.fromkeys(map(Path, paths)))
    runs = {name: [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            for name, path in zip(names(paths), paths, strict=True)}
    return {name: records for name, records in runs.items() if any(r["valid_perplexity"] for r in records)}


def tested(names):
    """What the recipes of these names say they reach, a dict; others are left out."""
    found = {name: TEST.search(" ".join(recipes()[name].read_text(encoding="utf-8").replace("\n# ", " ").split()))
             for name in names if name in recipes()}
    return {name: float(match[1]) for name, match in found.items() if match}


def figure_of(runs):
    """The chart, a matplotlib Figure."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 6.5), dpi=120, layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True, sharey=True, width_ratios=[1.1, 1])
    _draw_others(right)
    _draw_tests(right, runs)
    curves = {name: [(r["seconds"] / 60, r["valid_perplexity"]) for r in records if r["valid_perplexity"]]
              for name, records in runs.items()}
    left.set_xlim(0.9, 150)  # room for the labels of the first and the last point
    draw_runs(left, curves, "minutes")
    plain_log_ticks(left.yaxis, fewest=9)
    left.set(title="validation text, after each epoch", ylabel="perplexity (logarithmic)")
    right.set(title="test text, read once at the end", xlabel="minutes of the whole run")
    right.grid(alpha=0.3, which="both")
    right.tick_params(labelleft=True)
    runs_legend(figure, "lowest on the validation text")
    return figure


def _draw_tests(axes, runs):
    """What our recipes reached on the test text, in the colours of their curves."""
    tests = tested(runs)
    for i, (name, records) in enumerate(runs.items()):
        if name in tests:
            minutes = records[-1]["seconds"] / 60
            axes.plot(minutes, tests[name], "D", ms=8, color=f"C{i % 10}")
            _label(axes, f"{name}: {tests[name]:g}", minutes, tests[name])


def _draw_others(axes):
    """What others reached on the test text: points if the time is known, or lines."""
    for label, minutes, value in TIMED:
        axes.plot(minutes, value, "x", ms=8, mew=2, color="black")
        _label(axes, f"{label}: {value:g}", minutes, value)
    for label, value in PUBLISHED:
        axes.axhline(value, color="tab:gray", lw=1, ls="--")
        axes.annotate(f"{label}: {value:g}", (0.01, value), (0, -2), xycoords=("axes fraction", "data"),
                      textcoords="offset points", va="top", size=8)


def _label(axes, text, minutes, value):
    """Write above a point what it is."""
    axes.annotate(text, (minutes, value), (0, 7), textcoords="offset points", va="bottom", ha="center", size=8)


def main(argv=None):
    """Print a table of the runs, draw the chart."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", metavar="RUN.jsonl", help="metrics of a run")
    parser.add_argument("--chart", metavar="FILE.png", help="draw the chart")
    options = parser.parse_args(argv)
    runs = read_runs(options.runs)
    best = {name: min((r for r in records if r["valid_perplexity"]), key=lambda r: r["valid_perplexity"])
            for name, records in runs.items()}
    runs = dict(sorted(runs.items(), key=lambda run: -best[run[0]]["valid_perplexity"]))
    print("| recipe | epochs | lowest validation perplexity | after epoch | minutes | tokens/s |")
    print("|---|---|---|---|---|---|")
    for name, records in runs.items():
        speeds = sorted(r["tokens_per_second"] for r in records)
        print(f"| {name} | {len(records)} | {best[name]['valid_perplexity']:.5g} | {best[name]['epoch']} | "
              f"{records[-1]['seconds'] / 60:.1f} | {speeds[len(speeds) // 2]:,.0f} |")
    if options.chart:
        save_figure(options.chart, figure_of(runs))


if __name__ == "__main__":
    main()
