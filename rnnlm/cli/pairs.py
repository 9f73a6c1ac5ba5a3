"""The command for minimal pairs: which sentence of each a saved model prefers."""

import json
import math
import sys

from rnnlm.cli.arguments import Parser
from rnnlm.cli.command import run
from rnnlm.cli.heading import first_word, heading
from rnnlm.cli.kept import OF_EACH, chart_option, kept_option, models_of, require_sources, tokens_axis
from rnnlm.cli.pairs_notes import note_repeated, note_unknown
from rnnlm.cli.partners import MODEL, PARTNERS, TITLE, partners_in_words
from rnnlm.cli.screen import is_terminal, scoring_bar, show
from rnnlm.cli.several import sharing
from rnnlm.cli.signals import computing_until_signal
from rnnlm.cli.slowdowns import threads_of
from rnnlm.compute.threads import Workers
from rnnlm.reports.heading import heading_lines
from rnnlm.reports.pairs_table import kept_lines, published_lines, table_lines
from rnnlm.reports.published_pairs import published
from rnnlm.runs.checks import OneOf, not_empty
from rnnlm.runs.option import DEBUG, FLAG, THREADS, Option
from rnnlm.runs.table import Table
from rnnlm.scoring.pairs import score_pairs
from rnnlm.scoring.preferences import TIES
from rnnlm.text.pairs_files import read_pairs

PAIRS = Table({"options": (
    MODEL,
    Option("files", not_empty, "pairs in BLiMP's layout (a JSON object a line), or a good and a bad sentence a line "
           "with a tab between them; compressed (gzip, bzip2, xz, zstd) or not; a folder means its files NAME.jsonl; "
           "- reads standard input", metavar="FILE", argument=True, many=True),
    Option("lowercase", FLAG, "turn capitals into small letters before the model reads the sentences", False,
           meant_by="lower lower-case uncased"),
    Option("split_punctuation", FLAG, "make punctuation, n't and 's words of their own; marks that the vocabulary "
           "lacks are left out", False, meant_by="punctuation split tokenize"),
    Option("without_end", FLAG, "do not score the end of the sentence", False, meant_by="no-end no-eos without-eos"),
    Option("ties", OneOf(TIES), "what two equal scores count", "wrong"),
    kept_option("there is a row for each"),
    chart_option("a bar chart of the accuracy by phenomenon or, with --kept, for learning curves"),
    Option("json", FLAG, "print one JSON object, with every pair or, with --kept, all numbers of every model", False),
    THREADS,
    DEBUG,
), TITLE: PARTNERS})


def build_parser(prog=None):
    """The options of the command for pairs."""
    return Parser(prog, "Compute how often a trained model finds the good sentence of a pair more probable than the "
                  "bad one. Each sentence is read on its own.", PAIRS)


def main(argv=None, prog=None):
    """The command; returns its exit code."""
    return run(sharing(show_pairs), build_parser(prog), argv)


def show_pairs(options):
    """Print what the model prefers, or what each kept model does, and draw it."""
    require_sources(options.files, options)
    pairs, found = None, []
    with Workers(threads_of(options)) as workers:
        for read in models_of(options, workers):
            if pairs is None:
                pairs, vocabulary = read_pairs(*options.files), read.vocabulary
                note_repeated(pairs)
            scores = _score(read, pairs, options)
            found.append((read.tokens, read.sha256, scores.summary()))
    if options.kept:
        _show_kept(options, found, vocabulary, read.model)
    else:
        _show(options, found[0], scores, read)
    note_unknown(scores, vocabulary, options)
    if options.chart:
        _draw(options, found, pairs, vocabulary)


def _show(options, found, scores, read):
    """Print the PairScores of one model."""
    _, sha256, numbers = found
    vocabulary, head, others = read.vocabulary, _head(options, sha256, read.model), published(scores.pairs)
    tokens = None if vocabulary.counts is None else int(vocabulary.counts.sum())
    if options.json:
        show(json.dumps(_as_json(head, numbers, others, tokens, scores), allow_nan=False) + "\n")
    else:
        lines = [*table_lines(numbers, is_terminal(sys.stdout)), *published_lines(others, tokens)]
        show(heading_lines(head) + "".join(f"{line}\n" for line in lines))


def _show_kept(options, found, vocabulary, model):
    """Print the numbers of each kept model."""
    head = _head(options, OF_EACH, model) | {"tokens": tokens_axis(vocabulary)}
    if options.json:
        models = [{"tokens": tokens, "sha256": sha256, **numbers} for tokens, sha256, numbers in found]
        show(json.dumps({"about": head, "kept": models}, allow_nan=False) + "\n")
    else:
        show(heading_lines(head) + "".join(f"{line}\n" for line in kept_lines(found, is_terminal(sys.stdout))))


def _draw(options, found, pairs, vocabulary):
    """Draw bars of one model, or curves of kept ones."""
    title = ", ".join(["minimal pairs", options.model, *_changes(options)])
    if options.kept:
        from rnnlm.reports.learning_chart import plot_learning_curves
        from rnnlm.reports.pairs_chart import CHANCE, accuracy_curves

        curves = accuracy_curves([(tokens, numbers) for tokens, _, numbers in found])
        plot_learning_curves(options.chart, curves, title, tokens=tokens_axis(vocabulary), chance=CHANCE,
                             value="share of pairs in which the good sentence is more probable")
    else:
        from rnnlm.reports.pairs_chart import plot_pairs

        plot_pairs(options.chart, found[0][-1], title, published(pairs))


def _score(read, pairs, options):
    """The PairScores of a model, under a bar; a signal ends it."""
    name = "pairs" if read.tokens is None else f"pairs, {read.tokens:,} tokens"
    with computing_until_signal("stopping after this batch") as check, scoring_bar(name, 1) as move:

        def on_words(count, total):
            move(count / total)
            check()

        return score_pairs(read.model, read.vocabulary, pairs, lowercase=options.lowercase, ties=options.ties,
                           split_punctuation=options.split_punctuation, with_end=not options.without_end,
                           on_words=on_words)


def _head(options, sha256, model):
    """What must be known to read the numbers."""
    head = heading(options.model, sha256, "sentence: each sentence is read on its own", "e", first_word(model))
    return head | partners_in_words(options) | {"log_prob": "natural logarithm of a sentence's probability",
                   "sentence_end": "not scored" if options.without_end else "scored", "ties": options.ties,
                   "text": _text(options), "accuracy": "fraction of the pairs, from 0 to 1"}


def _text(options):
    """What was done to the sentences, in words."""
    return ", ".join(_changes(options)) or "as it is"


def _changes(options):
    return [name for name in ("lowercase", "split_punctuation") if getattr(options, name)]


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
