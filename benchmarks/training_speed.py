"""How fast a training step is, compared with PyTorch and with its matrix products.

    python benchmarks/training_speed.py --corpus ptb

Every subject runs in a process of its own, in turns.  "limit" is the time of the
products alone, by NumPy with one thread or with all of its BLAS library's own,
whichever is faster: what an exact fp32 step takes when all else costs nothing.  "plain"
are the layers to read, with BLAS's threads.  PyTorch's rows appear where it is
installed (pip install torch); bf16 rounds every product and is shown, not compared.
Nothing else should run meanwhile: BLAS's threads and PyTorch's lose far more than their
share when another program keeps a core busy.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from side_by_side import FOLDER, interleave, median_seconds, report, summary

SIZES = {  # name: layers, hidden size, batch size, time size, first tokens of the text (None: all), steps
    "tiny": (1, 100, 10, 5, 1000, 1000),
    "1x100": (1, 100, 20, 35, None, 40),
    "2x200": (2, 200, 20, 35, None, 30),
    "2x650": (2, 650, 20, 35, None, 12),
    "1x650": (1, 650, 20, 35, None, 12),
}
DEFAULT_SIZES = ("tiny", "1x100", "2x200", "2x650")
SUBJECTS = ("rnnlm", "plain", "limit", "torch", "torch bf16")


def products(config):
    """Seconds for the matrix products of a step, each into an existing array."""
    from rnnlm.compute.blas import blas_threads
    from rnnlm.compute.cores import available_cores
    from rnnlm.models import CELLS

    cell = CELLS[config["cell"]].plain
    V, H, N, T = (config[key] for key in ("vocab_size", "hidden_size", "batch_size", "time_size"))
    M, rng, inputs, states = N * T, np.random.default_rng(0), cell.input_blocks * H, cell.state_blocks * H
    X, W, Wx, Wh, h, da, du = (rng.random(shape, dtype=np.float32) for shape in (
        (M, H), (V, H), (H, inputs), (H, states), (N, H), (M, inputs), (N, states)))
    scores, dX, dW, As, dWx, us, dh, dWh = (np.empty(shape, np.float32) for shape in (
        (M, V), (M, H), (V, H), (M, inputs), (H, inputs), (N, states), (N, H), (H, states)))
    dus, Wx_transposed, Wh_transposed = da[:, :states], Wx.T, np.ascontiguousarray(Wh.T)

    def step(_):
        np.matmul(X, W.T, out=scores)           # the output layer: scores, and both gradients
        np.matmul(scores, W, out=dX)
        np.matmul(scores.T, X, out=dW)
        for _ in range(config["layers"]):
            np.matmul(X, Wx, out=As)            # a recurrent layer: input terms, every step forwards and backwards,
            for _ in range(T):
                np.matmul(h, Wh, out=us)
                np.matmul(du, Wh_transposed, out=dh)
            np.matmul(X.T, da, out=dWx)         # the gradients of both weights and of the inputs
            np.matmul(X.T, dus, out=dWh)
            np.matmul(da, Wx_transposed, out=dX)

    seconds = []
    for threads in sorted({1, available_cores()}):
        with blas_threads(threads):
            seconds.append(median_seconds(step, config["steps"], config["warm_up"]))
    return min(seconds)


def training(config, plain):
    """Seconds for a step of this project's trainer."""
    from rnnlm.compute.cores import available_cores
    from rnnlm.compute.threads import SERIAL, Workers
    from rnnlm.models import LanguageModel
    from rnnlm.text.batches import TimeBatches
    from rnnlm.training.optimizers import OPTIMIZERS
    from rnnlm.training.trainer import Trainer

    def measure(workers):
        H = config["hidden_size"]
        model = LanguageModel(config["vocab_size"], H, H, config["layers"], cell=config["cell"],
                              rng=np.random.default_rng(0), plain=plain, workers=workers)
        optimizer = OPTIMIZERS[config["optimizer"]](config["lr"])
        trainer = Trainer(model, optimizer, max_grad=config["max_grad"], workers=workers)
        batches = TimeBatches(np.load(config["ids"]), config["batch_size"], config["time_size"])
        windows = [window for window in batches if window[0].shape[1] == config["time_size"]]
        return median_seconds(lambda k: trainer.step(*windows[k % len(windows)]), config["steps"], config["warm_up"])

    if plain:  # with the threads of the BLAS library, as NumPy comes
        return measure(SERIAL)
    with Workers(config["threads"] or available_cores()) as workers:
        return measure(workers)


def command(subject, config):
    """The arguments that measure one subject."""
    if subject.startswith("torch"):
        return [FOLDER / "torch_peer.py", "train", json.dumps(config | {"bf16": subject == "torch bf16"})]
    return [__file__, "--measure", subject, json.dumps(config)]


