"""The evaluation command: the perplexity of texts under a saved model."""

import json
import math

from rnnlm.cli.arguments import Parser
from rnnlm.cli.command import run
from rnnlm.cli.dynamic_options import SAVE_ADAPTED, save_adapted
from rnnlm.cli.mixing_options import PROBS, TUNE_PROBS, note_ruled_out, part_names, parts_in_words
from rnnlm.cli.partners import (
    MODEL,
    TITLE,
    TUNABLE_PARTNERS,
    TUNE,
    WEIGHTS_FOLLOW,
    adaptation_in_words,
    models_named,
    read_predictor,
)
from rnnlm.cli.screen import encoding_bar, file_bar, note, scoring_bar, show
from rnnlm.cli.several import sharing
from rnnlm.cli.signals import computing_until_signal
from rnnlm.cli.slowdowns import threads_of
from rnnlm.compute.threads import Workers
from rnnlm.errors import RnnlmError, counted, listed, one_line
from rnnlm.mixing.figures import evaluate_parts
from rnnlm.mixing.mixture import LINEAR
from rnnlm.runs.checks import OneOf, at_least, not_empty
from rnnlm.runs.description import bits_per_byte, unknown_share
from rnnlm.runs.option import CHARGE_UNKNOWN, DEBUG, FLAG, THREADS, Option, require_acting
from rnnlm.runs.own_texts import own_texts
from rnnlm.runs.table import Table
from rnnlm.scoring.evaluation import WINDOW
from rnnlm.scoring.spelling import Spelling
from rnnlm.text.corpora import SPLITS
from rnnlm.text.corpus import read_text
from rnnlm.text.sources import called, require_one_standard_input, require_text_file

TEXT_NAMES = {"train": "training", "valid": "validation", "test": "test"}

EVALUATE = Table({"options": (
    MODEL,
    Option("texts", not_empty, "UTF-8 text, one sentence a line, compressed (gzip, bzip2, xz, zstd) or not; - reads "
           "standard input; none: a text of the run itself", metavar="TEXT", argument=True, many=True, optional=True),
    Option("split", OneOf(SPLITS), "which text of the run to score where none is named", "test"),
    Option("json", FLAG, "print one JSON object for each text", False),
    CHARGE_UNKNOWN,
    Option("time_size", at_least(1), "number of steps computed at once; it changes the memory needed, not the result",
           WINDOW, "T", meant_by="bptt bptt-steps seq-len seq-length seqlen sequence-length window"),
    THREADS,
    DEBUG,
), TITLE: (*TUNABLE_PARTNERS, WEIGHTS_FOLLOW, PROBS, SAVE_ADAPTED, TUNE, TUNE_PROBS)})


def build_parser(prog=None):
    """The options of the evaluation command."""
    return Parser(prog, "Compute the perplexity of texts under a trained model. Each text is one stream: the state is "
                  "carried through it, and every word and every line end is predicted once.", EVALUATE)


def main(argv=None, prog=None):
    """The command; returns its exit code."""
    return run(sharing(evaluate_texts), build_parser(prog), argv)


def evaluate_texts(options):
    """Print the scores of every text."""
    texts = options.texts or []
    if texts and "split" in options.given:
        raise RnnlmError(f"--split {options.split} is for the run's own texts: leave it out, or name no text")
    _require_can_follow(options)
    require_one_standard_input(*models_named(options), *texts, options.tune, options.probs, options.tune_probs)
    for path in texts:  # before anything is tuned
        require_text_file(path)
    with Workers(threads_of(options)) as workers:
        read = read_predictor(options, workers, options.tune)
        model, vocabulary = read.model, read.vocabulary
        spelling = Spelling.of_vocabulary(vocabulary) if options.charge_unknown else None
        for name, about, text in _texts(texts, options, vocabulary):
            result, parts = _score(name, model, text, vocabulary.eos_id, options.time_size, spelling)
            if math.isnan(result.log_prob):
                raise RnnlmError(f"{options.model} gives no probabilities for {name}: its scores are not finite")
            if parts:
                note_ruled_out(options, parts)
            if options.json:
                _show([_as_json(about | adaptation_in_words(options) | _parts_as_json(options, parts), result, text)])
            else:
                _show([*_as_text(name, result, text, vocabulary), *(parts_in_words(options, parts) if parts else [])])
        save_adapted(read, options)


