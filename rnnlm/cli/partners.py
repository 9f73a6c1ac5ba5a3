"""What may stand beside MODEL in the commands that score or write.

A command has MODEL and PARTNERS in its table, or PARTNERS in words that name what else
it has, and reads them by ``read_predictor``.
What a network adapts to comes first, then the caches over its states, then the mixture.
"""

from dataclasses import replace
from typing import NamedTuple

from rnnlm.adapting.dynamic import DynamicModel
from rnnlm.cli.cache_options import CACHE, cache_in_words, cache_is_open, tunable, with_cache
from rnnlm.cli.dynamic_options import DYNAMIC, dynamic_in_words, dynamic_is_open, with_dynamic
from rnnlm.cli.mixing_options import MIXING, OF_PROBS, mixture_in_words, mixture_is_open, read_others, with_mixture
from rnnlm.cli.reading import noted_predictor
from rnnlm.cli.screen import encoding_bar
from rnnlm.cli.several import share_model
from rnnlm.errors import RnnlmError
from rnnlm.runs.checks import at_least, not_empty
from rnnlm.runs.option import Option, require_acting
from rnnlm.scoring.predictor import Predictor
from rnnlm.text.corpus import read_text
from rnnlm.text.vocabulary import Vocabulary

MODEL = Option("model", not_empty, "a model file, a run folder or an ARPA file (an n-gram model), from a pipe, too; - "
               "reads an ARPA file from standard input", metavar="MODEL", argument=True)
TITLE = "mixing and adapting"  # of the group in a command's help
PARTNERS = (*MIXING, *CACHE, *DYNAMIC)
PARTNERS_AND_PROBS = tuple(replace(option, help=option.help + OF_PROBS.get(option.name, "")) for option in PARTNERS)
TUNABLE_PARTNERS = tuple(map(tunable, PARTNERS_AND_PROBS))
TUNE = Option("tune", not_empty, "validation text on which what is not given of the options for mixing and adapting "
              "is chosen; the command prints what it tried, and the options to give next time", metavar="VALID",
              meant_by="tune-on validation")

WEIGHTS_FOLLOW = Option(
    "weights_follow", at_least(1), "words of the text that the weights of caches and of a linear mixture follow: what "
    "has predicted the last N words well gets more weight", None, "N", default_text="the weights stay",
    acts=lambda options: bool(options.mix or options.cache or options.unigram_cache),
    acts_with="--mix, --cache or --unigram-cache", meant_by="adaptive-weights dynamic-weights follow online-weights")


class Read(NamedTuple):
    """A model that was read.

    tokens: those of its training, None if it is not kept.  dynamic: the DynamicModel in
    it, None if there is none.
    """

    model: Predictor
    vocabulary: Vocabulary
    sha256: str
    tokens: int | None = None
    dynamic: DynamicModel | None = None


def models_named(options):
    """The paths of MODEL and of each --mix."""
    return [options.model, *(options.mix or [])]


def read_predictor(options, workers, tune=None):
    """What MODEL names, with all that the options put beside it, as a Read.

    tune: the path of a text on which what was not given is chosen; None: none.
    RnnlmError for what cannot be read or mixed.
    """
    require_acting(PARTNERS, options)
    if tune:
        _require_choice(options)
    return with_partners(Read(*noted_predictor(options.model, workers)), options, workers, tune)


def _require_choice(options):
    """RnnlmError where --tune has nothing to choose."""
    if not (dynamic_is_open(options) or cache_is_open(options) or mixture_is_open(options)):
        raise RnnlmError("--tune has nothing to choose: give --mix, --cache, --unigram-cache, --dynamic or "
                         "--softmax-temperature tune with it, and leave out a number that it is to choose; or leave "
                         "--tune out")


def with_partners(read, options, workers, tune=None):
    """A Read with all that the options put beside its model."""
    read_others(read.vocabulary, options, workers)
    tuning = read_text(tune, read.vocabulary, encoding_bar) if tune else None
    read = with_cache(with_dynamic(read, options, tuning), options, tuning)
    read = with_mixture(read, options, tuning)
    share_model(read.model)
    return read


def partners_in_words(options):
    """What a table's heading says of them, a dict of strings."""
    return adaptation_in_words(options) | mixture_in_words(options)


def adaptation_in_words(options):
    """What it says of dynamic evaluation, caches and temperature: what is used."""
    words, follow = dynamic_in_words(options) | cache_in_words(options), getattr(options, "weights_follow", None)
    return words | {"weights_follow": f"{follow} words"} if follow else words
