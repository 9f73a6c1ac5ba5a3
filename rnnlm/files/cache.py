"""Where fetched and encoded texts are kept."""

import os
from pathlib import Path

from rnnlm.errors import RnnlmError


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
