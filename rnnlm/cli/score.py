"""The scoring command: a row for each word, sentence or text, in a table."""

import math
import os
import sys
from contextlib import ExitStack, nullcontext

import numpy as np

from rnnlm.cli.arguments import Parser
from rnnlm.cli.command import run
from rnnlm.cli.dynamic_options import SAVE_ADAPTED, save_adapted
from rnnlm.cli.heading import first_word, heading, protocol_in_words
from rnnlm.cli.kept import OF_EACH, chart_option, kept_option, models_of, require_sources, tokens_axis
from rnnlm.cli.mixing_options import PROBS
from rnnlm.cli.partners import MODEL, PARTNERS, TITLE, partners_in_words
from rnnlm.cli.score_notes import BASE_NAMES, UnknownWords, note_excess
from rnnlm.cli.screen import is_terminal, note, scoring_bar, show, without_controls
from rnnlm.cli.several import sharing
from rnnlm.cli.signals import stop_on_signal
from rnnlm.cli.slowdowns import threads_of
from rnnlm.compute.threads import Workers
from rnnlm.errors import RnnlmError, counted, listed, one_line, size_shown
from rnnlm.files.long_array import LongArray
from rnnlm.reports.score_formats import SCORE_FORMATS
from rnnlm.reports.tool_format import TEXT
from rnnlm.runs.checks import OneOf, between, not_empty
from rnnlm.runs.option import CHARGE_UNKNOWN, DEBUG, FLAG, THREADS, Option
from rnnlm.runs.table import Table
from rnnlm.scoring.columns import TRUTH, WordsBefore, before, columns_by_default, require_columns
from rnnlm.scoring.readings import PROTOCOLS
from rnnlm.scoring.rows import BASES, DETAILS, without_adaptation
from rnnlm.scoring.score import BY, OF_WORDS, part_size, score_rows
from rnnlm.scoring.spelling import Spelling
from rnnlm.scoring.truth import Truth
from rnnlm.text.sources import STANDARD_INPUT, require_text_file
from rnnlm.text.spelled import spelled_file

LONG = 1 << 20  # bytes of a text that gets a bar

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
), TITLE: (*PARTNERS, PROBS, SAVE_ADAPTED)})


def build_parser(prog=None):
    """The options of the scoring command."""
    return Parser(prog, "Print what a trained model says of every word of a text: its surprisal, the entropy before "
                  "it, its rank. There is a row for each word and each line end, in order.", SCORE)


def main(argv=None, prog=None):
    """The command; returns its exit code."""
    return run(sharing(print_scores), build_parser(prog), argv)


def print_scores(options):
    """Print a table of the scores of all texts."""
    _settle(options)
    table, curves = None, {}
    with Workers(threads_of(options)) as workers, ExitStack() as files:
        for read in models_of(options, workers):
            unknown = UnknownWords(read.vocabulary)
            if options.states and not hasattr(read.model, "architecture"):
                raise RnnlmError("--states are those of one network, and there are several models or an n-gram model: "
                                 "leave it out, or score with a network alone")
            if table is None:
                _choose_columns(options, read)
                head = {} if options.no_header else _head(options, read)
                table, first = SCORE_FORMATS[options.format](head, options.columns, read.vocabulary), unknown
                truth = Truth(options.truth) if options.truth else None
                states = files.enter_context(LongArray(options.states, "states")) if options.states else None
                start = table.begin()
            spelling = Spelling.of_vocabulary(read.vocabulary) if options.charge_unknown else None
            for path in options.texts:
                for columns in _columns(options, path, read, unknown, states, truth, spelling):
                    _print(start + table.rows(columns))  # nothing is printed of a text that cannot be read
                    start = ""
                if options.chart:
                    curves.setdefault(path, []).append((read.tokens, float(columns["perplexity"][0])))
        _print(table.end())
        save_adapted(read, options)
        _finish(options, first, states, truth)
        if options.chart:
            _draw(options, curves, read.vocabulary)


