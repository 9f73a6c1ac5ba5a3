"""Small training runs for tests: options, results, and signals at a chosen step."""

import json
import os

import numpy as np

from rnnlm.cli.train import main as train
from rnnlm.training.trainer import Trainer

SMALL = ["--hidden-size", "12", "--batch-size", "4", "--time-size", "7", "--lr", "0.02", "--dropout", "0.1",
         "--input-dropout", "0.1"]
TIMES = ("tokens_per_second", "seconds")  # what differs between any two runs


class Runs:
    """Calls of the training command on one corpus.

    ``runs(*arguments)`` returns (exit code, stdout, stderr).
    """

    def __init__(self, corpus, capsys, monkeypatch):
        self.corpus, self.capsys, self.monkeypatch = corpus, capsys, monkeypatch

    def __call__(self, *arguments, corpus=None, output="run"):
        where = ["--output", output] if output else []
        return self.bare("--corpus", str(corpus or self.corpus), *where, *SMALL, *arguments)

    def bare(self, *arguments):
        """The same with these arguments alone."""
        code = train(list(arguments))
        captured = self.capsys.readouterr()
        return code, captured.out, captured.err

    def stopped_at(self, step, signum, *arguments, times=1, **options):
        """A call with a signal in mid-step; steps count from 1 in this process."""
        count = 0
        plain = Trainer.step

        def signalled(trainer, xs, ts):
            nonlocal count
            count += 1
            if count == step:
                for _ in range(times):
                    os.kill(os.getpid(), signum)
            return plain(trainer, xs, ts)

        with self.monkeypatch.context() as patch:
            patch.setattr(Trainer, "step", signalled)
            return self(*arguments, **options)


class QuickPicture:
    """Stands for the picture of a run, which takes longer than the run."""

    def __init__(self, *arguments):
        pass

    def savefig(self, file, **options):
        file.write(b"\x89PNG" + b"IEND\xaeB`\x82")


def metrics(folder):
    """The lines of metrics.jsonl."""
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def without_times(folder):
    """The lines of metrics.jsonl but for what differs between any two runs."""
    return [{key: value for key, value in line.items() if key not in TIMES} for line in metrics(folder)]


def header_of(path):
    """The header of a checkpoint."""
    with np.load(path) as members:
        return json.loads(members["header"].tobytes())


def options_of(folder):
    """All options of a run as resolved, by name, from its checkpoint."""
    return header_of(folder / "checkpoint.npz")["run"]["options"]


def rows(out):
    """The lines of the printed table."""
    return [line for line in out.splitlines() if line.split()[0].isdigit()]
