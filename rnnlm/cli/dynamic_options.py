"""The options of dynamic evaluation, and the predictor that they ask for."""

import os
from contextlib import suppress
from dataclasses import asdict

from rnnlm.adapting.dynamic import DynamicModel
from rnnlm.adapting.methods import METHODS, WINDOW
from rnnlm.cli.screen import note
from rnnlm.cli.statistics import statistics_for
from rnnlm.cli.tuned_dynamic import tuned
from rnnlm.errors import RnnlmError, quoted
from rnnlm.files.archive import LONGEST_HEADER
from rnnlm.files.whole import require_replaceable
from rnnlm.formats.model_file import model_file, read_model_training, save_model
from rnnlm.formats.predictors import is_arpa
from rnnlm.models import LanguageModel
from rnnlm.runs.checks import OneOf, at_least, from_zero_to_one, not_empty, not_negative, positive
from rnnlm.runs.option import Option, require_acting


def _dynamic(options):
    return options.dynamic is not None


def _by_window(options):
    return options.dynamic in METHODS and not METHODS[options.dynamic].by_sentence


def _with_statistics(options):
    return options.dynamic in METHODS and METHODS[options.dynamic].uses_statistics


NUMBERS = "window", "lr", "decay", "eps", "recurrent"  # of Settings, and of the options --dynamic-...
BY_WINDOW = "--dynamic sgd or rms"
EQUAL_RATES = "recurrent", 1.0  # which is not said
DYNAMIC = (
    Option("dynamic", OneOf(METHODS), "dynamic evaluation: the model goes on learning from what it has scored; sgd: "
           "one rate for all weights; rms: a rate of each weight's own; sentence: a step after each sentence, with "
           "momentum, in rnnlm score and page with --protocol sentence",
           meant_by="dynamic-eval dynamic-evaluation adapt adaptation"),
    Option("dynamic_window", at_least(1), "words of a window, after which dynamic evaluation makes a step", None, "W",
           default_text=str(WINDOW), acts=_by_window, acts_with=BY_WINDOW, meant_by="dynamic-bptt"),
    Option("dynamic_lr", not_negative, "learning rate of dynamic evaluation", None, "LR", acts=_dynamic,
           default_text="from the method and the window", acts_with="--dynamic", meant_by="adapt-lr"),
    Option("dynamic_decay", from_zero_to_one, "share by which dynamic evaluation moves weights back to the trained "
           "ones at each step", None, "D", default_text="from the method and the window", acts=_by_window,
           acts_with=BY_WINDOW, meant_by="dynamic-lambda lamb"),
    Option("dynamic_eps", positive, "number that is added to the root of a weight's mean square, by which rms divides",
           None, "E", default_text=f"{METHODS['rms'].eps:g}", acts=_with_statistics, acts_with="--dynamic rms"),
    Option("dynamic_recurrent", not_negative, "factor on the learning rate of the recurrent layers in dynamic "
           "evaluation", 1.0, "F", acts=_dynamic, acts_with="--dynamic", meant_by="dynamic-recurrent-factor"),
    Option("statistics", not_empty, "file (.npz) that keeps the gradients' mean squares over the training text, which "
           "rms needs; it is made if it is not there", None, "FILE", default_text="statistics.npz in the run folder",
           acts=_with_statistics, acts_with="--dynamic rms"),
)
ADAPTED = b'"adapted": {'  # in the header of a model file of --save-adapted
SAVE_ADAPTED = Option(
    "save_adapted", not_empty, "model file (.npz) to write with what dynamic evaluation has learned from the text",
    metavar="FILE", acts=_dynamic, acts_with="--dynamic", meant_by="save-model save")


