"""How fast calls without Workers are, alone and next to a busy program.

    python benchmarks/without_workers.py

"command" computes as the commands do, inside ``with Workers(cores)``.  "python" is what
somebody gets who gives no Workers.  "blas" leaves the products to BLAS's own threads,
as Workers do that are never entered.  Weights and texts are random: the work is the
same.  Every subject runs in a process of its own, in turns.  Nothing else should run
meanwhile.
"""

import argparse
import json
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
from side_by_side import interleave, report, summary

SIZES = {  # name: vocabulary, hidden size, batch size, time size, training steps, tokens to score
    "tiny": (418, 100, 10, 5, 2000, 20_000),
    "stories": (400, 64, 20, 35, 600, 60_000),
    "1x100": (10_000, 100, 20, 35, 40, 8_000),
}
TASKS = ("fit", "step", "forward", "evaluate", "generate")
SUBJECTS = ("command", "python", "blas")
SPIN = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"


def subject(task, name, size, scale):
    """Tokens, and the seconds they took, of one task by one of the SUBJECTS."""
    from rnnlm import LanguageModel, Workers
    from rnnlm.compute.blas import blas_threads
    from rnnlm.compute.cores import available_cores

    workers = {"command": Workers(available_cores()), "python": None, "blas": Workers()}[name]
    V, H, N, T, steps, words = SIZES[size]
    model = LanguageModel(V, H, H, rng=np.random.default_rng(0), workers=workers)
    work = {"fit": fit, "step": step, "forward": forward, "evaluate": score, "generate": draw}[task]
    ids = np.random.default_rng(1).integers(0, V, N * T * steps + 1).astype(np.int32)
    tokens = max(N * T, round(scale * (words if task in ("evaluate", "generate") else N * T * steps)))
    if name != "command":
        return work(model, ids, tokens, N, T)
    with blas_threads(available_cores()) if task == "generate" else workers:
        return work(model, ids, tokens, N, T)


def fit(model, ids, tokens, N, T):
    """An epoch of Trainer.fit."""
    from rnnlm import Adam, Constant, TimeBatches, Trainer

    trainer = Trainer(model, Adam(0.001), TimeBatches(ids[: tokens + 1], N, T), Constant(0.001), max_grad=0.25)
    return tokens, seconds(lambda: list(trainer.fit(lambda: 1.0, 1)))


def step(model, ids, tokens, N, T):
    """Calls of Trainer.step."""
    from rnnlm import Adam, TimeBatches, Trainer

    trainer = Trainer(model, Adam(0.001), max_grad=0.25)
    return tokens, seconds(lambda: [trainer.step(*window) for window in TimeBatches(ids[: tokens + 1], N, T)])


def forward(model, ids, tokens, N, T):
    """Calls of model.forward alone."""
    from rnnlm import TimeBatches

    return tokens, seconds(lambda: [model.forward(*window) for window in TimeBatches(ids[: tokens + 1], N, T)])


def score(model, ids, tokens, N, T):
    """ln p of every token of a text."""
    from rnnlm import token_log_probs

    text = ids[np.arange(tokens) % len(ids)]
    return tokens, seconds(lambda: token_log_probs(model, text, 0))


def draw(model, ids, tokens, N, T):
    """Words, one after the other."""
    from itertools import islice

    from rnnlm import generate

    tokens = max(1, tokens // 10)
    return tokens, seconds(lambda: list(islice(generate(model, [0], rng=np.random.default_rng(0)), tokens)))


def seconds(work):
    """How long work() takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@contextmanager
def others(count):
    """A block beside which ``count`` programs keep a core busy each."""
    programs = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(count)]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def measure(options):
    """Figures by machine (idle, busy), size, task and subject."""
    figures = {}
    for machine, count in (("idle", 0), ("busy", options.busy)):
        with others(count):
            for size in options.sizes:
                for task in options.tasks:
                    print(f"{machine}, {size}, {task}", file=sys.stderr)
                    results = interleave({name: [__file__, "--measure", task, name, size, options.scale]
                                          for name in options.subjects}, options.repeats)
                    figures.setdefault(machine, {}).setdefault(size, {})[task] = compare(results)
    return figures


def compare(results):
    """Each subject's tokens per second: median, range, and ratio to the command's."""
    rows = {}
    for name, result in results.items():
        median, fastest, slowest = summary(result, "seconds")
        rows[name] = {"tokens_per_second": result[0]["tokens"] / median, "lowest": result[0]["tokens"] / slowest,
                      "highest": result[0]["tokens"] / fastest}
    for row in rows.values():
        row["of_command"] = (row["tokens_per_second"] / rows["command"]["tokens_per_second"]
                             if "command" in rows else None)
    return rows


def table(figures):
    """The figures as a Markdown table."""
    lines = ["| machine | size | task | computed as | tokens/s (lowest to highest) | share of the command's |",
             "|---|---|---|---|---|---|"]
    for machine, sizes in figures.items():
        for size, tasks in sizes.items():
            for task, rows in tasks.items():
                for name, row in rows.items():
                    ratio = "" if row["of_command"] is None else f"{row['of_command']:.2f}"
                    lines.append(f"| {machine} | {size} | {task} | {name} | {row['tokens_per_second']:,.0f} "
                                 f"({row['lowest']:,.0f} to {row['highest']:,.0f}) | {ratio} |")
    return "\n".join(lines)


def main():
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", choices=tuple(SIZES), default=list(SIZES))
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--subjects", nargs="+", choices=SUBJECTS, default=list(SUBJECTS))
    parser.add_argument("--repeats", type=int, default=5, help="turns (default: 5)")
    parser.add_argument("--busy", type=int, default=1, help="cores that other programs keep busy (default: 1)")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the usual work (default: 1)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        task, name, size, scale = options.measure
        tokens, taken = subject(task, name, size, float(scale))
        report(tokens=tokens, seconds=taken)
        return
    figures = measure(options)
    print(json.dumps(figures, indent=1) if options.json else table(figures))


if __name__ == "__main__":
    main()
