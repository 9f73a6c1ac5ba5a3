"""The run folder: what a training run leaves behind, and the rule that no run replaces another unasked."""

import itertools
import json
import time
from pathlib import Path

from rnnlm.checkpoint import MODEL_NAME
from rnnlm.cli.command import note
from rnnlm.cli.options import toml
from rnnlm.errors import RnnlmError
from rnnlm.files import reason, write_text
from rnnlm.plotting import plot_perplexity

NAMES = (MODEL_NAME, "metrics.jsonl", "perplexity.png", "config.toml")
REDRAW_SECONDS = 30  # a long run's picture can be looked at while it trains; a short one is drawn once


def check_output(options):
    """RnnlmError if the folder that --output names cannot be the run's: to be called before anything is read."""
    if options.output is None:
        return
    path = Path(options.output)
    if path.exists() and not path.is_dir():
        raise RnnlmError(f"--output must be a folder, {path} is a file: choose another name")
    if not options.overwrite and any((path / name).exists() for name in NAMES):
        raise RnnlmError(f"{path} holds a run already: choose another --output, or give --overwrite to replace it")


class RunFolder:
    """A new run's folder: ``path``, ``model`` (the model file's path), ``records`` (the lines of metrics.jsonl).

    It is the one --output names, or a new one under runs/.  Made with an empty run inside: an
    overwritten run is swept out, config.toml is written.
    """

    def __init__(self, options, title, best_possible=None):
        self.title, self.best_possible = title, best_possible
        self.records = []
        self.drawn = time.monotonic()
        check_output(options)
        try:
            self.path = _path(options)
            self.path.mkdir(parents=True, exist_ok=True)
            for name in NAMES:
                (self.path / name).unlink(missing_ok=True)
        except OSError as error:
            raise RnnlmError(
                f"the output folder {options.output or 'runs'} could not be prepared: {reason(error)}; choose another"
            ) from error
        self.model = self.path / MODEL_NAME
        resolved = dict(vars(options))
        for name in ("config", "overwrite", "debug", "output"):  # they belong to the command, not to the run
            del resolved[name]
        write_text(self.path / "config.toml", f"# run folder: {str(self.path)!r}\n" + toml(resolved))

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
        """perplexity.png, from all records so far; a picture that fails is said and ends no run."""
        self.drawn = time.monotonic()
        try:
            plot_perplexity(self.path / "perplexity.png", self.records, self.title, self.best_possible)
        except Exception as error:  # whatever matplotlib meets: fonts, a broken installation, a full disk
            note(f"note: perplexity.png could not be drawn: {error}")


def _path(options):
    """The folder of --output, or one under runs/ that is called like the corpus."""
    if options.output:
        return Path(options.output)
    name = Path(options.corpus).resolve().stem
    if options.overwrite:
        return Path("runs") / name
    path = _new_folder(name)
    if path.name != name:
        note(f"note: runs/{name} is taken, this run goes to {path} (--overwrite replaces it)")
    return path


def _new_folder(name):
    """Make runs/NAME, or the first of runs/NAME-2, runs/NAME-3, ... that is not there; two runs never share one."""
    for number in itertools.count(1):
        path = Path("runs") / (name if number == 1 else f"{name}-{number}")
        path.parent.mkdir(exist_ok=True)
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
