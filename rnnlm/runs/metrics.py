"""metrics.jsonl: a line of JSON for each epoch."""

import json
import math
from dataclasses import asdict

from rnnlm.files.whole import written


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
