"""The grid of caches and temperatures on validation text, as a command prints it."""

from rnnlm.adapting.tuning import tune
from rnnlm.cli.screen import note, scoring_bar
from rnnlm.cli.signals import computing_until_signal
from rnnlm.errors import counted, one_line
from rnnlm.text.sources import called

COLUMNS = {"size": ("cache", "cache"), "theta": ("theta", "cache-theta"), "weight": ("weight", "cache-weight"),
           "decay": ("decay", "cache-decay"),
           "unigram_size": ("unigram cache", "unigram-cache"), "unigram_weight": ("weight", "unigram-cache-weight"),
           "temperature": ("temperature", "softmax-temperature")}  # of CacheSettings: heads of the grid, options

CAN_BE_BEYOND = "theta", "decay", "temperature"  # not so sizes: a larger one costs time


def tuned(read, tried, text, path):
    """The best CacheSettings on a text; the grid goes to standard error.

    Parameters
    ----------
    read : Read.
    tried : Tried.
    text : EncodedText.
    path : what the text is called.
    """
    with computing_until_signal("stopping after this window") as check, \
            scoring_bar(path, len(text.ids), "tuning on") as move:

        def on_window(targets):
            move(targets)
            check()

        found = tune(read.model, text.ids, read.vocabulary.eos_id, tried, on_window)
    note(f"tuning on {one_line(called(path))}, {counted(found.tokens, 'token')}: perplexity {found.alone:.6g} before")
    names = _used(tried)
    note("  ".join([*(COLUMNS[name][0] for name in names), "perplexity"]))
    for settings, perplexity in found.rows:
        cells = [f"{_shown(settings, name):>{len(COLUMNS[name][0])}}" for name in names]
        note("  ".join([*cells, f"{perplexity:10.6g}"]))
    note(f"chosen, perplexity {found.perplexity:.6g}: {as_given(found.best)}")
    for name in CAN_BE_BEYOND:
        if edge := found.at_edge(name):
            head, flag = COLUMNS[name]
            note(f"note: this {head} is the {edge} of those tried: --{flag} gives others")
    return found.best


def as_given(settings):
    """The options that give these CacheSettings next time."""
    values = {name: _shown(settings, name) for name in COLUMNS if name != "temperature" or settings.temperature != 1}
    return " ".join(f"--{COLUMNS[name][1]} {value}" for name, value in values.items() if value != "-") or "as it is"


def _used(tried):
    """The CacheSettings' attributes that may differ from none."""
    return [*(["size", "theta", "weight", "decay"] if tried.sizes else []),
            *(["unigram_size", "unigram_weight"] if tried.unigram_sizes else []),
            *(["temperature"] if tried.temperatures != (1.0,) else [])]


def _shown(settings, name):
    """A number of CacheSettings; - where it does nothing."""
    of = {"theta": settings.size, "weight": settings.size, "decay": settings.size,
          "unigram_weight": settings.unigram_size}
    value = getattr(settings, name)
    return "-" if value is None or of.get(name, value) is None else f"{value:g}"
