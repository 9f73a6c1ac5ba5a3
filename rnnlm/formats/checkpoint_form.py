"""The form of a checkpoint: its values must be such as a trainer could have written."""

import math
from dataclasses import fields
from typing import get_type_hints

from rnnlm.compute.draws import SCHEMES
from rnnlm.compute.functions import perplexity
from rnnlm.errors import shown
from rnnlm.training.catching_up import SPAN
from rnnlm.training.records import Record

RECORDS = "records"
NOTHING_YET = "numbers.schedule.best"  # the one number that may be infinite
LARGEST = 1 << 128  # no number of a run is larger: those of the generator have 128 bits


def require_possible(values, trainer):
    """ValueError unless a trainer built like this one can have written these values."""
    require_form(values, trainer.values())
    if values["random_scheme"] not in SCHEMES:
        raise ValueError(f"numbers.random_scheme must be one of {SCHEMES}, got {values['random_scheme']}")
    unsettled = values["optimizer"].get("unsettled", 0)
    if unsettled > min(SPAN, values["optimizer"].get("steps", SPAN)):
        raise ValueError(f"{unsettled} unsettled steps of {values['optimizer']['steps']} cannot be right")
    sums, position = values["sums"], values["batches"]["position"]
    steps, targets = sums["steps"], sums["targets"]
    read = bool(steps) * position * trainer.batches.batch_size
    if targets != read or (steps and not (position and sums["seconds"])):
        raise ValueError(f"{steps} steps with {targets} targets to position {position} cannot be right")


def require_form(values, like, name="numbers"):
    """ValueError unless the values have the keys, types and strings of ``like``.

    No number may be below 0.
    """
    if isinstance(like, dict):
        if not isinstance(values, dict) or values.keys() != like.keys():
            raise ValueError(f"{name} must be an object of {', '.join(like)}")
        for key, value in like.items():
            require_form(values[key], value, f"{name}.{key}")
    elif isinstance(like, str):
        if values != like:
            raise ValueError(f"{name} must be {like}")
    elif type(values) is not type(like) or not (0 <= values < LARGEST or (values == math.inf and name == NOTHING_YET)):
        raise ValueError(f"{name} must be a number from 0 to below 2^128 ({type(like).__name__})")


def records_of(rows):
    """The Records in a checkpoint's table; ValueError if no run can have had them."""
    return [_record(epoch, row) for epoch, row in enumerate(rows, 1)]


def _record(epoch, row):
    """The Record in a row; ValueError if no epoch can have had these numbers."""
    values = dict(zip((field.name for field in fields(Record)), row, strict=True))
    valid_loss = values["valid_loss"]  # the one number that may be infinite or none
    numbers = [value for name, value in values.items() if name != "valid_loss" and "perplexity" not in name]
    if not all(math.isfinite(number) and number >= 0 for number in numbers) or valid_loss < 0:
        raise ValueError(f"{RECORDS} hold numbers that no epoch can have had: {shown(row)}")
    values |= {"train_perplexity": perplexity(values["train_loss"], 1), "valid_perplexity": perplexity(valid_loss, 1)}
    record = Record(**{name: kind(values[name]) for name, kind in get_type_hints(Record).items()})
    if record.epoch != epoch or (record.improved and not math.isfinite(valid_loss)):
        raise ValueError(f"{RECORDS} hold numbers that no epoch can have had: {shown(row)}")
    return record
