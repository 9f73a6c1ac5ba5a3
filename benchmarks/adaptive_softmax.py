"""What an adaptive softmax saves: whole training steps, and what they consist of.

    python benchmarks/adaptive_softmax.py

Every subject runs in a process of its own, in turns.  "exact" and "adaptive" are the
same model of this project with the two kinds of output; the cutoffs are those that the
counts of the words ask for.  "torch, dense" and "torch, sparse" are the peer of the
other benchmarks with AdaptiveLogSoftmaxWithLoss at the same cutoffs, and with an
embedding whose gradient is a whole matrix or only the rows of a window; with Adam the
latter takes SparseAdam for the embedding, which is less work and another result.  They
appear where PyTorch is installed.

Words are drawn by Zipf's law: the word of rank r has a probability in proportion to
1 / r.  With --corpus they are those of a text, in models of the same sizes.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from side_by_side import FOLDER, interleave, report, summary

SIZES = {  # name: words, layers, hidden size, batch size, time size, steps
    "large": (200_000, 1, 200, 20, 35, 8),
    "small": (10_000, 2, 200, 20, 35, 30),
}
SUBJECTS = ("exact", "adaptive", "torch, dense", "torch, sparse")
PARTS = {"states": "recurrent forward", "forward": "output forward", "backward_states": "output backward",
         "backward": "other backward", "update": "update"}


def training(config):
    """Seconds for a step of this project's trainer, and for its parts."""
    from rnnlm.compute.cores import available_cores
    from rnnlm.compute.threads import Workers
    from rnnlm.models import LanguageModel
    from rnnlm.text.batches import TimeBatches
    from rnnlm.training.optimizers import OPTIMIZERS
    from rnnlm.training.trainer import Trainer

    H, cutoffs = config["hidden_size"], config["cutoffs"]
    with Workers(config["threads"] or available_cores()) as workers:
        model = LanguageModel(config["vocab_size"], H, H, config["layers"], cell=config["cell"],
                              softmax="adaptive" if cutoffs else "full", cutoffs=cutoffs,
                              rng=np.random.default_rng(0), workers=workers)
        trainer = Trainer(model, OPTIMIZERS[config["optimizer"]](config["lr"]), max_grad=config["max_grad"],
                          workers=workers)
        trainer.lag = True  # as in a run: rows of the embedding are updated when they are met
        batches = TimeBatches(np.load(config["ids"]), config["batch_size"], config["time_size"])
        windows = [window for window in batches if window[0].shape[1] == config["time_size"]]
        seconds = {"step": timed(trainer, "step"), "states": timed(model, "states"),
                   "forward": timed(model.output, "forward"), "update": timed(trainer.optimizer, "update"),
                   "backward_states": timed(model.output, "backward_states"), "backward": timed(model, "backward")}
        for k in range(config["warm_up"] + config["steps"]):
            trainer.step(*windows[k % len(windows)])
    medians = {name: statistics.median(found[config["warm_up"] :]) for name, found in seconds.items()}
    medians["backward"] -= medians["backward_states"]
    return medians.pop("step"), medians


def timed(owner, name):
    """Have a method note how long each call takes, in the list that is returned."""
    method, seconds = getattr(owner, name), []

    def measured(*arguments):
        started = time.perf_counter()
        result = method(*arguments)
        seconds.append(time.perf_counter() - started)
        return result

    setattr(owner, name, measured)
    return seconds


def zipf(V, tokens):
    """Ids drawn by Zipf's law with a fixed seed, and the counts that it expects."""
    counts = 1e6 / np.arange(1, V + 1)
    bounds = np.cumsum(counts)
    return np.searchsorted(bounds, np.random.default_rng(0).uniform(0, bounds[-1], tokens)).astype(np.int32), counts


def command(subject, config):
    """The arguments that measure one subject."""
    if subject.startswith("torch"):
        more = {"bf16": False, "sparse": subject == "torch, sparse"}
        return [FOLDER / "torch_peer.py", "train", json.dumps(config | more)]
    return [__file__, "--measure", json.dumps(config | {"cutoffs": [] if subject == "exact" else config["cutoffs"]})]


