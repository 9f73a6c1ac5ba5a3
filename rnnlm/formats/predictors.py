"""What may stand where a command asks for a MODEL: a network or an n-gram model."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rnnlm.formats.arpa_parsing import begins_as_arpa
from rnnlm.formats.model_file import load_model_and_sha256
from rnnlm.text.sources import is_pipe

if TYPE_CHECKING:
    from rnnlm.compute.threads import Workers
    from rnnlm.scoring.predictor import Predictor
    from rnnlm.text.vocabulary import Vocabulary

ARPA_NAMES = (".arpa", ".lm")
COMPRESSED = (".gz", ".bz2", ".xz", ".zst")


def load_predictor(path: str | os.PathLike[str],
                   workers: Workers | None = None) -> tuple[Predictor, Vocabulary, str]:
    """The predictor, the vocabulary and the SHA-256 (hex) of a file.

    Parameters
    ----------
    path : of a model file, of a run folder, or of an ARPA file, which may be a pipe;
        ``-`` is standard input.
    workers : the Workers that a network will compute on; None: see LanguageModel.

    Raises
    ------
    RnnlmError : there is no such file, or it is damaged.
    """
    if is_arpa(path):
        from rnnlm.formats.arpa_reading import read_arpa_and_sha256

        return read_arpa_and_sha256(path)
    return load_model_and_sha256(path, workers)


def is_arpa(path: str | os.PathLike[str]) -> bool:
    """Whether a file is an ARPA file, by its name or by its first bytes.

    A pipe can be nothing else: a model file is read in no order.
    """
    if is_pipe(path):
        return True
    if not isinstance(path, str | os.PathLike) or not os.path.isfile(path):
        return False  # a folder or nothing, of which a model's reader knows what to say
    stem, ending = os.path.splitext(os.fsdecode(path).lower())
    if ending in ARPA_NAMES or (ending in COMPRESSED and stem.endswith(ARPA_NAMES)):
        return True
    return begins_as_arpa(path)
