"""Training on a text that is larger than the memory a process may have.

    python benchmarks/large_corpus.py --bytes 2400000000 --limit 400000000

Writes a text of so many bytes: documents between blank lines, about 500 words each,
drawn by Zipf's law from 5,000, in parts of a million words that recur.  Trains on it by
``rnnlm train --shuffle documents``, in processes that may have ``--limit`` bytes of
memory of their own (RLIMIT_DATA: what they allocate, not the pages of mapped files,
which the system takes back when it needs them).  One run is stopped after ``--steps``
steps.  Another one is killed on its way, resumed, and stopped there, too: the
checkpoints of both must be equal.

A row for each process: seconds, and the most memory of its own (RssAnon) and of mapped
files (RssFile) that it had.  Linux alone counts these.  The first process encodes the
text; how fast a step is, and what shuffling adds to it, is in the last lines.  Options
of ``rnnlm train`` may follow ``--``.
"""

import argparse
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

LINE, DOCUMENT = 20, 500  # words, on average
MEASURED = "RssAnon", "RssFile"


def write_corpus(folder, size):
    """A corpus whose training text has about ``size`` bytes."""
    rng = np.random.default_rng(0)
    words = np.array([f"w{i:x}" for i in range(5000)])
    shares = (1 / np.arange(1, len(words) + 1)).cumsum()

    def text(count):
        drawn = words[shares.searchsorted(rng.random(count) * shares[-1])]
        ends = np.where(rng.random(count) < LINE / DOCUMENT, "\n\n", "\n")
        return "".join(np.char.add(drawn, np.where(rng.random(count) < 1 / LINE, ends, " ")).tolist())

    parts = [text(min(size, 1_000_000)) for _ in range(8)]
    with open(folder / "train.txt", "w", encoding="ascii") as file:
        while file.tell() < size:
            file.write(parts[rng.integers(len(parts))])
        file.write("\n")
    for split in ("valid", "test"):
        (folder / f"{split}.txt").write_text(text(2000) + "\n", encoding="ascii")


def train_until(step, signum, limit, options):
    """The command, which gets a signal after some steps; at last prints a JSON line."""
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    from rnnlm.cli.train import main
    from rnnlm.text.batches import TimeBatches
    from rnnlm.training.trainer import Trainer

    steps, reads = [], []
    plain, windows = Trainer.step, TimeBatches.__iter__

    def timed_step(trainer, xs, ts):
        started = time.perf_counter()
        done = plain(trainer, xs, ts)
        steps.append(time.perf_counter() - started)
        if trainer.iteration == step:
            os.kill(os.getpid(), signum)
        return done

    def timed_windows(batches):
        source = windows(batches)
        while True:
            started = time.perf_counter()
            window = next(source, None)
            reads.append(time.perf_counter() - started)
            if window is None:
                return
            yield window

    Trainer.step, TimeBatches.__iter__ = timed_step, timed_windows
    main(options)
    print(json.dumps({"first": reads[0], "window": statistics.median(reads), "step": statistics.median(steps)}))


def measured(name, *arguments):
    """A process of this file: prints its row, and returns what it said in JSON."""
    began, peaks = time.perf_counter(), dict.fromkeys(MEASURED, 0)
    with subprocess.Popen([sys.executable, __file__, *map(str, arguments)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True) as process:  # its few lines fit the pipe
        while process.poll() is None:
            for line in Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines():
                if (key := line.split(":")[0]) in peaks:
                    peaks[key] = max(peaks[key], int(line.split()[1]) / 1000)
            time.sleep(0.01)
        *told, last = process.stdout.read().splitlines()
    if process.returncode not in (0, -signal.SIGKILL):
        raise SystemExit("\n".join([*told, last]))
    print(f"| {name} | {time.perf_counter() - began:.1f} s | {peaks['RssAnon']:,.0f} MB | {peaks['RssFile']:,.0f} MB |",
          flush=True)
    return json.loads(last) if process.returncode == 0 else {}


def arrays(folder):
    """What a checkpoint says of where a run is, but for the times."""
    with np.load(folder / "checkpoint.npz") as members:
        found = {name: members[name].tobytes() for name in members.files if name != "header"}
        numbers = json.loads(members["header"].tobytes())["numbers"]
    del numbers["seconds"], numbers["sums"]["seconds"]
    return found, numbers


def main(argv=None):
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytes", type=int, default=2_400_000_000, help="size of the text")
    parser.add_argument("--limit", type=int, default=400_000_000, help="memory of a process, bytes")
    parser.add_argument("--steps", type=int, default=3000, help="steps of each run")
    parser.add_argument("--folder", type=Path, help="where the text and the cache go (default: a temporary folder)")
    parser.add_argument("options", nargs="*", help="of rnnlm train")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        os.environ["RNNLM_CACHE"] = str(Path(name) / "cache")
        compare(Path(name), args)


def compare(folder, args):
    """The two runs."""
    write_corpus(folder, args.bytes)
    common = ["--corpus", str(folder), "--shuffle", "documents", "--hidden-size", "32", "--threads", "1",
              *args.options]

    def run(label, output, step, signum, *options):
        return measured(label, "--until", step, int(signum), args.limit, *common, "--output", folder / output, *options)

    print("| process | seconds | RssAnon | RssFile |\n|---|---|---|---|", flush=True)
    run("encoding, one step", "first", 1, signal.SIGTERM)
    whole = run("not interrupted", "whole", args.steps, signal.SIGTERM)
    run("killed", "run", args.steps // 2, signal.SIGKILL, "--checkpoint-minutes", "0.02")
    run("resumed", "run", args.steps, signal.SIGTERM, "--resume")
    if arrays(folder / "run") != arrays(folder / "whole"):
        raise SystemExit("the checkpoints differ")
    cached = sum(path.stat().st_size for path in (folder / "cache").rglob("*") if path.is_file())
    print(f"The checkpoints are equal.  The text has {(folder / 'train.txt').stat().st_size:,} bytes, the cache "
          f"{cached:,}.\nThe first window took {whole['first']:.2f} s, the others {1e6 * whole['window']:.0f} µs, "
          f"a step {1e6 * whole['step']:,.0f} µs (medians).")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--until"]:
        at, number, most, *rest = sys.argv[2:]
        train_until(int(at), int(number), int(most), rest)
    else:
        main()
