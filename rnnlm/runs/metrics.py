"""metrics.jsonl: a line of JSON for each epoch."""

import json
import math
from dataclasses import asdict, fields

from rnnlm.errors import RnnlmError, shown
from rnnlm.files.strict_json import loads
from rnnlm.files.whole import reason, written
from rnnlm.formats.checkpoint_form import records_of
from rnnlm.training.records import Record

METRICS = "metrics.jsonl"
LARGEST_METRICS = 1 << 28  # bytes; a line has 350
MOST = 1 << 62  # no number of a line is larger, but a perplexity
KEYS = [field.name for field in fields(Record)]


def as_json(record):
    """A Record as a dict for JSON; null replaces infinity and not-a-number."""
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in asdict(record).items()}


def as_line(record):
    """The line of a Record."""
    return json.dumps(as_json(record), allow_nan=False) + "\n"


def append_line(metrics, record):
    """Append a Record to the File of the metrics, whole or not at all."""
    line = as_line(record).encode()
    with written(metrics), metrics.open("ab", buffering=0) as file:
        size = file.tell()
        try:
            if file.write(line) != len(line):
                raise OSError("no room for the whole line")
        except OSError:
            file.truncate(size)
            raise


def read_metrics(path):
    """The Records in a metrics.jsonl, a list; a line that is not whole is left out.

    RnnlmError if it cannot be read, or holds what no run writes.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST_METRICS + 1)
    except OSError as error:
        raise RnnlmError(f"{path} could not be read: {reason(error)}") from error
    if len(content) > LARGEST_METRICS:
        raise RnnlmError(f"{path} must be the metrics of a run, of at most {LARGEST_METRICS:,} bytes; it has more")
    *lines, _ = content.split(b"\n")  # what follows the last line end is being written
    rows = []
    try:
        for number, line in enumerate(lines, 1):
            rows.append(_row(loads(line.decode("utf-8"), f"line {number}"), f"line {number}"))
        return records_of(rows)
    except ValueError as error:
        raise RnnlmError(f"{path} must be the metrics of a run: {shown(str(error))}") from error


def _row(line, name):
    """The values of a line in the order of a Record's fields; ValueError if some lack.

    Perplexities, which follow from the losses, are left at 0.  An infinite loss is
    null.
    """
    if not isinstance(line, dict) or not line.keys() >= set(KEYS):
        raise ValueError(f"{name} must be a JSON object with the keys {', '.join(KEYS)}")
    values = [0 if "perplexity" in key else math.inf if line[key] is None else line[key] for key in KEYS]
    if not all(isinstance(value, int | float) and (abs(value) <= MOST or value == math.inf) for value in values):
        raise ValueError(f"{name} holds what is no number, or too large a one: {shown(line)}")
    return [float(value) for value in values]