def _settle(options):
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
            raise RnnlmError(f"--format {options.format} has {_flag(name)} {fixed}, got {getattr(options, name)}: "
                             f"leave {_flag(name)} out, or choose another format")
        setattr(options, name, fixed or getattr(options, name))
    if options.by not in OF_WORDS:
        for name in ("top", "spill_over", "states", "truth"):
            if getattr(options, name):
                raise RnnlmError(f"{_flag(name)} is of words: give --by word with it, not --by {options.by}")
    elif options.charge_unknown:
        raise RnnlmError("--charge-unknown is for bits per byte: give --by sentence or --by text with it, not --by "
                         f"{options.by}")
    for name in ("states", "truth", "save_adapted"):
        if options.kept and getattr(options, name):
            raise RnnlmError(f"{_flag(name)} is of one model: leave it out, or leave out --kept and give the file of a "
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


def _choose_columns(options, read):
    """Put the list of the columns' names in the place of what was given."""
    form, options.top = SCORE_FORMATS[options.format], min(options.top, len(read.vocabulary))
    of = {"by": options.by, "top": options.top, "spill_over": options.spill_over, "truth": bool(options.truth),
          "kept": options.kept, "static": without_adaptation(read.model) is not None}
    if form.columns_needed is not None:
        for name in ("columns", "top", "spill_over", "truth", "no_header", "kept"):
            if getattr(options, name):
                raise RnnlmError(f"--format {options.format} has a layout of its own: leave {_flag(name)} out, or "
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


def _flag(name):
    return f"--{name.replace('_', '-')}"


def _head(options, read):
    """What must be known to read the numbers."""
    vocabulary, sha256 = read.vocabulary, OF_EACH if options.kept else read.sha256
    head = heading(options.model, sha256, protocol_in_words(options.protocol, read.model), options.log_base,
                   first_word(read.model))
    head |= partners_in_words(options)
    if SCORE_FORMATS[options.format].one_text:
        head[TEXT] = options.texts[0]
    if options.kept:
        head["tokens"] = tokens_axis(vocabulary)
    pieces, lost = vocabulary.tokenizer.words_as_pieces, vocabulary.tokenizer.lost
    if options.by not in OF_WORDS:
        if options.charge_unknown:
            head["unknown"] = "bits per byte count their spelling"
        elif options.columns and "bits_per_byte" in options.columns and not vocabulary.tokenizer.tokens:
            head["unknown"] = "no bits per byte (NA); --charge-unknown counts their spelling"
        return head | ({"lower_bound": f"bits per byte, without {listed(lost)}"} if lost else {})
    return head | ({"pieces": pieces} if options.by == "word" and pieces else {})


def _columns(options, path, read, unknown, states, truth, spelling):
    """Yield the columns of a text, a dict of arrays for each part of it."""
    model, vocabulary = read.model, read.vocabulary
    base, words_before = BASES[options.log_base], WordsBefore(options.columns)
    details = any(before(name)[0] in DETAILS for name in options.columns)
    size = part_size(options.top, model.architecture["hidden_size"] if states else 0)
    static = any(before(name)[0] == "surprisal_static" for name in options.columns)
    others = ({"details": details, "on_states": states and states.add, "static": static} if options.by in OF_WORDS
              else {"spelling": spelling})
    with _bar(path) as move:
        parts = unknown.counting(
            spelled_file(path, vocabulary, size=size, by_line=options.unbuffered, on_bytes=move))
        for rows in score_rows(model, vocabulary, parts, by=options.by, protocol=options.protocol, base=base,
                               top=options.top, **others):
            columns = {name: rows[name] for name in rows.dtype.names}
            for name, value in (("file", path), ("sha256", read.sha256), ("tokens", read.tokens)):
                if name in options.columns:
                    columns[name] = np.full(len(rows), value, np.int64 if name == "tokens" else object)
            if options.by in OF_WORDS:
                columns |= words_before.added(columns)
            if truth:
                columns |= _true(truth, rows, base)
            yield columns


def _true(truth, rows, base):
    """The columns of the truth, in this base."""
    nats = math.log(base)
    true = truth.columns(rows["word"].tolist(), rows["log_prob"] * nats)
    return {name: true[name] / nats for name in TRUTH}


def _draw(options, curves, vocabulary):
    """Draw the learning curve of each text: dict from its path to perplexities."""
    from rnnlm.reports.learning_chart import plot_learning_curves

    unit, base = BASE_NAMES[options.log_base], BASES[options.log_base]
    surprisals = {path: [(tokens, math.log(perplexity, base)) for tokens, perplexity in points]
                  for path, points in curves.items()}
    plot_learning_curves(options.chart, surprisals, f"{options.model}, protocol {options.protocol}",
                         tokens=tokens_axis(vocabulary),
                         value=f"mean surprisal ({unit} per {vocabulary.tokenizer.unit} or line end)")


def _bar(path):
    """A block with a bar for a long file, if it cannot get between the rows."""
    try:
        size = 0 if path == STANDARD_INPUT or is_terminal(sys.stdout) else os.path.getsize(path)
    except (OSError, ValueError):  # reading it will say what is wrong
        size = 0
    return scoring_bar(path, size) if size > LONG else nullcontext()


def _print(text):
    """Show rows; a signal that comes in the middle of them waits for their end."""
    if text:
        with stop_on_signal("stopping after these rows") as check:
            show(without_controls(text) if is_terminal(sys.stdout) else text)
        check()


def _finish(options, unknown, states, truth):
    """Write the states, and say what is known when all rows are there."""
    unknown.note()
    if left_out := SCORE_FORMATS[options.format].leaves_out:
        note(f"note: --format {options.format} leaves out {left_out}; --format tsv has them")
    if truth:
        truth.finish()
        note_excess(truth.excess, options.log_base)
    if states:
        rows, size = states.finish()
        note(f"states of {counted(rows, 'row')}, {size:,} numbers each ({size_shown(4 * rows * size)}), are in "
             f"{one_line(options.states)}")
