"""The n-gram command: text in, an n-gram model with Kneser-Ney smoothing out."""

import os

from rnnlm import __version__
from rnnlm.cli.arguments import Parser
from rnnlm.cli.command import run
from rnnlm.cli.screen import encoding_bar, file_bar, note, scoring_bar, show
from rnnlm.cli.signals import stop_on_signal
from rnnlm.errors import RnnlmError, counted, one_line, quoted, shown, size_shown
from rnnlm.files.whole import require_replaceable
from rnnlm.formats.arpa_writing import write_arpa
from rnnlm.ngrams.counts import MEMORY, MOST_ORDERS
from rnnlm.ngrams.ngram_model import NgramModel
from rnnlm.ngrams.training import require_thresholds, train_ngrams
from rnnlm.runs.checks import at_least, below_one, between, not_empty, thresholds
from rnnlm.runs.option import DEBUG, SWITCH, Option
from rnnlm.runs.table import Table
from rnnlm.runs.texts_like_train import CORPUS, TEXTS, corpus_of
from rnnlm.scoring.evaluation import evaluate

MEGABYTE = 1 << 20
LONGEST_LINE = 1 << 16  # bytes that are read at a time; a line with subwords is longer

NGRAM = Table({
    "model": (
        CORPUS,
        Option("order", between(1, MOST_ORDERS), "the most words of an n-gram", 5, "N", meant_by="n ngram-order"),
        Option("output", not_empty, "the ARPA file to write; it may replace an earlier ARPA file, but no other file",
               metavar="FILE", meant_by="out arpa"),
        Option("prune", thresholds, "leave out n-grams that occur at most K times, K by order with commas between "
               "them, as in 0,0,1; the last one is that of all higher orders, too", metavar="K,...",
               default_text="0, none", meant_by="cutoff cutoffs gtmin min-counts"),
        Option("prune_entropy", below_one, "leave out n-grams without which the perplexity rises by a share below X, "
               "such as 1e-8", 0.0, "X", meant_by="entropy-prune stolcke threshold"),
        Option("interpolate_unigrams", SWITCH, "share what is taken from the words' own probabilities among all words; "
               "--no-interpolate-unigrams shares it among the words that the training text lacks", True,
               default_text="among all words", meant_by="interpolate"),
        Option("memory", at_least(1), "megabytes that counting may take, about; for a longer text it uses temporary "
               "files", MEMORY // MEGABYTE, "MB", meant_by="buffer max-memory sort-memory"),
        DEBUG,
    ),
    "text": TEXTS,
})


def build_parser(prog=None):
    """The options of the n-gram command."""
    return Parser(prog, "Train an n-gram model on text, with interpolated modified Kneser-Ney smoothing, and write it "
                  "as an ARPA file. Its history begins anew at every line.", NGRAM)


def main(argv=None, prog=None):
    """The command; returns its exit code."""
    parser = build_parser(prog)

    def command(options):
        if options.output is None:
            parser.error("--output FILE must be given")
        train(options)

    return run(command, parser, argv)


def train(options):
    """Train the model, write it, and show what it is."""
    _require_possible(options)
    require_replaceable(options.output, is_earlier, "an ARPA file", "choose another name with --output")
    corpus = corpus_of(options, on_file=file_bar("fetching"), on_long=encoding_bar)
    for line in corpus.notes:
        note(f"note: {line}")
    with stop_on_signal("stopping after this piece") as check:
        with scoring_bar(corpus.name, 2 * options.order * corpus.train.size, "counting") as move:
            trained = train_ngrams(corpus.train, corpus.vocabulary, options.order, prune=options.prune or (),
                                   prune_entropy=options.prune_entropy, memory=options.memory * MEGABYTE,
                                   interpolate_unigrams=options.interpolate_unigrams, on_piece=_both(move, check))
        with scoring_bar(options.output, sum(trained.sizes), "writing") as move:
            write_arpa(options.output, trained.tables, corpus.vocabulary, _heading(options, corpus),
                       _both(move, check))
    for line in _notes(trained):
        note(f"note: {line}")
    show("".join(f"{line}\n" for line in (*_said(trained), _validated(trained, corpus))))
    note(f"the n-gram model is in {one_line(options.output)}, {size_shown(os.path.getsize(options.output))}; to score "
         f"a text: rnnlm evaluate {quoted(options.output)} TEXT")


def _both(move, check):
    """A function that moves a bar, and ends the command if a signal has come."""
    def on_block(count):
        move(count)
        check()

    return on_block


def _require_possible(options):
    """RnnlmError for options that do not go together, or do nothing."""
    for option in map(NGRAM.by_name.get, options.given):
        if option.acts and not option.acts(options):
            raise RnnlmError(f"{option.flag} does nothing here: it works only with {option.acts_with}; leave it out")
    require_thresholds("--prune", options.prune or (), options.order)


def _heading(options, corpus):
    """What the ARPA file says of itself, a list of lines."""
    pruned = [f"{option.flag} {_value(getattr(options, option.name))}" for option in map(
        NGRAM.by_name.get, ("prune", "prune_entropy")) if getattr(options, option.name)]
    unigrams = [] if options.interpolate_unigrams else ["--no-interpolate-unigrams"]
    how = " ".join(["interpolated modified Kneser-Ney,", f"--order {options.order}", *pruned, *unigrams])
    return [f"rnnlm {__version__}: {how}", f"corpus {shown(corpus.name)}: {counted(corpus.train.size, 'token')}"]


def _value(value):
    return ",".join(map(str, value)) if isinstance(value, list) else f"{value:g}"


def _said(trained):
    """What the model is, two lines."""
    sizes = " ".join(f"{size:,}" for size in trained.sizes)
    if trained.sizes != trained.counted:
        sizes += f", pruned from {' '.join(f'{size:,}' for size in trained.counted)}"
    discounts = "; ".join(" ".join(f"{value:.4g}" for value in one.values) for one in trained.discounts)
    return f"n-grams of order 1 to {len(trained.sizes)}: {sizes}", f"discounts of each order: {discounts}"


def _notes(trained):
    """What is worth knowing of how the model came about, a line each."""
    small = [str(order) for order, one in enumerate(trained.discounts, 1) if not one.estimated]
    if small:
        values = ", ".join(f"{value:g}" for value in trained.discounts[int(small[0]) - 1].values)
        yield (f"the training text has too few n-grams to estimate discounts of order {', '.join(small)}: they are "
               f"{values}")
    if trained.lost:
        yield (f"every word of the vocabulary is in the training text, so without interpolation {trained.lost:.2%} of "
               "the words' own probability is for no word, and probabilities sum to less than 1")


def _validated(trained, corpus):
    """The perplexity of the validation text, a line."""
    model = NgramModel(trained.tables, corpus.vocabulary)
    with scoring_bar("the validation text", corpus.valid.ids.size) as move:
        result = evaluate(model, corpus.valid, corpus.vocabulary.eos_id, on_window=move)
    return (f"validation text of {one_line(corpus.name)}: perplexity {result.perplexity:.6g}, "
            f"{counted(result.targets, 'target')}")


def is_earlier(file):
    r"""Whether an open binary file begins as an ARPA file: \data\ after # lines.

    Stricter than ``begins_as_arpa``: nothing else may be replaced by a new file.
    """
    line = b"\n"
    while not line.strip() or line.startswith(b"#"):
        at_end = line.endswith(b"\n")
        line = file.readline(LONGEST_LINE)
        if not line:
            return False
        if not at_end:
            line = b"#" + line  # more of the same line
    return line.strip() == b"\\data\\"
