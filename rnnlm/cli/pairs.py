"""The command for minimal pairs: which sentence of each a saved model prefers."""

import json
import math
import sys

from rnnlm.cli.arguments import Parser
from rnnlm.cli.command import run
from rnnlm.cli.heading import heading
from rnnlm.cli.pairs_notes import note_repeated, note_unknown
from rnnlm.cli.screen import is_terminal, scoring_bar, show
from rnnlm.cli.signals import stop_on_signal
from rnnlm.cli.slowdowns import threads_of
from rnnlm.compute.threads import Workers
from rnnlm.errors import RnnlmError
from rnnlm.files.whole import require_replaceable
from rnnlm.formats.model_file import load_model_and_sha256
from rnnlm.reports.heading import heading_lines
from rnnlm.reports.pairs_table import published_lines, table_lines
from rnnlm.reports.published_pairs import published
from rnnlm.runs.checks import OneOf, not_empty
from rnnlm.runs.option import DEBUG, FLAG, THREADS, Option
from rnnlm.runs.table import Table
from rnnlm.scoring.pairs import score_pairs
from rnnlm.scoring.preferences import TIES
from rnnlm.text.pairs_files import read_pairs
from rnnlm.text.sources import STANDARD_INPUT

PNG = b"\x89PNG\r\n\x1a\n"  # how each such file begins

PAIRS = Table({"options": (
    Option("model", not_empty, "a model file or a run folder", metavar="MODEL", argument=True),
    Option("files", not_empty, "pairs in BLiMP's layout (a JSON object a line), or a good and a bad sentence a line "
           "with a tab between them; compressed (gzip, bzip2, xz, zstd) or not; a folder means its files NAME.jsonl; "
           "- reads standard input", metavar="FILE", argument=True, many=True),
    Option("lowercase", FLAG, "make all letters small before the model reads the sentences", False,
           meant_by="lower lower-case uncased"),
    Option("split_punctuation", FLAG, "make punctuation, n't and 's words of their own; marks that the vocabulary "
           "lacks are left out", False, meant_by="punctuation split tokenize"),
    Option("without_end", FLAG, "do not score the end of the sentence", False, meant_by="no-end no-eos without-eos"),
    Option("ties", OneOf(TIES), "what two equal scores count", "wrong"),
    Option("chart", not_empty, "PNG file for a bar chart of the accuracy by phenomenon; it may replace an earlier "
           "picture, but no other file", metavar="FILE", meant_by="plot picture png"),
    Option("json", FLAG, "print one JSON object, with every pair", False),
    THREADS,
    DEBUG,
)})


def build_parser(prog=None):
    """The options of the command for pairs."""
    return Parser(prog, "Compute how often a trained model finds the good sentence of a pair more probable than the "
                  "bad one. Each sentence is read on its own.", PAIRS)


def main(argv=None, prog=None):
    """The command; returns its exit code."""
    return run(show_pairs, build_parser(prog), argv)


def show_pairs(options):
    """Print what the model prefers, and draw it."""
    if options.files.count(STANDARD_INPUT) > 1:
        raise RnnlmError("standard input (-) can be read only once: give - once, or a file")
    if options.chart:
        require_replaceable(options.chart, lambda file: file.read(len(PNG)) == PNG, "a PNG picture")
    with Workers(threads_of(options)) as workers:
        model, vocabulary, sha256 = load_model_and_sha256(options.model, workers)
        pairs = read_pairs(*options.files)
        note_repeated(pairs)
        scores = _score(model, vocabulary, pairs, options)
    head, numbers, others = _head(options, sha256), scores.summary(), published(pairs)
    tokens = None if vocabulary.counts is None else int(vocabulary.counts.sum())
    if options.json:
        show(json.dumps(_as_json(head, numbers, others, tokens, scores), allow_nan=False) + "\n")
    else:
        lines = [*table_lines(numbers, is_terminal(sys.stdout)), *published_lines(others, tokens)]
        show(heading_lines(head) + "".join(f"{line}\n" for line in lines))
    note_unknown(scores, vocabulary, options)
    if options.chart:
        from rnnlm.reports.pairs_chart import plot_pairs

        plot_pairs(options.chart, numbers, f"minimal pairs, {options.model}, text: {_text(options)}", others)


def _score(model, vocabulary, pairs, options):
    """The PairScores, under a bar; a signal ends it."""
    with stop_on_signal("stopping after this batch") as check, scoring_bar("pairs", 1) as move:

        def on_words(count, total):
            move(count / total)
            check()

        return score_pairs(model, vocabulary, pairs, lowercase=options.lowercase, ties=options.ties,
                           split_punctuation=options.split_punctuation, with_end=not options.without_end,
                           on_words=on_words)


def _head(options, sha256):
    """What must be known to read the numbers."""
    head = heading(options.model, sha256, "sentence: each sentence is read on its own", "e")
    return head | {"log_prob": "natural logarithm of a sentence's probability",
                   "sentence_end": "not scored" if options.without_end else "scored", "ties": options.ties,
                   "text": _text(options), "accuracy": "fraction of the pairs, from 0 to 1"}


def _text(options):
    """What was done to the sentences, in words."""
    changes = [name for name in ("lowercase", "split_punctuation") if getattr(options, name)]
    return ", ".join(changes) or "as it is"


def _as_json(head, numbers, others, tokens, scores):
    """The one object that --json prints."""
    return {"about": head, **numbers, "published": [other._asdict() for other in others], "training_tokens": tokens,
            "items": list(_items(scores))}


def _items(scores):
    """Yield each pair with its scores, a dict."""
    for i, pair in enumerate(scores.pairs):
        item = {"file": pair.file, "line": pair.line, "uid": pair.uid, "good": pair.good, "bad": pair.bad}
        for name, preferences in (("", scores.sentence), ("one_prefix_", scores.one_prefix)):
            for j, which in enumerate(("good", "bad")):
                value = float(preferences.log_probs[i, j])
                item[f"{name}log_prob_{which}"] = value if math.isfinite(value) else None
        item |= {"same_ids": bool(scores.sentence.same_ids[i]), "unknown_good": int(scores.sentence.unknown[i, 0]),
                 "unknown_bad": int(scores.sentence.unknown[i, 1])}
        yield item