def with_dynamic(read, options, tuning):
    """A Read whose model is evaluated dynamically if the options say so.

    The options become what is used.

    Parameters
    ----------
    read : Read.
    options : of a command whose table has DYNAMIC.
    tuning : EncodedText, on which what was not given is chosen; None: none.
    """
    _require_possible(options)
    if options.dynamic is None:
        return read
    if not isinstance(read.model, LanguageModel):
        raise RnnlmError("--dynamic needs a network, got an n-gram model: give a model file or a run folder as MODEL")
    numbers = {name: getattr(options, f"dynamic_{name}") for name in NUMBERS}
    statistics = statistics_for(read, options) if _with_statistics(options) else None
    if tuning is not None:
        numbers |= tuned(read, options.dynamic, tuning, numbers, statistics)
    dynamic = DynamicModel(read.model, options.dynamic, **numbers, statistics=statistics)
    for name in NUMBERS:
        setattr(options, f"dynamic_{name}", getattr(dynamic.settings, name))
    return read._replace(model=dynamic, dynamic=dynamic)


def dynamic_is_open(options):
    """Whether --tune has anything to choose of dynamic evaluation."""
    return options.dynamic is not None and None in (options.dynamic_lr, options.dynamic_decay)


def _require_possible(options):
    """RnnlmError for options that do nothing without others, or that cannot be."""
    require_acting((*DYNAMIC, SAVE_ADAPTED), options)
    by_sentence = options.dynamic in METHODS and METHODS[options.dynamic].by_sentence
    if by_sentence and getattr(options, "protocol", None) != "sentence":
        raise RnnlmError("--dynamic sentence makes a step where a sentence ends and the state is forgotten: give it to "
                         "rnnlm score with --protocol sentence, or choose --dynamic sgd or rms")
    if options.statistics and getattr(options, "kept", False):
        raise RnnlmError("--statistics are those of one model: leave it out, or leave out --kept and give the file of "
                         "a kept model")
    if getattr(options, "save_adapted", None):
        _require_adapted_file(options)


def _require_adapted_file(options):
    """RnnlmError where the adapted model would replace what is read."""
    if len(options.texts or [None]) > 1:
        raise RnnlmError("--save-adapted is of one text, got several, and each starts from the trained weights: score "
                         "each by itself")
    for path in (options.model, *(options.mix or [])):
        if _same_file(options.save_adapted, path if is_arpa(path) else model_file(path)):
            which = "the model itself" if path == options.model else "a model to mix with"
            raise RnnlmError(f"--save-adapted {quoted(options.save_adapted)} is {which}, which is never changed: name "
                             "another file")
    if options.statistics and os.path.realpath(options.save_adapted) == os.path.realpath(options.statistics):
        raise RnnlmError(f"--save-adapted and --statistics are both {quoted(options.statistics)}: name two files")
    require_replaceable(options.save_adapted, lambda file: ADAPTED in file.read(LONGEST_HEADER),
                        "a model file of --save-adapted")


def _same_file(one, other):
    with suppress(OSError):  # one that is not there
        return os.path.samefile(one, other)
    return False


def save_adapted(read, options):
    """Write the model with what it has learned from the text, if the options say so."""
    path = options.save_adapted
    if path is None:
        return
    training = read_model_training(model_file(options.model))
    about = {name: value for name, value in asdict(read.dynamic.settings).items()
             if value is not None and (name, value) != EQUAL_RATES}
    save_model(path, read.dynamic.adapted(), read.vocabulary, training | {"adapted": about | {"from": read.sha256}})
    note(f"the adapted model is in {quoted(path)}")


def dynamic_in_words(options):
    """What a table's heading says of it, a dict of strings."""
    if options.dynamic is None:
        return {}
    acting = [option.name for option in DYNAMIC if option.acts and option.acts(options)]
    numbers = [(name, getattr(options, f"dynamic_{name}")) for name in NUMBERS if f"dynamic_{name}" in acting]
    used = [f"{name} {value:g}" for name, value in numbers if (name, value) != EQUAL_RATES]
    return {"dynamic": ", ".join([options.dynamic, *used])}
