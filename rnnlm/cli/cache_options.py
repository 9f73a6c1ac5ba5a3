"""The options of the caches and of the temperature, and the predictor with them."""

from dataclasses import replace

import numpy as np

from rnnlm.adapting.cache import MOST_DECAY
from rnnlm.adapting.caches import CacheSettings
from rnnlm.adapting.tuning import SIZES, TEMPERATURES
from rnnlm.adapting.tuning_probs import Tried
from rnnlm.cli.tuned_caches import tuned
from rnnlm.errors import RnnlmError, shown
from rnnlm.runs.checks import WrongValue, at_least, below_one, not_negative, number, positive
from rnnlm.runs.option import Option, require_acting

TUNED = "tune"  # a value: to be chosen on the text of --tune
MOST_WORDS = 10**7
MEANT = CacheSettings()


def _or_tuned_elsewhere(check):
    """A check: what another one takes, or ``tune``, whose error names the command."""
    return lambda text: TUNED if text == TUNED else check(text)


def _or_tuned(check):
    """A check: what another one takes, or the word ``tune``."""

    def checked(text):
        try:
            return check(text)
        except WrongValue as error:
            raise WrongValue(f"{str(error).partition(', got ')[0]} or '{TUNED}', got {shown(repr(text))}") from None

    return checked


def _decays(value):
    """Whether it is a decay; MOST_DECAY in 32 bits, a little larger, is one."""
    return 0 <= value <= float(np.float32(MOST_DECAY))


def _caches(options):
    return options.cache is not None


def _caches_unigrams(options):
    return options.unigram_cache is not None


CACHE = (
    Option("cache", _or_tuned_elsewhere(at_least(1, MOST_WORDS)), "words that a cache over hidden states remembers: "
           "words return after states like those they came after", None, "K", default_text="no cache",
           meant_by="cache-size neural-cache pointer window-cache"),
    Option("cache_theta", not_negative, "factor on the products of hidden states in --cache: 0 makes all remembered "
           "words alike", None, "THETA", default_text=f"{MEANT.theta:g}", acts=_caches, acts_with="--cache",
           meant_by="theta"),
    Option("cache_weight", below_one, "weight of --cache in the probability", None, "W",
           default_text=f"{MEANT.weight:g}", acts=_caches, acts_with="--cache", meant_by="cache-lambda lambdasm"),
    Option("cache_decay", number(float, f"a number from 0 to {MOST_DECAY:g}", _decays), "rate at which older words "
           "count less in --cache: each word after them takes a factor of exp(-D)", None, "D",
           default_text=f"{MEANT.decay:g}", acts=_caches, acts_with="--cache"),
    Option("unigram_cache", _or_tuned_elsewhere(at_least(1, MOST_WORDS)), "words that a simple cache remembers: a word "
           "is as likely as it was frequent among them", None, "K", default_text="no cache", meant_by="cache-unigram"),
    Option("unigram_cache_weight", below_one, "weight of --unigram-cache in the probability", None, "W",
           default_text=f"{MEANT.unigram_weight:g}", acts=_caches_unigrams, acts_with="--unigram-cache"),
    Option("softmax_temperature", _or_tuned_elsewhere(positive), "number by which the network's scores are divided "
           "before they become probabilities: above 1 it is less sure", None, "T", default_text="1",
           meant_by="softmax-temp calibration"),
)
CAN_BE_TUNED = "cache", "unigram_cache", "softmax_temperature"


def tunable(option):
    """A record of CACHE in a command that has --tune."""
    if option.name not in CAN_BE_TUNED:
        return option
    return replace(option, check=_or_tuned(option.check), help=f"{option.help}; '{TUNED}': chosen by --tune")


