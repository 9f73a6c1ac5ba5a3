"""The run folder: what a training run leaves behind, and the rule that no run replaces another unasked."""

import json
import time
from pathlib import Path

from rnnlm.checkpoint import MODEL_NAME
from rnnlm.cli.options import toml
from rnnlm.errors import RnnlmError
from rnnlm.files import reason, write_text
from rnnlm.plotting import plot_perplexity

NAMES = (MODEL_NAME, "metrics.jsonl", "perplexity.png", "config.toml")
REDRAW_SECONDS = 30  # a long run's picture can be looked at while it trains; a short one is drawn once


class RunFolder:
    """``path`` and what is in it: ``model`` (its path), ``records`` (the lines of metrics.jsonl)."""

    def __init__(self, path, overwrite=False):
        self.path, self.overwrite = Path(path), overwrite
        self.model = self.path / MODEL_NAME
        self.records = []
        self.drawn = time.monotonic()

    @classmethod
    def choose(cls, options):
        """The folder --output names, or a new one under runs/.  RnnlmError if it holds a run already."""
        if options.output is None:
            name = Path(options.corpus).resolve().stem
            numbered = (Path("runs") / (name if i == 1 else f"{name}-{i}") for i in range(1, 10**6))
            return cls(next(path for path in numbered if not path.exists()))
        folder = cls(options.output, options.overwrite)
        if folder.path.exists() and not folder.path.is_dir():
            raise RnnlmError(f"--output must be a folder, {folder.path} is a file: choose another name")
        if any((folder.path / name).exists() for name in NAMES) and not options.overwrite:
            raise RnnlmError(
                f"{folder.path} holds a run already: choose another --output, or give --overwrite to replace it"
            )
        return folder

    def open(self, options, title, best_possible):
        """Make the folder, sweep an overwritten run out of it and write config.toml."""
        self.title, self.best_possible = title, best_possible
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            for name in NAMES:
                (self.path / name).unlink(missing_ok=True)
        except OSError as error:
            raise RnnlmError(
                f"--output {self.path} could not be prepared: {reason(error)}; choose another folder"
            ) from error
        resolved = {**vars(options), "output": str(self.path)}
        for name in ("config", "overwrite", "debug"):  # they belong to the command, not to the run
            del resolved[name]
        write_text(self.path / "config.toml", toml(resolved))

    def add(self, record):
        """Append a record, a dict of JSON values, to metrics.jsonl; redraw the picture now and then."""
        self.records.append(record)
        try:
            with open(self.path / "metrics.jsonl", "a", encoding="utf-8") as file:
                file.write(json.dumps(record, allow_nan=False) + "\n")
        except OSError as error:
            raise RnnlmError(f"{self.path}/metrics.jsonl could not be written: {reason(error)}") from error
        if time.monotonic() - self.drawn > REDRAW_SECONDS:
            self.draw()

    def draw(self):
        """perplexity.png, from all records so far."""
        plot_perplexity(self.path / "perplexity.png", self.records, self.title, self.best_possible)
        self.drawn = time.monotonic()
