"""The names in a folder that holds the runs of several seeds (``--seeds``)."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from rnnlm.errors import one_line

SEEDS = "seeds.json"  # the results
MOST_NAMED = 5        # folders in a message
_NAME = re.compile(r"seed-(0|[1-9]\d{0,38})", re.ASCII)


def seed_folder(seed: int) -> str:
    """The name of the folder with the run of a seed."""
    return f"seed-{seed}"


def seed_of(name: str) -> int | None:
    """The seed in the name of a folder; None if it is no such name."""
    match = _NAME.fullmatch(name)
    return int(match[1]) if match else None


def seed_folders(path: str | os.PathLike[str]) -> list[Path]:
    """The folders of seeds in a folder, by their seeds; [] if there are none."""
    names = []
    with suppress(OSError):
        names = [name for name in os.listdir(path) if seed_of(name) is not None]
    return [folder for name in sorted(names, key=seed_of) if (folder := Path(path) / name).is_dir()]


def one_of_several(path: str | os.PathLike[str]) -> str:
    """What is wrong where one run is asked for, and the folder has several; or ""."""
    inside = [one_line(str(folder)) for folder in seed_folders(path)]
    if not inside:
        return ""
    more = ", ..." if len(inside) > MOST_NAMED else ""
    return (f"{one_line(str(path))} holds the runs of several seeds: give one of them, "
            f"{', '.join(inside[:MOST_NAMED])}{more}")
