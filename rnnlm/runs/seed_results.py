"""What the runs of several seeds reached: each of them, mean and standard deviation.

seeds.json holds it, so that a run that ended is not looked at again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rnnlm.compute.functions import perplexity
from rnnlm.errors import counted, quoted, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

VERSION = 1
MOST_EPOCHS = 10**6  # more lines than any run has
RUN_KEYS = ("seed", "error", "epochs", "patience", "best_epoch", "seconds", "test_loss", "valid_losses")


@dataclass(frozen=True)
class SeedRun:
    """The run of one seed, which ended.

    Attributes
    ----------
    seed : its seed.
    folder : its run folder.
    error : why it ended early, in a line; None: it did not.
    epochs, patience : the options with which it ended.
    best_epoch : the epoch whose model is kept; None: there is none.
    seconds : of training, pauses left out.
    test_loss : nats per token of the test text by the best model; None: not known.
    valid_losses : those of the validation text, for each epoch; may be infinite.
    """

    seed: int
    folder: Path
    error: str | None = None
    epochs: int | None = None
    patience: int | None = None
    best_epoch: int | None = None
    seconds: float = 0.0
    test_loss: float | None = None
    valid_losses: list[float] = field(default_factory=list, repr=False)

    @property
    def valid_perplexity(self) -> float:
        """The validation perplexity of the best model; nan without one."""
        return perplexity(self.valid_losses[self.best_epoch - 1], 1) if self.best_epoch else math.nan

    @property
    def test_perplexity(self) -> float:
        """The test perplexity of the best model; nan where it is not known."""
        return math.nan if self.test_loss is None else perplexity(self.test_loss, 1)


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation of numbers, which divides by n - 1; nan for one."""

    mean: float
    standard_deviation: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """The Spread of at least one number; the deviation may be nan."""
        values = list(values)
        mean = math.fsum(values) / len(values)
        if len(values) < 2 or not math.isfinite(mean):
            return cls(mean, math.nan)
        return cls(mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)))


@dataclass
class Seeds:
    """The runs of several seeds.

    Attributes
    ----------
    folder : the folder that holds their run folders, seeds.json and the picture.
    seeds : the seeds that were asked for.
    runs : a SeedRun for each that ended, by seed.
    """

    folder: Path
    seeds: list[int]
    runs: list[SeedRun]

    @property
    def finished(self) -> list[SeedRun]:
        """The runs that ended without an error: the numbers are of these."""
        return [run for run in self.runs if run.error is None]

    @property
    def failed(self) -> list[SeedRun]:
        """The runs that ended early; each has its ``error``."""
        return [run for run in self.runs if run.error is not None]

    @property
    def valid(self) -> Spread:
        """That of the best validation perplexities."""
        return Spread.of(run.valid_perplexity for run in self.finished)

    @property
    def test(self) -> Spread:
        """That of the test perplexities."""
        return Spread.of(run.test_perplexity for run in self.finished)

    @property
    def failure(self) -> str:
        """A line on the runs that ended early."""
        first, names = self.failed[0], ", ".join(str(run.seed) for run in self.failed)
        return (f"{counted(len(self.failed), 'seed')} of {len(self.seeds)} ended early ({names}); seed {first.seed}: "
                f"{first.error}; all others are kept, and rnnlm train --resume --output {quoted(self.folder)} tries "
                "again")

    def as_json(self) -> dict:
        """A dict for JSON, with null for infinity and what is not known."""
        values = {"version": VERSION, "seeds": self.seeds, "runs": [_run_as_json(run) for run in self.runs]}
        for name in ("valid", "test") if self.finished else ():
            spread = getattr(self, name)
            values[f"{name}_perplexity"] = {"n": len(self.finished), "mean": _finite(spread.mean),
                                            "standard_deviation": _finite(spread.standard_deviation)}
        return values

    @classmethod
    def from_json(cls, folder: Path, values: dict, folder_of: object) -> Seeds:
        """What ``as_json`` gave; ValueError if it did not give that.

        folder_of: function from a seed to the name of its run folder.
        """
        if not isinstance(values, dict) or values.get("version") != VERSION:
            raise ValueError(f"it must be a JSON object of version {VERSION}")
        seeds, runs = values.get("seeds"), values.get("runs")
        if not (isinstance(seeds, list) and all(map(_is_seed, seeds)) and seeds == sorted(set(seeds))):
            raise ValueError("seeds must be whole numbers in rising order")
        if not isinstance(runs, list):
            raise ValueError("runs must be a list")
        found = [_run_from_json(run, folder, folder_of) for run in runs]
        if [run.seed for run in found] != sorted({run.seed for run in found} & set(seeds)):
            raise ValueError("each run must be of another seed, in rising order")
        return cls(folder, seeds, found)


def _finite(value):
    return value if value is not None and math.isfinite(value) else None


def _run_as_json(run):
    values = {key: getattr(run, key) for key in RUN_KEYS}
    values["valid_losses"] = [*map(_finite, run.valid_losses)]
    values["test_loss"] = _finite(run.test_loss)
    return values | {"valid_perplexity": _finite(run.valid_perplexity),
                     "test_perplexity": _finite(run.test_perplexity)}


def _run_from_json(values, folder, folder_of):
    """The SeedRun in a dict; ValueError if no run has these values."""
    if not isinstance(values, dict) or not values.keys() >= set(RUN_KEYS):
        raise ValueError(f"a run must be an object with the keys {', '.join(RUN_KEYS)}")
    if wrong := next((key for key, rule in RULES.items() if not rule(values[key])), None):
        raise ValueError(f"{wrong} of a run cannot be {shown(repr(values[wrong]))}")
    losses = [math.inf if loss is None else loss for loss in values["valid_losses"]]
    found = SeedRun(**{key: values[key] for key in RUN_KEYS} | {"folder": folder / folder_of(values["seed"]),
                                                               "valid_losses": losses})
    if (found.error is None and not found.best_epoch) or (found.best_epoch or 0) > len(losses):
        raise ValueError(f"best_epoch of a run cannot be {found.best_epoch}")
    if found.error is None and found.test_loss is None:
        return SeedRun(**vars(found) | {"test_loss": math.inf})
    return found


def _is_count(value):
    return type(value) is int and 0 <= value < 1 << 62


def _is_seed(value):
    return type(value) is int and 0 <= value < 1 << 128


def _is_loss(value):
    return value is None or (type(value) in (int, float) and 0 <= value < math.inf)


def _none_or(rule):
    return lambda value: value is None or rule(value)


RULES = {
    "seed": _is_seed, "error": _none_or(lambda value: isinstance(value, str)), "epochs": _none_or(_is_count),
    "patience": _none_or(_is_count), "best_epoch": _none_or(_is_count),
    "seconds": lambda value: value is not None and _is_loss(value), "test_loss": _is_loss,
    "valid_losses": lambda value: isinstance(value, list) and len(value) <= MOST_EPOCHS and all(map(_is_loss, value))}
