"""Take a stopped run's folder away, let another begin in its name, look for a mix.

    python tests/robustness/lost_folders.py --count 50

The first run gets SIGSTOP at a random time; its folder is removed, moved, replaced by
that of a finished run, or emptied.  The second run begins in the same name, and the
first one continues at a random time of the second's life.  The first must end with exit
code 1 and one line, the second as if it had been alone.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kill_runs import command, reference, what_counts, write_corpus

KINDS = ("removed", "moved", "replaced", "emptied")
FIRST = ["--seed", "7", "--epochs", "100000", "--patience", "100000", "--keep-every", "1M"]  # it never ends by itself
SAYS = "was removed, emptied, moved or replaced while this run was working in it, so the run ends"
REFUSED = ("is in use by", "already holds a run")  # what the second may say of an emptied folder


def take_away(kind, folder, moved, finished):
    """Do to the folder what its kind says; the moved folder is kept at ``moved``."""
    if kind == "emptied":
        for path in folder.iterdir():
            path.unlink(missing_ok=True)
    elif kind == "removed":
        shutil.rmtree(folder)
    else:
        folder.rename(moved)
        if kind == "replaced":
            shutil.copytree(finished, folder)


def start(arguments):
    """A training run in a process of its own."""
    return subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def wait_for(path, process):
    """Wait until a file is there."""
    while not path.exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)


def end_of(process):
    """What a run prints until it ends; one that does not is killed."""
    try:
        return process.communicate(timeout=300)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[1]


def two_runs(corpus, where, finished, seconds, seed):
    """One trial; what was wrong in it, a list."""
    choose, kind = random.Random(seed), KINDS[seed % len(KINDS)]
    folder, moved = where / "run", where / "moved"
    second = command(corpus, folder) + (["--overwrite"] if kind == "replaced" else [])
    with start([*command(corpus, folder), *FIRST]) as one:
        try:
            wait_for(folder / "model.npz", one)
            time.sleep(choose.uniform(0, seconds / 4))
            one.send_signal(signal.SIGSTOP)
            take_away(kind, folder, moved, finished)
            with start(second) as other:
                time.sleep(choose.uniform(0, 1.2 * seconds))
                one.send_signal(signal.SIGCONT)
                other_err = other.communicate(timeout=300)[1]
            one_err = end_of(one)
        finally:
            one.kill()
    if kind == "emptied" and other.returncode == 1 and any(words in other_err for words in REFUSED):
        # The folder was still the first one's, or held what that was writing when it
        # was stopped.
        other = subprocess.run([*second, "--overwrite"], capture_output=True, text=True)
        other_err = other.stderr
    return list(complaints(kind, one, one_err, other, other_err, moved))


def complaints(kind, one, one_err, other, other_err, moved):
    """What is wrong with how the two ended."""
    errors = [line for line in one_err.splitlines() if ": error: " in line]
    if one.returncode != 1 or len(errors) != 1 or SAYS not in errors[0] or "Traceback" in one_err:
        yield f"the first ended with {one.returncode}, {one_err[-500:]!r}"
    if other.returncode != 0:
        yield f"the second ended with {other.returncode}, {other_err[-500:]!r}"
    if kind in ("moved", "replaced"):
        arguments = [sys.executable, "-m", "rnnlm", "train", "--resume", "--output", str(moved), "--epochs", "1"]
        done = subprocess.run(arguments, capture_output=True, text=True)
        seed = tomllib.loads((moved / "config.toml").read_text(encoding="utf-8"))["seed"]
        if done.returncode or seed != int(FIRST[1]):
            yield f"the moved run could not be resumed: {done.returncode}, seed {seed}, {done.stderr[-500:]!r}"


def torture(count, where, jobs=1, first_seed=0):
    """Make ``count`` trials in a folder; returns (good trials, what was wrong)."""
    corpus = write_corpus(where / "corpus")
    expected, seconds, _ = reference(corpus, where / "finished")

    def trial(seed):
        folder = where / f"trial-{seed}"
        folder.mkdir()
        wrong = two_runs(corpus, folder, where / "finished", seconds, seed)
        if not wrong:
            found = what_counts(folder / "run")
            wrong = [f"{key} of the second differs" for key, value in expected.items() if found[key] != value]
        shutil.rmtree(folder)
        return [f"seed {seed}, {KINDS[seed % len(KINDS)]}: {line}" for line in wrong]

    with ThreadPoolExecutor(jobs) as pool:
        found = list(pool.map(trial, range(first_seed, first_seed + count)))
    return sum(not wrong for wrong in found), [line for wrong in found for line in wrong]


def main():
    """Print how many of the trials never mixed."""
    parser = argparse.ArgumentParser(description="Take folders from runs; see that two runs never mix.")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--first-seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        right, wrong = torture(options.count, Path(folder), os.cpu_count(), options.first_seed)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{right} of {options.count} removed, moved, replaced and emptied folders: no two runs mixed")
    return 0 if right == options.count else 1


if __name__ == "__main__":
    sys.exit(main())
