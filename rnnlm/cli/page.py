"""The page command: a text with the surprisal of every word, as one HTML file."""

import os
from pathlib import Path

import numpy as np

from rnnlm import __version__
from rnnlm.cli.arguments import Parser
from rnnlm.cli.command import run
from rnnlm.cli.heading import first_word, protocol_in_words
from rnnlm.cli.partners import MODEL, PARTNERS, TITLE, Read, models_named, partners_in_words, read_predictor
from rnnlm.cli.reading import noted_predictor
from rnnlm.cli.score_options import PROTOCOL
from rnnlm.cli.screen import scoring_bar, show
from rnnlm.cli.signals import computing_until_signal
from rnnlm.cli.slowdowns import threads_of
from rnnlm.compute.threads import Workers
from rnnlm.errors import RnnlmError, counted, listed, one_line, size_shown
from rnnlm.files.whole import require_replaceable, whole_file
from rnnlm.reports.surprisal_page import GENERATOR, MOST_ROWS, Reading, surprisal_page
from rnnlm.runs.checks import not_empty
from rnnlm.runs.description import described
from rnnlm.runs.option import DEBUG, THREADS, Option
from rnnlm.runs.table import Table
from rnnlm.scoring.rows import word_rows
from rnnlm.text.sources import STANDARD_INPUT, called, require_one_standard_input
from rnnlm.text.spelled import spelled_file, spelled_string

TOP = 5  # words that were expected, for each word
MOST_CHARACTERS = 32 * MOST_ROWS  # of a text, some of whose words may be very long

PAGE = Table({"options": (
    MODEL,
    Option("text", not_empty, "UTF-8 text, one sentence a line, compressed (gzip, bzip2, xz, zstd) or not; - reads "
           "standard input", metavar="TEXT", argument=True),
    Option("output", not_empty, "the HTML file to write; it may replace an earlier page, but no other file",
           metavar="FILE", default_text="the text's name with .html, in the current folder", meant_by="out"),
    Option("compare", not_empty, "a second model, by itself; words are tinted by the difference in surprisal",
           metavar="MODEL"),
    PROTOCOL,
    Option("title", not_empty, "title of the page", metavar="WORDS", default_text="the text's name"),
    THREADS,
    DEBUG,
), TITLE: PARTNERS})
WITH = {"dynamic": "dynamic evaluation", "softmax_temperature": "a softmax temperature", "cache": "a cache",
        "unigram_cache": "a unigram cache", "mixed_with": "other models"}  # in the name of the first model


def build_parser(prog=None):
    """The options of the page command."""
    return Parser(prog, "Write one HTML file that shows a text with the surprisal of every word. The file needs "
                  "nothing else, and loads nothing.", PAGE)


def main(argv=None, prog=None):
    """The command; returns its exit code."""
    return run(write_page, build_parser(prog), argv)


def write_page(options):
    """Score the text with one model or two, and write the page."""
    require_one_standard_input(*models_named(options), options.compare, options.text)
    name = "standard input" if options.text == STANDARD_INPUT else os.path.basename(options.text)
    output = options.output or f"{Path(name.replace(' ', '-')).stem}.html"
    require_replaceable(output, lambda file: GENERATOR.encode() in file.read(500), "a page of this command",
                        "choose another name with --output")
    readings, models = _readings(options)
    facts = {"Text": name} if options.title else {}
    facts |= {"Protocol": protocol_in_words(options.protocol, *models), "First word": first_word(*models),
              "Made by": f"rnnlm {__version__}, logarithms of base 2"}
    with whole_file(output) as file:
        for piece in surprisal_page(readings, options.title or name, facts):
            file.write(piece.encode())
    show(f"{one_line(output)}: {size_shown(os.path.getsize(output))}, "
         f"{counted(len(readings[0].rows), 'word and line end', 'words and line ends')}\n")


def _readings(options):
    """What each model says of the text, which is read once; Readings and the models."""
    found, models, text = [], [], None
    with Workers(threads_of(options)) as workers:
        for name, partners, (model, vocabulary, sha256, *_) in _models(options, workers):
            parts = _parts(options.text, vocabulary) if text is None else list(spelled_string(text, vocabulary))
            text = "".join(part.text for part in parts)
            rows = _scored(options, model, vocabulary, parts)
            found.append(Reading(name, sha256, rows, len(vocabulary), described(model),
                                 vocabulary.tokenizer.unit, vocabulary.tokenizer.lost, partners))
            models.append(model)
    return found, models


def _models(options, workers):
    """Yield what each model is called, its partners in words, and its Read."""
    read = read_predictor(options, workers)
    said = partners_in_words(options)
    adds = [WITH[name] for name in said if name in WITH]
    name = f"{called(options.model)} with {listed(adds)}" if adds else called(options.model)
    yield name, "; ".join(f"{name.replace('_', ' ')}: {text}" for name, text in said.items()), read
    if options.compare:
        yield called(options.compare), "", Read(*noted_predictor(options.compare, workers))


def _parts(path, vocabulary):
    """The text in parts, a list; RnnlmError if it is too long for a page."""
    rows, characters, parts = 0, 0, []
    for part in spelled_file(path, vocabulary):
        rows, characters = rows + len(part.starts), characters + len(part.text)
        if rows > MOST_ROWS or characters > MOST_CHARACTERS:
            raise RnnlmError(f"{called(path)} is too long for a page, which shows at most {MOST_ROWS:,} words and line "
                             f"ends and {MOST_CHARACTERS:,} characters: give a part of it, for example with head -n")
        parts.append(part)
    return parts


def _scored(options, model, vocabulary, parts):
    """The rows of the text, under a bar; a signal ends it."""
    total, found = sum(len(part.starts) for part in parts), []
    with computing_until_signal("stopping after this part") as check, scoring_bar(called(options.text), total) as move:
        for rows in word_rows(model, vocabulary, parts, protocol=options.protocol, top=TOP):
            found.append(rows)
            move(len(rows))
            check()
    return np.concatenate(found)
