"""A run as ``rnnlm compare`` sees it: what its folder tells, whoever wrote it and when.

The folder of an earlier version has no summary.json, and that of a run that removed its
checkpoints has none of these.  What none of the files tells is not known: it is None,
or NOT_KNOWN for an option.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rnnlm.errors import DamagedError, RnnlmError, one_line
from rnnlm.formats.checkpoint import read_checkpoint_header
from rnnlm.formats.model_file import MODEL_NAME, read_model_form
from rnnlm.models.architecture import Architecture
from rnnlm.runs.checkpoint_files import CHECKPOINTS
from rnnlm.runs.configuration import CONFIG, read_config
from rnnlm.runs.metrics import METRICS, read_metrics
from rnnlm.runs.options import TRAIN
from rnnlm.runs.resuming import saved_options
from rnnlm.runs.summary import Summary, read_summary
from rnnlm.text.choose_tokenizer import chosen
from rnnlm.text.corpora import corpus_name

if TYPE_CHECKING:
    from types import SimpleNamespace
    from typing import Any

    from rnnlm.training.records import Record

NOT_KNOWN = "NA"  # of an option: None is the value of some


@dataclass(frozen=True, eq=False)
class ComparedRun:
    """What is known of a run.

    Attributes
    ----------
    path : of its folder, as given.
    options : all options as attributes, ``given`` among them.
    records : the Record of each epoch that is over.
    summary : its Summary; None: of an earlier version.
    sha256 : of all that it reads (hex); None: not known.
    architecture : of its model; None: not known.
    known : the names of the options that are on record; None: all are.
    """

    path: str
    options: SimpleNamespace
    records: list[Record]
    summary: Summary | None
    sha256: str | None
    architecture: Architecture | None
    known: frozenset[str] | None = None

    def knows(self, option: str) -> bool:
        """Whether the value of an option is on record."""
        return self.known is None or option in self.known

    def value(self, option: str) -> Any:
        """The value of an option, or NOT_KNOWN."""
        return getattr(self.options, option) if self.knows(option) else NOT_KNOWN

    @property
    def best(self) -> Record | None:
        """The Record of the epoch whose model was kept; None if there is none."""
        return next((record for record in reversed(self.records) if record.improved), None)

    @property
    def corpus(self) -> str | None:
        """What its corpus is called; None: not known."""
        if self.summary:
            return self.summary.corpus
        return corpus_name(self.options.corpus) if self.knows("corpus") else None

    @property
    def minutes(self) -> float | None:
        """How long it trained and validated; None before the end of the first epoch."""
        return self.records[-1].seconds / 60 if self.records else None

    @property
    def parameters(self) -> int | None:
        """How many numbers its model learns."""
        if self.summary:
            return self.summary.parameters
        return self.architecture and sum(math.prod(shape) for shape in self.architecture.shapes().values())

    @property
    def vocabulary(self) -> int | None:
        """How many entries its vocabulary has."""
        return self.summary.vocabulary if self.summary else self.architecture and self.architecture.vocab_size

    @property
    def unk_share(self) -> float | None:
        """The share of the validation targets that are <unk>."""
        return self.summary.valid.unk / self.summary.valid.targets if self.summary else None

    @property
    def test_loss(self) -> float | None:
        """Nats per token of the test text, by the model that was kept last."""
        told = self.summary and self.best and self.summary.test_epoch == self.best.epoch
        return self.summary.test_loss if told else None

    def bits_per_character(self, loss: float) -> float | None:
        """A loss as bits per character, for a model of characters."""
        return loss / math.log(2) if self.options.level == "char" else None

    def bits_per_byte(self, loss: float) -> float | None:
        """A loss on the validation text as bits for each byte of it.

        Where ``bits_are_least`` says so, it is a lower bound.
        """
        valid = self.summary and self.summary.valid
        return loss / math.log(2) * valid.targets / valid.bytes if valid and valid.bytes else None

    @property
    def bits_are_least(self) -> bool:
        """Whether bits per byte leave out what the tokens do not tell of the text."""
        return bool(self.summary and self.summary.valid.lost)


def is_run(path: str | os.PathLike[str]) -> bool:
    """Whether there is the folder of a run, begun or finished."""
    return any(os.path.exists(os.path.join(path, name)) for name in (METRICS, CONFIG, *CHECKPOINTS))


def read_run(path: str | os.PathLike[str]) -> ComparedRun:
    """The ComparedRun in a folder.

    RnnlmError if there is none, or one of its files is not what a run writes.
    """
    if not is_run(path):
        raise RnnlmError(f"{one_line(str(path))} holds no run: give the folder of one")
    summary, header = read_summary(path), _header(path)
    metrics = Path(path, METRICS)
    records = read_metrics(metrics) if metrics.exists() else []
    if header is None:
        options, known, architecture = _by_other_files(path)
        sha256 = None
    else:
        options, known = saved_options(header, one_line(str(path))), None
        architecture = Architecture.from_file(header["architecture"])
        sha256 = header["run"].get("corpus")
    return ComparedRun(str(path), options, records, summary, summary.corpus_sha256 if summary else sha256, architecture,
                       known)


def _header(path):
    """The header of the newest checkpoint that is whole; None without one."""
    for name in CHECKPOINTS:
        try:
            if os.path.exists(file := Path(path, name)):
                return read_checkpoint_header(file)
        except DamagedError:
            continue
    return None


def _by_other_files(path):
    """The options of a run without a checkpoint, those known, and its Architecture."""
    config = Path(path, CONFIG)
    has_config = config.exists()
    given = read_config(config).given(str(config)) if has_config else {}
    if not os.path.exists(Path(path, MODEL_NAME)):
        return TRAIN.resolved(given), None if has_config else frozenset(), None
    architecture, tokenizer = read_model_form(path)
    of_model = {name: value for name, value in (dict(architecture) | chosen(tokenizer)).items()
                if name in TRAIN.by_name and name != "vocab_size"}  # which is another thing: of subwords to learn
    known = None if has_config else frozenset(of_model)
    if architecture.tied and architecture.wordvec_size != architecture.hidden_size:
        del of_model["projection"]  # which it has anyway
    options = TRAIN.resolved(given | of_model)
    options.given = [name for name in options.given if name in given]
    return options, known, architecture
