"""The evaluation command: the perplexity of texts under a saved model."""

import json
import math

from rnnlm.cli.arguments import Parser
from rnnlm.cli.command import run
from rnnlm.cli.screen import encoding_bar, note, scoring_bar, show
from rnnlm.cli.signals import stop_on_signal
from rnnlm.cli.slowdowns import threads_of
from rnnlm.compute.threads import Workers
from rnnlm.errors import RnnlmError, counted, one_line
from rnnlm.formats.model_file import load_model
from rnnlm.runs.checks import at_least, not_empty
from rnnlm.runs.description import unknown_share
from rnnlm.runs.option import DEBUG, FLAG, THREADS, Option
from rnnlm.runs.table import Table
from rnnlm.scoring.evaluation import WINDOW, evaluate
from rnnlm.text.corpus import read_text
from rnnlm.text.sources import STANDARD_INPUT

EVALUATE = Table({"options": (
    Option("model", not_empty, "a model file or a run folder", metavar="MODEL", argument=True),
    Option("texts", not_empty, "UTF-8 text, one sentence a line, compressed (gzip, bzip2, xz) or not; - reads standard "
           "input", metavar="TEXT", argument=True, many=True),
    Option("json", FLAG, "print one JSON object for each text", False),
    Option("time_size", at_least(1), "number of steps computed at once; it changes the memory needed, not the result",
           WINDOW, "T", meant_by="bptt bptt-steps seq-len seq-length seqlen sequence-length window"),
    THREADS,
    DEBUG,
)})


def build_parser(prog=None):
    """The options of the evaluation command."""
    return Parser(prog, "Compute the perplexity of texts under a trained model. Each text is one stream: the state is "
                  "carried through it, and every word and every line end is predicted once.", EVALUATE)


def main(argv=None, prog=None):
    """The command; returns its exit code."""
    return run(evaluate_texts, build_parser(prog), argv)


def evaluate_texts(options):
    """Print the scores of every text."""
    if options.texts.count(STANDARD_INPUT) > 1:
        raise RnnlmError("standard input (-) can be read only once: give - once, or a file")
    with Workers(threads_of(options)) as workers:
        model, vocabulary = load_model(options.model, workers)
        for path in options.texts:
            text = read_text(path, vocabulary, encoding_bar)
            result = _score(path, model, text, vocabulary.eos_id, options.time_size)
            if math.isnan(result.log_prob):
                raise RnnlmError(f"{options.model} gives no probabilities for {path}: its scores are not finite")
            _show([_as_json(path, result, text)] if options.json else _as_text(path, result, text, vocabulary))


def _show(lines):
    """Show a text's score on standard output.

    Where it cannot be written, it goes to standard error, and the command ends.
    """
    try:
        show("".join(f"{line}\n" for line in lines))
    except RnnlmError:
        for line in lines:
            note(line)
        raise


def _score(path, model, text, eos_id, window):
    """The text's Evaluation, under a bar; a signal ends it."""
    with stop_on_signal("stopping after this window") as check, scoring_bar(path, len(text.ids)) as move:

        def on_window(targets):
            move(targets)
            check()

        return evaluate(model, text, eos_id, window, on_window)


def _as_json(path, result, text):
    values = {"file": path}
    for name in ("sentences", "words", "oov", "targets", "log_prob", "perplexity", "perplexity_without_oov",
                 "bits_per_token"):
        value = getattr(result, name)
        values[name] = value if math.isfinite(value) else None
    values["unk_share"] = text.unk_share
    return json.dumps(values, allow_nan=False)


def _as_text(path, result, text, vocabulary):
    """Two lines; a file's name cannot add one."""
    fate = "not counted in the numbers below" if vocabulary.unk_id is None else "scored as <unk>"
    oov = counted(result.oov, "OOV") + (f" ({fate})" if result.oov else "")
    unknown = f"{share}, " if (share := unknown_share(text, "of them")) else ""
    words = counted(result.words, vocabulary.tokenizer.unit)
    return (f"{one_line(path)}: {counted(result.sentences, 'sentence')}, {words}, {oov}",
            f"perplexity {result.perplexity:.6g}, without OOVs {result.perplexity_without_oov:.6g}, "
            f"{result.bits_per_token:.5g} bits per token, {counted(result.targets, 'target')}, {unknown}one stream")
