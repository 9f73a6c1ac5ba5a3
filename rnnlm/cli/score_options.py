"""The options of the scoring command, which of them go together, and the columns."""

from rnnlm.cli.dynamic_options import SAVE_ADAPTED
from rnnlm.cli.kept import chart_option, kept_option, require_sources
from rnnlm.cli.mixing_options import PROBS
from rnnlm.cli.partners import MODEL, PARTNERS_AND_PROBS, TITLE
from rnnlm.errors import RnnlmError, counted, listed
from rnnlm.reports.score_formats import SCORE_FORMATS
from rnnlm.runs.checks import OneOf, between, not_empty
from rnnlm.runs.option import CHARGE_UNKNOWN, DEBUG, FLAG, THREADS, Option
from rnnlm.runs.table import Table
from rnnlm.scoring.columns import before, columns_by_default, require_columns
from rnnlm.scoring.readings import PROTOCOLS
from rnnlm.scoring.rows import BASES, DETAILS, without_adaptation
from rnnlm.scoring.score import BY, OF_WORDS
from rnnlm.text.sources import require_text_file

PROTOCOL = Option(
    "protocol", OneOf(PROTOCOLS), "when to reset the model's state: stream: only at the start of each text; "
    "document: at blank lines; sentence: at every line end (for unrelated stimuli)", "stream",
    meant_by="context reset state")

SCORE = Table({"options": (
    MODEL,
    Option("texts", not_empty, "UTF-8 text, one sentence a line, compressed (gzip, bzip2, xz, zstd) or not; - reads "
           "standard input", metavar="TEXT", argument=True, many=True),
    Option("by", OneOf(BY), "what a row is for; a piece is a character or a subword of a model of these, and a word "
           "of any other", "word", meant_by="level per unit"),
    PROTOCOL,
    Option("log_base", OneOf(BASES), "base of all logarithms that are printed", "2", meant_by="base log logarithm"),
    Option("columns", not_empty, "names of the columns to print, with commas between them", metavar="A,B,...",
           default_text="all", meant_by="column cols fields select"),
    Option("top", between(0, 1000), "add the K most probable words, at most all, and their probabilities", 0, "K",
           meant_by="top-k topk top-words expected"),
    Option("spill_over", between(0, 100), "add surprisal, frequency and length of each of the K words before", 0, "K",
           meant_by="lag lags previous spillover"),
    Option("format", OneOf(SCORE_FORMATS), "how the table is written: tsv, csv and json have columns to choose, the "
           "others are those of other tools", "tsv", meant_by="output-format as"),
    Option("no_header", FLAG, "leave out the lines with # before the table; in json, the object head", False,
           meant_by="no-head no-comments without-header"),
    Option("states", not_empty, "file (.npz) for the hidden state from which each row's word was predicted",
           metavar="FILE", meant_by="hidden hidden-states save-states"),
    Option("truth", not_empty, "table of the text's true surprisals, to print next to those of the model",
           metavar="FILE", meant_by="true reference"),
    kept_option("--by is text unless given"),
    chart_option("learning curves, with --kept: the mean surprisal of each text by the tokens of the training"),
    Option("unbuffered", FLAG, "print the rows of each line before the next line is read", False,
           meant_by="line-buffered flush u"),
    CHARGE_UNKNOWN,
    THREADS,
    DEBUG,
), TITLE: (*PARTNERS_AND_PROBS, PROBS, SAVE_ADAPTED)})


def settle(options):
    """What follows from the options; RnnlmError where they do not go together."""
    form = SCORE_FORMATS[options.format]
    if form.one_text and len(options.texts) > 1:
        raise RnnlmError(f"--format {options.format} is of one text, got {counted(len(options.texts), 'text')}: "
                         "score each by itself")
    if options.kept and "by" not in options.given:
        options.by = "text"
    if "protocol" not in options.given:
        options.protocol = form.protocol or options.protocol
    for name in ("by", "log_base"):
        fixed = getattr(form, name)
        if fixed and name in options.given and getattr(options, name) != fixed:
            raise RnnlmError(f"--format {options.format} has {flag(name)} {fixed}, got {getattr(options, name)}: "
                             f"leave {flag(name)} out, or choose another format")
        setattr(options, name, fixed or getattr(options, name))
    if options.by not in OF_WORDS:
        for name in ("top", "spill_over", "states", "truth"):
            if getattr(options, name):
                raise RnnlmError(f"{flag(name)} is of words: give --by word with it, not --by {options.by}")
    elif options.charge_unknown:
        raise RnnlmError("--charge-unknown is for bits per byte: give --by sentence or --by text with it, not --by "
                         f"{options.by}")
    for name in ("states", "truth", "save_adapted"):
        if options.kept and getattr(options, name):
            raise RnnlmError(f"{flag(name)} is of one model: leave it out, or leave out --kept and give the file of a "
                             "kept model")
    if options.chart and not (options.kept and options.by == "text"):
        raise RnnlmError("--chart draws learning curves of whole texts: give it with --kept and --by text")
    if options.probs and options.top:
        raise RnnlmError("--top needs whole distributions, and --probs has the probability of one word at a time: "
                         "leave one of them out")
    require_sources([*options.texts, options.truth, options.probs], options)
    _require_texts(options)


def _require_texts(options):
    """RnnlmError where there is no text, or a truth for several."""
    for path in options.texts:
        require_text_file(path)
    if options.truth and len(options.texts) > 1:
        raise RnnlmError(f"--truth is of one text, got {counted(len(options.texts), 'text')}: score each with its own")


def choose_columns(options, read):
    """Put the list of the columns' names in the place of what was given."""
    form, options.top = SCORE_FORMATS[options.format], min(options.top, len(read.vocabulary))
    of = {"by": options.by, "top": options.top, "spill_over": options.spill_over, "truth": bool(options.truth),
          "kept": options.kept, "static": without_adaptation(read.model) is not None}
    if form.columns_needed is not None:
        for name in ("columns", "top", "spill_over", "truth", "no_header", "kept"):
            if getattr(options, name):
                raise RnnlmError(f"--format {options.format} has a layout of its own: leave {flag(name)} out, or "
                                 "choose another format, such as tsv")
        options.columns = list(form.columns_needed)
    elif options.columns:
        options.columns = [name.strip() for name in options.columns.split(",")]
        require_columns(options.columns, **of)
    else:
        options.columns = columns_by_default(**of, files=len(options.texts) > 1)
        if options.probs:
            options.columns = [name for name in options.columns if before(name)[0] not in DETAILS]
    unknown = [name for name in options.columns if options.probs and before(name)[0] in DETAILS]
    if unknown:
        raise RnnlmError(f"{listed(unknown)} cannot be known with --probs, which has the probability of one word at a "
                         f"time: {'choose other columns' if form.columns_needed is None else 'choose another format'}")


def flag(name):
    return f"--{name.replace('_', '-')}"