def compare(results, tokens):
    """Figures of one configuration.

    Tokens per second (median, lowest, highest), memory, and the two ratios.
    """
    rows = {}
    for subject, result in results.items():
        median, fastest, slowest = summary(result, "seconds")
        rows[subject] = {"tokens_per_second": tokens / median, "lowest": tokens / slowest, "highest": tokens / fastest,
                         "peak_memory_mb": summary(result, "peak_memory_mb")[0]}
    speed = {subject: row["tokens_per_second"] for subject, row in rows.items()}
    for row in rows.values():
        row["of_limit"] = row["tokens_per_second"] / speed["limit"] if "limit" in speed else None
        row["over_torch"] = row["tokens_per_second"] / speed["torch"] if "torch" in speed else None
    return rows


def table(figures):
    """The figures as a Markdown table."""
    lines = ["| size | program | tokens/s (lowest to highest) | over PyTorch fp32 | share of the limit | peak memory |",
             "|---|---|---|---|---|---|"]
    for name, rows in figures.items():
        for subject, row in rows.items():
            ratio = "" if row["over_torch"] is None or subject == "limit" else f"{row['over_torch']:.2f}"
            share = "" if row["of_limit"] is None else f"{row['of_limit']:.2f}"
            lines.append(f"| {name} | {subject} | {row['tokens_per_second']:,.0f} ({row['lowest']:,.0f} to "
                         f"{row['highest']:,.0f}) | {ratio} | {share} | {row['peak_memory_mb']:.0f} MB |")
    return "\n".join(lines)


def draw(path, figures):
    """A bar chart of tokens per second over the limit, one group a configuration."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.2), layout="constrained")
    axes = figure.subplots()
    colors = dict(zip(SUBJECTS, ("tab:blue", "tab:cyan", "lightgrey", "tab:orange", "moccasin"), strict=True))
    for i, rows in enumerate(figures.values()):
        present = [subject for subject in SUBJECTS if subject in rows]
        for j, subject in enumerate(present):
            row, x = rows[subject], i + 0.85 * ((j + 0.5) / len(present) - 0.5)
            bar = axes.bar(x, row["of_limit"], 0.8 / len(present), color=colors[subject],
                           label=subject if i == 0 else None)
            axes.bar_label(bar, [f"{row['tokens_per_second']:,.0f}"], fontsize=6.5, rotation=90, padding=3)
    axes.set_xticks(range(len(figures)), figures)
    axes.set_ylabel("share of the limit")
    axes.set_ylim(0, 1.35 * max(row["of_limit"] for rows in figures.values() for row in rows.values()))
    axes.set_title("Training steps, in tokens a second; the limit is the matrix products alone", fontsize=11)
    axes.legend(ncols=5, fontsize=8, loc="upper center", frameon=False)
    figure.savefig(path, dpi=150)


def main():
    """Measure, print the table, draw the chart."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="ptb", help="a known name, a folder or a file (default: ptb)")
    parser.add_argument("--sizes", nargs="+", choices=tuple(SIZES), default=DEFAULT_SIZES)
    parser.add_argument("--cell", default="rnn", help="a cell of rnnlm train (default: rnn); PyTorch "
                        "has no row for a cell that it lacks")
    parser.add_argument("--subjects", nargs="+", choices=SUBJECTS, default=list(SUBJECTS))
    parser.add_argument("--repeats", type=int, default=5, help="turns (default: 5)")
    parser.add_argument("--threads", type=int, help="threads of rnnlm (default: the cores there are)")
    parser.add_argument("--optimizer", choices=("sgd", "adam"), default="sgd", help="update rule (default: sgd)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--chart", metavar="FILE.png", help="draw a bar chart")
    parser.add_argument("--measure", nargs=2, metavar=("SUBJECT", "CONFIG"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        subject, config = options.measure[0], json.loads(options.measure[1])
        report(seconds=products(config) if subject == "limit" else training(config, subject == "plain"))
        return
    if options.chart and "limit" not in options.subjects:
        parser.error("--chart draws shares of the limit: add limit to --subjects")
    from rnnlm.text.corpus import load_corpus

    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in options.sizes:
            layers, H, N, T, first, steps = SIZES[name]
            corpus = load_corpus(options.corpus, max_tokens=first)
            ids = Path(folder) / f"{name}.npy"
            np.save(ids, corpus.train)
            config = {"ids": str(ids), "vocab_size": len(corpus.vocabulary), "hidden_size": H, "layers": layers,
                      "cell": options.cell, "batch_size": N, "time_size": T, "optimizer": options.optimizer,
                      "max_grad": 0.25, "lr": 1.0 if options.optimizer == "sgd" else 0.001, "steps": steps,
                      "warm_up": steps // 4 + 2, "threads": options.threads}
            print(f"{name}: vocabulary {config['vocab_size']:,}, batch {N}, window {T}", file=sys.stderr)
            results = interleave({subject: command(subject, config) for subject in options.subjects}, options.repeats)
            figures[name] = compare(results, N * T)
    print(json.dumps(figures, indent=1) if options.json else table(figures))
    if options.chart:
        draw(options.chart, figures)


if __name__ == "__main__":
    main()