def compare(results, tokens):
    """Figures of the subjects of one size and one optimizer.

    Seconds a step (median, lowest, highest), tokens a second, memory, the parts of a
    step, and how many times the speed of the others.
    """
    rows = {}
    for subject, result in results.items():
        median, fastest, slowest = summary(result, "seconds")
        rows[subject] = {"seconds": median, "fastest": fastest, "slowest": slowest,
                         "tokens_per_second": tokens / median,
                         "peak_memory_mb": summary(result, "peak_memory_mb")[0]}
        if "parts" in result[0]:
            rows[subject]["parts"] = {name: statistics.median(turn["parts"][name] for turn in result)
                                      for name in PARTS}
    for row in rows.values():
        row["over"] = {other: rows[other]["seconds"] / row["seconds"] for other in rows if rows[other] is not row}
    return rows


def table(figures):
    """The figures as a Markdown table."""
    lines = [f"| size | optimizer | program | ms a step (lowest to highest) | tokens/s | over exact | over torch | "
             f"{' | '.join(PARTS.values())} | peak memory |", "|---" * (8 + len(PARTS)) + "|"]
    for (size, optimizer), rows in figures.items():
        for subject, row in rows.items():
            over, parts = row["over"], row.get("parts", {})
            of_torch = [over[name] for name in ("torch, dense", "torch, sparse") if name in over]  # the faster one
            cells = [f"{1000 * row['seconds']:.1f} ({1000 * row['fastest']:.1f} to {1000 * row['slowest']:.1f})",
                     f"{row['tokens_per_second']:,.0f}", f"{over['exact']:.1f}" if "exact" in over else "",
                     f"{min(of_torch):.2f}" if of_torch and subject in SUBJECTS[:2] else "",
                     *(f"{1000 * parts[name]:.1f}" if parts else "" for name in PARTS)]
            lines.append(f"| {size} | {optimizer} | {subject} | {' | '.join(cells)} | {row['peak_memory_mb']:.0f} MB |")
    return "\n".join(lines)


def configuration(options, name, folder):
    """What the programs need for one size, but the optimizer."""
    from rnnlm.models.cutoffs import cutoffs_for

    V, layers, H, N, T, steps = SIZES[name]
    steps = options.steps or steps
    if options.corpus:
        from rnnlm.text.corpus import load_corpus

        corpus = load_corpus(options.corpus)
        ids, counts = corpus.train, np.bincount(corpus.train, minlength=len(corpus.vocabulary))
    else:
        ids, counts = zipf(options.vocab_size or V, N * T * 40 + 1)
    path = Path(folder) / f"{name}.npy"
    np.save(path, ids)
    return {"ids": str(path), "vocab_size": len(counts), "hidden_size": H, "layers": layers, "cell": options.cell,
            "cutoffs": options.cutoffs or list(cutoffs_for(counts, H)), "batch_size": N, "time_size": T,
            "max_grad": 0.25, "steps": steps, "warm_up": steps // 4 + 2, "threads": options.threads}


def main():
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", choices=tuple(SIZES), default=tuple(SIZES))
    parser.add_argument("--subjects", nargs="+", choices=SUBJECTS, default=SUBJECTS)
    parser.add_argument("--optimizers", nargs="+", choices=("sgd", "adam"), default=("sgd", "adam"))
    parser.add_argument("--cell", default="rnn", choices=("rnn", "lstm", "gru"), help="(default: rnn)")
    parser.add_argument("--corpus", help="words of a text: a known name, a folder or a file (default: Zipf's law)")
    parser.add_argument("--vocab-size", type=int, help="words by Zipf's law (default: by the size)")
    parser.add_argument("--cutoffs", nargs="+", type=int, help="(default: chosen from the counts)")
    parser.add_argument("--steps", type=int, help="steps of a turn (default: 8 or 30)")
    parser.add_argument("--repeats", type=int, default=5, help="turns (default: 5)")
    parser.add_argument("--threads", type=int, help="threads of rnnlm (default: the cores there are)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--measure", metavar="CONFIG", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        seconds, parts = training(json.loads(options.measure))
        report(seconds=seconds, parts=parts)
        return
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in options.sizes:
            config = configuration(options, name, folder)
            print(f"{name}: vocabulary {config['vocab_size']:,}, cutoffs {config['cutoffs']}", file=sys.stderr)
            for optimizer in options.optimizers:
                config |= {"optimizer": optimizer, "lr": 1.0 if optimizer == "sgd" else 0.001}
                commands = {subject: command(subject, config) for subject in options.subjects}
                results = interleave(commands, options.repeats)
                figures[name, optimizer] = compare(results, config["batch_size"] * config["time_size"])
    if options.json:
        print(json.dumps({f"{size}, {optimizer}": rows for (size, optimizer), rows in figures.items()}, indent=1))
    else:
        print(table(figures))


if __name__ == "__main__":
    main()
