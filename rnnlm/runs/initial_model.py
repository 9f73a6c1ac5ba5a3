"""The model that a run begins from (--init-from): what it decides, and its weights.

It decides the sizes and the level: they are options of the run as if they had been
given.  Its vocabulary is the run's, perhaps with new words.  A checkpoint keeps the
vocabulary and says which model it was, so that the file is read once, at the beginning.
"""

import math
import os
from dataclasses import dataclass, field, fields, replace

import numpy as np

from rnnlm.errors import RnnlmError, one_line, shown
from rnnlm.formats.model_file import load_model_and_sha256, model_file, read_model_form
from rnnlm.formats.predictors import is_arpa
from rnnlm.models.architecture import Architecture
from rnnlm.models.first_weights import begin_from
from rnnlm.runs.assembly import architecture_of
from rnnlm.runs.option import with_commas
from rnnlm.runs.options import TRAIN
from rnnlm.text.choose_tokenizer import chosen
from rnnlm.text.sources import is_pipe
from rnnlm.text.vocabulary import Vocabulary, occurrences

BEFORE = "perplexity_before"  # of the validation text, before training: what a checkpoint calls it


@dataclass
class InitialModel:
    """A model that a run begins from.

    Attributes
    ----------
    path : of the model file or the run folder, as the run began.
    sha256 : of the model file (hex).
    vocabulary : the Vocabulary to read the texts with: the model's or, where a run
        resumes, the run's.
    architecture, weights : the model's; None and {} where a run resumes.
    """

    path: str
    sha256: str
    vocabulary: Vocabulary
    architecture: Architecture | None = None
    weights: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def begins(self):
        """Whether the run begins here."""
        return bool(self.weights)

    def in_header(self):
        """What a checkpoint keeps of it, a dict."""
        return {"path": self.path, "sha256": self.sha256}

    def counted(self, corpus):
        """The Corpus whose vocabulary counts the old and the new training text."""
        if not self.begins:
            return corpus
        new = occurrences(corpus.train, len(corpus.vocabulary))
        return replace(corpus, vocabulary=corpus.vocabulary.counting(new))

    def fill(self, model, corpus):
        """Put the weights into a new model, which may have more words; forget them."""
        old = self.vocabulary
        begin_from(model.named_params(), self.weights, len(old), occurrences(corpus.train, len(corpus.vocabulary)),
                   old.unk_id, old.counts)
        self.weights = {}


def resolved(given, typed=None, config=""):
    """All options of a new run, a model's values included: see Table.resolved.

    Parameters
    ----------
    given : the options given, a dict by name.
    typed : those of them that a person gave for this run; None: all.
    config : what to call the file that the others are from.

    Raises
    ------
    RnnlmError : there is no such model, or an option asks for another one.
    """
    path = given.get("init_from")
    if path is None:
        return TRAIN.resolved(given)
    if is_arpa(path) and not is_pipe(path):
        raise RnnlmError(f"--init-from {one_line(str(path))} is an n-gram model, which cannot be trained further: "
                         "train a network by itself and mix both, with rnnlm evaluate --mix")
    architecture, tokenizer = read_model_form(path)
    # --vocab-size is another thing: the size of a vocabulary that is learned.
    names = [field.name for field in fields(Architecture) if field.name != "vocab_size"]
    values = {name: architecture[name] for name in names} | chosen(tokenizer)
    values = {name: None if value == [] else value for name, value in values.items() if name in TRAIN.by_name}
    _require_agreement(path, values, given, given if typed is None else typed, config)
    options = TRAIN.resolved(given | values)
    options.given = [name for name in options.given if name in given]
    return options


def _require_agreement(path, values, given, typed, config):
    """RnnlmError if an option asks for another model than that at ``path``.

    values: of the model, a dict by the options' names; others as in ``resolved``.
    """
    differing = [name for name, value in values.items() if value is not None and given.get(name, value) != value]
    if not differing:
        return
    first = next((name for name in differing if name in typed), differing[0])
    wrong = (f"{TRAIN.by_name[first].flag} is {_said(values[first])} in the model {one_line(str(path))}, got "
             f"{_said(given[first])}")
    if first in typed:
        raise RnnlmError(f"{wrong}: leave it out, or begin a new model without --init-from")
    overriding = " ".join(TRAIN.by_name[name].as_typed(values[name]) for name in differing)
    raise RnnlmError(f"{wrong} from {one_line(config)}: override it with {overriding}, or begin a new model without "
                     "--init-from")


def _said(value):
    """A value of an option in a message."""
    if isinstance(value, list):
        return shown(with_commas(value))
    return ("on" if value else "off") if isinstance(value, bool) else shown(str(value))


def settled_model(given):
    """Options, a dict, in which the path of the model is absolute."""
    if "init_from" not in given:
        return given
    return given | {"init_from": os.path.abspath(given["init_from"])}


def initial_model(options, folder, header):
    """The InitialModel of a run in a RunFolder; None: it begins from none.

    header: that of the checkpoint from which the run resumes, if any.  RnnlmError if
    there is no such model, or the run would replace it.
    """
    if options.init_from is None:
        return None
    if header is not None:
        return InitialModel(**_in_checkpoint(header, folder), vocabulary=folder.newest_vocabulary())
    path = options.init_from
    if folder.would_replace(model_file(path)):
        raise RnnlmError(f"the run would replace the model {one_line(str(model_file(path)))} that it begins from: "
                         "choose another --output")
    model, vocabulary, sha256 = load_model_and_sha256(path)
    if model.architecture != Architecture(**architecture_of(options, len(vocabulary))):
        raise RnnlmError(f"{one_line(str(path))} changed while the run began: run the command again")
    return InitialModel(path, sha256, vocabulary, model.architecture, model.named_params())


def perplexity_in(header):
    """What the header of a checkpoint keeps under BEFORE; None if there is none."""
    found = header["run"].get(BEFORE)
    return found if isinstance(found, float) and 1 <= found < math.inf else None


def _in_checkpoint(header, folder):
    """What ``in_header`` left; RnnlmError if there is something else."""
    found = header["run"].get("init_from")
    if (not isinstance(found, dict) or found.keys() != {"path", "sha256"}
            or not all(isinstance(value, str) for value in found.values())):
        raise RnnlmError(f"the checkpoint in {one_line(str(folder.path))} must say which model its run began from, got "
                         f"{shown(found)}; start a new run with another --output")
    return found
