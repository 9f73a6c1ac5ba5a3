"""Where fetched and encoded texts are kept."""

import os
from pathlib import Path

from rnnlm.errors import RnnlmError


def cache_folder():
    """Where fetched and encoded texts are kept: $RNNLM_CACHE, or rnnlm in $XDG_CACHE_HOME or ~/.cache."""
    if os.environ.get("RNNLM_CACHE"):
        return Path(os.environ["RNNLM_CACHE"])
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rnnlm"
    except RuntimeError as error:
        raise RnnlmError("there is no home folder for the cache: set RNNLM_CACHE to a folder with free space"
                         ) from error
