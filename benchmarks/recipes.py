"""How the recipes learn: validation perplexity over time, from their runs' metrics.

    python benchmarks/recipes.py docs/runs/*.jsonl --chart docs/images/recipes.png
    python benchmarks/recipes.py runs/*/metrics.jsonl

Each file is the metrics.jsonl of a run.  A row is called like its file or, where that
is metrics.jsonl, like the run folder.  The lines in the chart are what other programs
reached on Penn Treebank's test text, which is a little easier than its validation text
(docs/results.md has both for ours).
"""

import argparse
import json
from collections import Counter
from pathlib import Path

from rnnlm.reports.curves import plot_runs

PEERS = [("faster C++ toolkit, noise-contrastive estimation (test, 4.7 min)", 164.3),
         ("the same, hierarchical softmax (test, 1.5 min)", 161.4),
         ("classic C++ toolkit (test, 11 min)", 143.9),
         ("tanh RNN of 20 million weights, Józefowicz et al. 2015 (test)", 97.7),
         ("LSTM of 2 x 650, Zaremba et al. 2014 (test)", 82.7),
         ("LSTM of 2 x 1,500, Zaremba et al. 2014 (test)", 78.4)]


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
        plot_runs(options.chart, runs, PEERS)


if __name__ == "__main__":
    main()
