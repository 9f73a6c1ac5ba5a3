"""Where fetched and encoded texts are kept."""

import json
import os
import time
from contextlib import suppress
from pathlib import Path

from rnnlm.errors import RnnlmError

HALF_WRITTEN, UNUSED = 3600, 30 * 24 * 3600  # seconds after which files of the cache are removed


def cache_folder():
    """$RNNLM_CACHE, or the folder rnnlm in $XDG_CACHE_HOME or ~/.cache.

    RnnlmError where there is no home folder.
    """
    if os.environ.get("RNNLM_CACHE"):
        return Path(os.environ["RNNLM_CACHE"])
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rnnlm"
    except RuntimeError as error:
        raise RnnlmError("there is no home folder for the cache: set RNNLM_CACHE to a folder with free space"
                         ) from error


def sweep(folder):
    """Remove what a killed run left half-written, and what was unused for a month."""
    for path in folder.iterdir():
        with suppress(OSError):
            age = time.time() - path.stat().st_mtime
            if age > (HALF_WRITTEN if path.suffix == ".tmp" else UNUSED):
                path.unlink()


def read_json(path):
    """The content of a file of the cache; None if it is not there, or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
