"""Kill training runs, resume them, and hold their ends to that of a run nobody killed.

    python tests/robustness/kill_runs.py --count 100
    python tests/robustness/kill_runs.py --count 100 --seeds 1-3

Every other run is killed (SIGKILL) at a random time, the others at a random call that
touches a file: before or after it, in the middle of an archive too.  Some are killed
again while they resume.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

OPTIONS = ["--hidden-size", "24", "--batch-size", "4", "--time-size", "12", "--lr", "0.02", "--epochs", "8",
           "--patience", "9", "--dropout", "0.3", "--threads", "1", "--checkpoint-minutes", "0.0005", "--cell", "lstm",
           "--tied", "--weight-drop", "0.2", "--random-start", "--random-length", "--average", "exponential",
           "--keep-every", "4k"]
TIMES = ("tokens_per_second", "seconds")  # what differs between any two runs

# The command, which kills itself at the K-th call of a function that touches a file
# (never where K is 0).
DRIVER = """
import os, signal, sys
import rnnlm.cli.train, numpy.lib.format, zipfile
at, left = sys.argv[1], int(sys.argv[2])

def deadly(function):
    def call(*arguments, **options):
        global left
        left -= 1
        if left == 0 and at == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments, **options)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return call

for module, names in ((os, ("open", "replace", "fsync", "unlink", "mkdir", "rmdir", "ftruncate")),
                      (zipfile.ZipFile, ("open", "close", "_write_end_record")), (numpy.lib.format, ("write_array",))):
    for name in names:
        setattr(module, name, deadly(getattr(module, name)))
code = rnnlm.cli.train.main(sys.argv[3:])
if at == "count":
    print(-left, file=sys.stderr)
sys.exit(code)
"""


def write_corpus(folder):
    """A small corpus of sentences that repeat in an order of their own."""
    choose = random.Random(1)
    words = "the a cat dog bird sat ran sang on to in mat door tree .".split()
    folder.mkdir()
    for split, lines in (("train", 900), ("valid", 60), ("test", 60)):
        text = "".join(" ".join(choose.choices(words, k=6)) + "\n" for _ in range(lines))
        (folder / f"{split}.txt").write_text(text, encoding="utf-8")
    return folder


def command(corpus, output, at="never", calls=0, resume=False, seeds=""):
    """The training command; seeds: as --seeds takes them, "": one run."""
    more = [*(["--resume"] if resume else []), *(["--seeds", seeds] if seeds else [])]
    return [sys.executable, "-c", DRIVER, at, str(calls), "--corpus", str(corpus), "--output", str(output),
            *OPTIONS, *more]


def what_counts(folder):
    """All of a finished run that must not depend on where it was interrupted.

    Of several seeds it is that of each, and their results.
    """
    if (folder / "seeds.json").exists():
        results = json.loads((folder / "seeds.json").read_text(encoding="utf-8"))
        results["runs"] = [run | {"seconds": None} for run in results["runs"]]
        found = {"results": results, "files": sorted(path.name for path in folder.iterdir())}
        return found | {run.name: what_counts(run) for run in folder.glob("seed-*")}
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    metrics = [{key: value for key, value in line.items() if key not in TIMES} for line in lines]
    with np.load(folder / "checkpoint.npz", allow_pickle=False) as members:
        arrays = {name: members[name].tobytes() for name in members.files if name not in ("header", "records")}
        numbers = json.loads(members["header"].tobytes())["numbers"] | {"seconds": None}
    left = sorted(path.name for path in folder.iterdir())
    models = {path.name: path.read_bytes() for path in (folder / "model.npz", *(folder / "kept").iterdir())}
    return {"models": models, "metrics": metrics, "arrays": arrays, "numbers": numbers, "files": left}


def reference(corpus, folder, seeds=""):
    """The run nobody kills: its results, its seconds, its calls that touch a file."""
    started = time.monotonic()
    done = subprocess.run(command(corpus, folder, "count", seeds=seeds), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return what_counts(folder), time.monotonic() - started, int(done.stderr.split()[-1])


def killed_and_resumed(corpus, folder, seconds, calls, seed, seeds=""):
    """One run, killed at least once, then left to end: (number of deaths, results)."""
    choose, deaths, resume = random.Random(seed), 0, False
    for _ in range(choose.choice((1, 1, 2, 3))):
        by_time = seed % 2 == 0
        at = "never" if by_time else choose.choice(("before", "after"))
        arguments = command(corpus, folder, at, choose.randint(1, calls), resume, seeds)
        with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            if by_time:
                try:
                    process.wait(choose.uniform(0, seconds))
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
            err = process.communicate(timeout=300)[1]
        assert process.returncode in (0, -signal.SIGKILL), err
        deaths += process.returncode != 0
        resume = True
    last = command(corpus, folder, resume=True, seeds=seeds)
    done = subprocess.run(last, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return deaths, what_counts(folder)


def torture(count, where, jobs=1, first_seed=0, seeds=""):
    """Kill ``count`` runs in a folder; returns (equal ends, deaths, what differed)."""
    corpus = write_corpus(where / "corpus")
    expected, seconds, calls = reference(corpus, where / "reference", *([seeds] if seeds else []))
    wrong, deaths = [], 0

    def one(seed):
        folder = where / f"run-{seed}"
        died, found = killed_and_resumed(corpus, folder, seconds, calls, seed, seeds)
        shutil.rmtree(folder)
        return died, [f"seed {seed}: {key} differs" for key, value in expected.items() if found.get(key) != value]

    with ThreadPoolExecutor(jobs) as pool:
        for died, differences in pool.map(one, range(first_seed, first_seed + count)):
            deaths += died
            wrong += differences
    return count - len({line.split(":")[0] for line in wrong}), deaths, wrong


def main():
    """Print how many of the killed runs ended as the one nobody killed."""
    parser = argparse.ArgumentParser(description="Kill training runs, resume them, compare their ends.")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--seeds", default="", help="train with several seeds: what --seeds of rnnlm train takes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        equal, deaths, wrong = torture(options.count, Path(folder), os.cpu_count(), options.first_seed,
                                       options.seeds)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{equal} of {options.count} runs, killed {deaths} times, ended as the run that nobody killed")
    return 0 if equal == options.count else 1


if __name__ == "__main__":
    sys.exit(main())