def with_cache(read, options, tuning):
    """A Read whose model has the caches that the options ask for, or as it was.

    The options become what was chosen.

    Parameters
    ----------
    read : Read.
    options : of a command whose table has CACHE.
    tuning : EncodedText, on which what was not given is chosen; None: none.
    """
    _require_possible(options, tuning)
    if (options.cache, options.unigram_cache, options.softmax_temperature) == (None, None, None):
        return read
    of_network = "--cache" if options.cache else "--softmax-temperature" if options.softmax_temperature else None
    if of_network and not hasattr(read.model, "states"):
        raise RnnlmError(f"{of_network} needs a network, got an n-gram model: give a model file or a run folder as "
                         "MODEL")
    if tuning is not None and cache_is_open(options):
        settings = tuned(read, _tried(options), tuning, options.tune)
        for name, value in _as_options(settings).items():
            setattr(options, name, value)
    return read._replace(model=_settings(options).around(read.model))


def _require_possible(options, tuning):
    """RnnlmError for options that do nothing without others."""
    require_acting(CACHE, options)
    for option in CACHE:
        if tuning is None and getattr(options, option.name) == TUNED:
            raise RnnlmError(f"{option.flag} {TUNED} needs a text to be chosen on: rnnlm evaluate --tune VALID prints "
                             "the value to give")


def cache_is_open(options):
    """Whether --tune has anything to choose of the caches and the temperature."""
    chosen = {"cache": ("cache_theta", "cache_weight", "cache_decay"), "unigram_cache": ("unigram_cache_weight",),
              "softmax_temperature": ()}
    return any(getattr(options, name) == TUNED or (getattr(options, name) is not None
               and any(getattr(options, number) is None for number in numbers)) for name, numbers in chosen.items())


def _tried(options):
    """The Tried of what was given and what was not."""

    def choices(value, none, all_):
        return none if value is None else all_ if value == TUNED else (value,)

    return Tried(choices(options.cache, (), SIZES), options.cache_theta, options.cache_weight,
                 options.cache_decay, choices(options.unigram_cache, (), SIZES), options.unigram_cache_weight,
                 choices(options.softmax_temperature, (1.0,), TEMPERATURES))


def _as_options(settings):
    """What was chosen, as values of the options; None: not used."""
    has_cache, has_unigrams = settings.size is not None, settings.unigram_size is not None
    return {"cache": settings.size, "cache_theta": settings.theta if has_cache else None,
            "cache_weight": settings.weight if has_cache else None,
            "cache_decay": settings.decay if has_cache else None, "unigram_cache": settings.unigram_size,
            "unigram_cache_weight": settings.unigram_weight if has_unigrams else None,
            "softmax_temperature": None if settings.temperature == 1 else settings.temperature}


def _settings(options):
    """The CacheSettings of the options, and the defaults."""
    found = {"size": options.cache, "theta": options.cache_theta, "weight": options.cache_weight,
             "decay": options.cache_decay, "unigram_size": options.unigram_cache,
             "unigram_weight": options.unigram_cache_weight, "temperature": options.softmax_temperature,
             "follow": getattr(options, "weights_follow", None)}
    return CacheSettings(**{name: value for name, value in found.items() if value is not None})


def cache_in_words(options):
    """What a table's heading says of it, a dict of strings."""
    if not all(hasattr(options, option.name) for option in CACHE):
        return {}
    settings, kept = _settings(options), _kept_where(getattr(options, "protocol", "stream"))
    words = {}
    if settings.temperature != 1:
        words["softmax_temperature"] = f"{settings.temperature:g}"
    if settings.size:
        decay = f", decay {settings.decay:g}" if settings.decay else ""
        words["cache"] = f"{settings.size} states, theta {settings.theta:g}, weight {settings.weight:g}{decay}{kept}"
    if settings.unigram_size:
        words["unigram_cache"] = f"{settings.unigram_size} words, weight {settings.unigram_weight:g}{kept}"
    return words


def _kept_where(protocol):
    """What a protocol that forgets the state does to the memory."""
    return ", kept where the state is forgotten" if protocol != "stream" else ""