def _require_can_follow(options):
    """RnnlmError for --weights-follow where weights cannot."""
    require_acting((WEIGHTS_FOLLOW,), options)
    wrong = "--mixing log-linear" if options.mixing != LINEAR else "--probs" if options.probs else None
    if options.weights_follow and wrong:
        raise RnnlmError(f"--weights-follow is for the weights of caches and of linear mixtures of models: leave out "
                         f"{wrong}, or leave out --weights-follow")


def _texts(paths, options, vocabulary):
    """Yield what each text is called, what JSON says of it, and the EncodedText."""
    for path in paths:
        yield called(path), {"file": path}, read_text(path, vocabulary, encoding_bar)
    if not paths:
        texts, corpus = own_texts(options.model, vocabulary, on_file=file_bar("fetching"), on_long=encoding_bar)
        about = {"file": None, "corpus": corpus, "split": options.split}
        yield f"{TEXT_NAMES[options.split]} text of {corpus}", about, texts[options.split]


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


def _score(path, model, text, eos_id, window, spelling):
    """The text's Evaluation and the figures of parts, under a bar; a signal ends it."""
    with computing_until_signal("stopping after this window") as check, scoring_bar(path, len(text.ids)) as move:

        def on_window(targets):
            move(targets)
            check()

        return evaluate_parts(model, text, eos_id, window, on_window, spelling)


def _as_json(about, result, text):
    values = dict(about)
    for name in ("sentences", "words", "oov", "targets", "log_prob", "perplexity", "perplexity_without_oov",
                 "bits_per_token", "bits_per_byte"):
        value = getattr(result, name)
        values[name] = value if math.isfinite(value) else None
    values |= {"bytes": result.bytes, "lost": list(result.lost), "unk_share": text.unk_share}
    return json.dumps(values, allow_nan=False)


def _parts_as_json(options, parts):
    """What JSON says of the parts of a mixture; {} without one."""
    if not parts:
        return {}
    return {"mixing": options.mixing, "weights": [part.weight for part in parts], "parts": [
        {"model": name, "weight": part.weight, "log_prob": part.log_prob, "targets": part.targets,
         "zeros": part.zeros, "perplexity": part.perplexity if math.isfinite(part.perplexity) else None}
        for name, part in zip(part_names(options), parts, strict=True)]}


def _as_text(path, result, text, vocabulary):
    """Two or three lines; a file's name cannot add one."""
    token = "character" if vocabulary.tokenizer.unit == "character" else "token"  # as train prints
    fate = "not counted in the numbers below" if vocabulary.unk_id is None else "scored as <unk>"
    oov = counted(result.oov, "OOV") + (f" ({fate})" if result.oov else "")
    unknown = f"{share}, " if (share := unknown_share(text, "of them")) else ""
    words, bits = counted(result.words, vocabulary.tokenizer.unit), bits_per_byte(result.bits_per_byte, result.lost)
    return (f"{one_line(path)}: {counted(result.sentences, 'sentence')}, {words}, {oov}",
            f"perplexity {result.perplexity:.6g}, without OOVs {result.perplexity_without_oov:.6g}, "
            f"{result.bits_per_token:.5g} bits per {token}, {counted(result.targets, 'target')}, {unknown}one stream",
            *([f"{bits}{_without(result.lost)}"] if bits else []))


def _without(lost):
    """What a number of bits leaves out, and how it would leave out less."""
    names = [{"unknown words": "the spelling of unknown words"}.get(name, name) for name in lost]
    remedy = "; --charge-unknown counts the spelling" if "unknown words" in lost else ""
    return f", without {listed(names)}{remedy}" if lost else ""
