"""Kept models: those that a run keeps on its way, for learning curves.

They are model files in the folder ``kept`` of the run folder.  A file's name has the
mark, the number of tokens at which the run was asked to keep a model (see
rnnlm/formats/kept_names.py).  The file itself says how many tokens the training had
read, which is a little more: a model is kept between two steps.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rnnlm.compute import arguments
from rnnlm.errors import DamagedError, RnnlmError, one_line, shown
from rnnlm.files.whole import reason
from rnnlm.formats.kept_names import KEPT, LARGEST_MARK, mark_of
from rnnlm.formats.loaded import Loaded
from rnnlm.formats.model_file import load_model_and_sha256, read_model_training
from rnnlm.formats.seed_names import one_of_several

if TYPE_CHECKING:
    from rnnlm.compute.threads import Workers
    from rnnlm.models import LanguageModel
    from rnnlm.text.vocabulary import Vocabulary


@dataclass(frozen=True)
class KeptModel:
    """A kept model.

    Attributes
    ----------
    path : of its model file.
    tokens : how many targets the training had read, line ends included.
    """

    path: Path
    tokens: int

    def load(self) -> Loaded:
        """The model with its vocabulary, as ``rnnlm.load`` returns it.

        RnnlmError if it is gone or not whole.
        """
        return Loaded(*self.load_with_sha256()[:2])

    def load_with_sha256(self, workers: Workers | None = None) -> tuple[LanguageModel, Vocabulary, str]:
        """What ``rnnlm.formats.model_file.load_model_and_sha256`` gives of it.

        Errors: see ``load``.
        """
        with _leaving_out():
            return load_model_and_sha256(self.path, workers)


def kept_models(run: str | os.PathLike[str]) -> list[KeptModel]:
    """The kept models of a run, the earliest first.

    Their headers are read, the models are not.

    Parameters
    ----------
    run : the path of the run folder.

    Raises
    ------
    RnnlmError : there is no such folder, it holds no kept model, or one is not whole.
    """
    arguments.path("run", run, remedy="kept_models takes the folder of a run")
    folder = Path(run) / KEPT
    shown_run = one_line(str(run))
    if not os.path.isdir(run):
        raise RnnlmError(f"kept models are in the folder of a run, {shown_run} is none: give the run folder")
    try:
        names = sorted(filter(mark_of, os.listdir(folder)))
    except FileNotFoundError:
        names = []
    except OSError as error:
        raise RnnlmError(f"{one_line(str(folder))} could not be read: {reason(error)}") from error
    if not names:
        raise RnnlmError(one_of_several(run) or f"{shown_run} holds no kept models: train with --keep-every or "
                         "--keep-at to keep some")
    return [KeptModel(folder / name, _tokens(folder / name)) for name in names]


def _tokens(path):
    """The number of tokens in the header of a kept model."""
    with _leaving_out():
        training = read_model_training(path)
    tokens = training.get("tokens") if isinstance(training, dict) else None
    if type(tokens) is not int or not 1 <= tokens <= 10 * LARGEST_MARK:
        raise RnnlmError(f"{path} must say after how many tokens the model was kept, got {shown(repr(tokens))}: "
                         "move it out of the folder to use the others")
    return tokens


@contextmanager
def _leaving_out():
    """A block that reads a kept model; the error of a damaged one says what to do."""
    try:
        yield
    except DamagedError as error:
        raise DamagedError(f"{error}; move it out of the folder to use the others") from error
