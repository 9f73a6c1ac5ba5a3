"""How much faster several processes train and score, and a model of many of them.

    python benchmarks/mpi.py --corpus ptb
    python benchmarks/mpi.py --paper

Training: a step of the same batch in one process, in two of one thread each (which
share memory, or send messages as between hosts), and in one of two threads.
"reduction" is the sum of all gradients by messages alone.  Scoring: the test text,
sentence by sentence.  Every subject runs in processes of its own, in turns.  Needs the
extra mpi.

--paper predicts 2 to 1,024 hosts from four figures, see docs/scaling.md.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from side_by_side import FOLDER, interleave, summary

SIZES = {"tiny": 16, "small": 200, "medium": 650}  # of the states and the word vectors, two layers
N, T = 20, 35
SUBJECTS = {  # processes, threads of each
    "1 process": (1, 1), "2 processes": (2, 1), "2 processes, messages": (2, 1), "2 threads": (1, 2),
    "reduction": (2, 1)}
SCORERS = {"1 process": (1, 1), "2 processes": (2, 1), "2 threads": (1, 2)}


def train(name, config, processes, threads):
    """Seconds of a step, the median."""
    from rnnlm.compute.threads import Workers
    from rnnlm.models import LanguageModel, Regularisation
    from rnnlm.text.batches import TimeBatches
    from rnnlm.training.optimizers import Adam
    from rnnlm.training.schedules import Constant
    from rnnlm.training.trainer import Trainer

    if "messages" in name:
        type(processes).share_memory = False
    ids, V, H = np.load(config["ids"])["train"], config["vocab_size"], SIZES[config["size"]]
    with Workers(threads) as workers:
        model = LanguageModel(V, H, H, 2, rng=np.random.default_rng(1), workers=workers,
                              regularisation=Regularisation(dropout=0.5, input_dropout=0.1))
        model.processes = processes
        if name == "reduction":
            return reduction(processes, model, config["steps"])
        trainer = Trainer(model, Adam(0.002), TimeBatches(ids, N, T), Constant(0.002), max_grad=0.25)
        seconds = []
        for xs, ts in trainer.batches:
            started = time.perf_counter()
            trainer.step(xs, ts)
            seconds.append(time.perf_counter() - started)
            if len(seconds) == config["steps"]:
                break
    return statistics.median(seconds[2:])


def reduction(processes, model, steps):
    """Seconds of the sum of as many numbers as travel in a step."""
    from rnnlm.compute.row_gradient import RowGradient

    rows = min(N * T, model.architecture["vocab_size"]) * model.architecture["wordvec_size"]
    count = sum(rows if isinstance(grad, RowGradient) else grad.size for grad in model.packing.grads)
    numbers, seconds = np.zeros(count, np.float32), []
    for _ in range(steps):
        processes.barrier()
        started = time.perf_counter()
        processes.sum(numbers)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[2:])


def score(name, config, processes, threads):
    """Seconds of scoring all sentences of the test text."""
    from rnnlm.compute.threads import Workers
    from rnnlm.models import LanguageModel
    from rnnlm.scoring.words import sequence_scores

    arrays, V, H = np.load(config["ids"]), config["vocab_size"], SIZES[config["size"]]
    ids, eos = arrays["test"], config["eos_id"]
    lengths = np.diff(np.flatnonzero(ids == eos), prepend=-1)
    with Workers(threads) as workers:
        model = LanguageModel(V, H, H, 2, rng=np.random.default_rng(1), workers=workers)
        model.set_training(False)
        model.processes = processes
        processes.each(None)
        started = time.perf_counter()
        sequence_scores(model, ids[: lengths.sum()], lengths, eos)
        return time.perf_counter() - started


def measure(task, name, config):
    """What one process of a subject does; the first prints the seconds."""
    from rnnlm.compute.processes import processes

    _, threads = (SUBJECTS if task == "train" else SCORERS)[name]
    seconds = {"train": train, "score": score}[task](name, json.loads(Path(config).read_text()), processes(), threads)
    if processes().first:
        print(json.dumps({"seconds": seconds}))


def launch(task, name, config):
    """Run a subject in as many processes as it has."""
    count, _ = (SUBJECTS if task == "train" else SCORERS)[name]
    command = [sys.executable, __file__, "--measure", task, name, config]
    mpiexec = [Path(sys.executable).with_name("mpiexec"), "-n", str(count)] if count > 1 else []
    sys.exit(subprocess.run([*mpiexec, *command]).returncode)


def figures(options):
    """Write the ids and print a table for each size."""
    from rnnlm.text.corpus import load_corpus

    corpus = load_corpus(options.corpus)
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder, "ids.npz"), train=corpus.train, test=corpus.test.ids)
        for size in options.sizes:
            config = Path(folder, f"{size}.json")
            config.write_text(json.dumps({"ids": str(Path(folder, "ids.npz")), "size": size, "steps": options.steps,
                                          "vocab_size": len(corpus.vocabulary), "eos_id": corpus.vocabulary.eos_id}))
            for task, subjects, count in (("train", SUBJECTS, N * T), ("score", SCORERS, corpus.test.ids.size)):
                commands = {name: [FOLDER / "mpi.py", "--launch", task, name, config] for name in subjects}
                show(f"{task}, 2 x {SIZES[size]}", interleave(commands, options.repeats), count)


def show(title, results, tokens):
    """Print the medians, and how many times faster than one process each is."""
    print(title)
    one = summary(results["1 process"], "seconds")[0]
    for name, values in results.items():
        seconds, lowest, highest = summary(values, "seconds")
        speed = "" if name == "reduction" else f"  {tokens / seconds:9,.0f} tokens/s  {one / seconds:5.2f} times"
        print(f"  {name:22} {1e3 * seconds:9.1f} ms ({1e3 * lowest:.1f} to {1e3 * highest:.1f}){speed}")


def sent(hosts, options):
    """Seconds of a reduction: 2 (P - 1) / P bytes / bandwidth + 2 log2(P) latency."""
    volume = 2 * (hosts - 1) / hosts * options.megabytes / options.bandwidth
    return volume + 2 * math.log2(hosts) * options.latency / 1e3


def paper(options):
    """Print how many times faster P hosts read a text than one.

    With N columns a host, with a batch of a fixed size, and with local steps.
    """
    print(f"a step of {1e3 * options.compute:g} ms, {options.megabytes:g} MB, {options.bandwidth:g} MB/s, "
          f"{options.latency:g} ms")
    print(f"{'hosts':>6} {f'{N} columns each':>16} {f'{options.columns:,} in all':>14} "
          f"{f'every {options.sync_every} steps':>16}")
    for hosts in [2**k for k in range(1, 11)]:
        time_sent, own = sent(hosts, options), options.compute
        fixed = own * options.columns / N / hosts + time_sent
        print(f"{hosts:6} {hosts * own / (own + time_sent):16.1f} {own * options.columns / N / fixed:14.1f} "
              f"{hosts * own / (own + time_sent / options.sync_every):16.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="ptb", help="a known name, a folder or a file (default: ptb)")
    parser.add_argument("--sizes", nargs="+", choices=tuple(SIZES), default=["small", "medium"])
    parser.add_argument("--repeats", type=int, default=5, help="turns (default: 5)")
    parser.add_argument("--steps", type=int, default=30, help="of a turn (default: 30)")
    parser.add_argument("--paper", action="store_true", help="print the model's curve instead")
    parser.add_argument("--compute", type=float, default=0.1, help="seconds of a step of one host (default: 0.1)")
    parser.add_argument("--megabytes", type=float, default=9.0, help="that travel in a step (default: 9)")
    parser.add_argument("--bandwidth", type=float, default=1100.0, help="MB/s of a host's network (default: 1100)")
    parser.add_argument("--latency", type=float, default=0.05, help="ms of a message (default: 0.05)")
    parser.add_argument("--columns", type=int, default=1280, help="of the fixed batch (default: 1,280)")
    parser.add_argument("--sync-every", type=int, default=500, help="steps of local training (default: 500)")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--launch", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(*options.measure)
    elif options.launch:
        launch(*options.launch)
    elif options.paper:
        paper(options)
    else:
        figures(options)


if __name__ == "__main__":
    main()
