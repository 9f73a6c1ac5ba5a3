"""What ``--kept`` means to a command: every kept model of a run, not one model."""

from rnnlm.cli.partners import Read, models_named, read_predictor, with_partners
from rnnlm.compute.threads import Workers
from rnnlm.errors import RnnlmError
from rnnlm.formats.kept import kept_models
from rnnlm.reports.curves import require_picture
from rnnlm.runs.checks import not_empty
from rnnlm.runs.option import FLAG, Option
from rnnlm.text.sources import STANDARD_INPUT, require_one_standard_input

OF_EACH = "of each kept model, in its row"  # in the place of a SHA-256


def kept_option(rest):
    """The record of --kept; rest: what else follows from it, in words."""
    return Option("kept", FLAG, "score every model that the run has kept on its way (rnnlm train --keep-every), the "
                  f"earliest first; MODEL is the run folder; {rest}", False,
                  meant_by="checkpoints all-models learning-curve")


def chart_option(what):
    """The record of --chart; what: is drawn."""
    return Option("chart", not_empty, f"PNG file for {what}; it may replace an earlier picture, but no other file",
                  metavar="FILE", meant_by="plot picture png")


def require_sources(texts, options):
    """RnnlmError where standard input would be read twice, or a picture lose a file."""
    require_one_standard_input(*models_named(options), *texts)
    if options.kept and STANDARD_INPUT in texts:
        raise RnnlmError("standard input (-) can be read only once, and --kept reads the text for each model: give a "
                         "file")
    if options.chart:
        require_picture(options.chart)


def models_of(options, workers: Workers):
    """Yield what MODEL names as a Read; with --kept for each kept model, in order.

    RnnlmError for one that is gone or not whole; the headers of all are read first.
    """
    if not options.kept:
        yield read_predictor(options, workers)
        return
    for kept in kept_models(options.model):
        yield with_partners(Read(*kept.load_with_sha256(workers), kept.tokens), options, workers)


def tokens_axis(vocabulary):
    """What the horizontal axis of a learning curve shows."""
    return f"training text read ({vocabulary.tokenizer.unit}s and line ends, epochs added up)"
