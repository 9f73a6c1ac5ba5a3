"""The scoring command: a row for each word, sentence or text, in a table."""

import math
import os
import sys
from contextlib import ExitStack, nullcontext

import numpy as np

from rnnlm.cli.arguments import Parser
from rnnlm.cli.command import run
from rnnlm.cli.dynamic_options import save_adapted
from rnnlm.cli.heading import first_word, heading, protocol_in_words
from rnnlm.cli.kept import OF_EACH, models_of, tokens_axis
from rnnlm.cli.partners import partners_in_words
from rnnlm.cli.score_notes import BASE_NAMES, UnknownWords, note_excess
from rnnlm.cli.score_options import SCORE, choose_columns, settle
from rnnlm.cli.screen import is_terminal, note, scoring_bar, show, without_controls
from rnnlm.cli.several import sharing
from rnnlm.cli.signals import stop_on_signal
from rnnlm.cli.slowdowns import threads_of
from rnnlm.compute.threads import Workers
from rnnlm.errors import RnnlmError, counted, listed, one_line, size_shown
from rnnlm.files.long_array import LongArray
from rnnlm.mixing.outside import OtherTextError, OutsideProbs
from rnnlm.reports.score_formats import SCORE_FORMATS
from rnnlm.reports.tool_format import TEXT
from rnnlm.scoring.columns import TRUTH, WordsBefore, before
from rnnlm.scoring.rows import BASES, DETAILS
from rnnlm.scoring.score import OF_WORDS, part_size, score_rows
from rnnlm.scoring.spelling import Spelling
from rnnlm.scoring.truth import Truth
from rnnlm.text.sources import STANDARD_INPUT
from rnnlm.text.spelled import spelled_file

LONG = 1 << 20  # bytes of a text that gets a bar


def build_parser(prog=None):
    """The options of the scoring command."""
    return Parser(prog, "Print what a trained model says of every word of a text: its surprisal, the entropy before "
                  "it, its rank. There is a row for each word and each line end, in order.", SCORE)


def main(argv=None, prog=None):
    """The command; returns its exit code."""
    return run(sharing(print_scores), build_parser(prog), argv)


def print_scores(options):
    """Print a table of the scores of all texts."""
    settle(options)
    table, curves = None, {}
    with Workers(threads_of(options)) as workers, ExitStack() as files:
        for read in models_of(options, workers):
            unknown = UnknownWords(read.vocabulary)
            if options.states and not hasattr(read.model, "architecture"):
                raise RnnlmError("--states are those of one network, and there are several models or an n-gram model: "
                                 "leave it out, or score with a network alone")
            if table is None:
                choose_columns(options, read)
                head = {} if options.no_header else _head(options, read)
                table, first = SCORE_FORMATS[options.format](head, options.columns, read.vocabulary), unknown
                truth = Truth(options.truth) if options.truth else None
                states = files.enter_context(LongArray(options.states, "states")) if options.states else None
                start = table.begin()
                _require_probs(options, read.vocabulary)
            spelling = Spelling.of_vocabulary(read.vocabulary) if options.charge_unknown else None
            for path in options.texts:
                for columns in _with_warning(_columns(options, path, read, unknown, states, truth, spelling)):
                    _print(start + table.rows(columns))  # nothing is printed of a text that cannot be read
                    start = ""
                if options.chart:
                    curves.setdefault(path, []).append((read.tokens, float(columns["perplexity"][0])))
        _print(table.end())
        save_adapted(read, options)
        _finish(options, first, states, truth)
        if options.chart:
            _draw(options, curves, read.vocabulary)


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


def _require_probs(options, vocabulary):
    """RnnlmError, before any row, unless --probs is of the text, if both are files."""
    if options.probs and options.texts[0] != STANDARD_INPUT and os.path.isfile(options.texts[0]):
        OutsideProbs(options.probs).require(
            sum(len(part.pieces) for part in spelled_file(options.texts[0], vocabulary)))


def _with_warning(parts):
    """Yield the parts of a table; an error says what becomes of those before it."""
    printed = False
    try:
        for columns in parts:
            yield columns
            printed = True
    except OtherTextError as error:
        warning = "; the rows that were printed are wrong if it is of another text"
        raise RnnlmError(f"{error}{warning if printed else ''}") from error


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
