"""Files of gradient statistics, with which a model is evaluated dynamically.

They are archives (rnnlm/files/archive.py), as model files are: a header and an array of
mean squares for each parameter.  The header has the SHA-256 of the model file that the
statistics are of.  docs/file-formats.md describes the format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.files.archive import open_archive, write_archive
from rnnlm.files.finite import require_finite
from rnnlm.models.gradient_statistics import GradientStatistics

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

STATISTICS_NAME = "statistics.npz"
FORMAT, VERSION = "rnnlm gradient statistics", 1
KIND = "a whole file of gradient statistics"
NUMBERS = ("window", "batch", "steps")
LARGEST = 1 << 53


class OtherStatisticsError(RnnlmError):
    """The file is whole, but its statistics are of another model or window."""


def save_statistics(path: str | os.PathLike[str], statistics: GradientStatistics, sha256: str, text: str) -> None:
    """Write a file of statistics, whole or not at all.

    Parameters
    ----------
    path : where to write.
    statistics : GradientStatistics.
    sha256 : that of the model's file.
    text : the fingerprint of the training text.
    """
    header = {"format": FORMAT, "version": VERSION, "model": sha256, "text": text,
              **{name: getattr(statistics, name) for name in NUMBERS}}
    with np.errstate(over="ignore"):  # said in one line
        arrays = {name: array.astype(np.float32, copy=False) for name, array in statistics.mean_squares.items()}
    require_finite(arrays)
    write_archive(path, header, arrays)


def load_statistics(path: str | os.PathLike[str], shapes: Mapping[str, tuple[int, ...]], sha256: str,
                    window: int) -> GradientStatistics:
    """The GradientStatistics of a file.

    Parameters
    ----------
    path : of the file.
    shapes : those of the model's parameters by name.
    sha256 : that of the model's file.
    window : the window of the dynamic evaluation to come.

    Raises
    ------
    OtherStatisticsError : they are of another model or window.
    RnnlmError : there is no such file, or it is damaged.
    """
    with open_archive(path, KIND) as archive:
        archive.require_kind(FORMAT, VERSION)
        numbers = {name: archive.header.get(name) for name in NUMBERS}
        if not all(type(value) is int and 0 < value < LARGEST for value in numbers.values()):
            raise ValueError(f"{', '.join(NUMBERS)} must be whole numbers above 0")
        fits = archive.header.get("model") == sha256
        if fits and numbers["window"] == window:
            archive.require_names(shapes)
            archive.require(shapes)
            return GradientStatistics({name: _read(archive, name, shape) for name, shape in shapes.items()}, **numbers)
    if fits:
        raise OtherStatisticsError(f"{path} has the statistics of windows of {numbers['window']}, not {window}: name "
                                   "another file, which is then made")
    raise OtherStatisticsError(f"{path} has the statistics of another model: name another file, which is then made")


def _read(archive, name, shape):
    """The mean squares of a parameter."""
    array = np.empty(shape, np.float32)
    archive.read_finite(name, array)
    if (array < 0).any():
        raise ValueError(f"{name} has mean squares below 0")
    return array
