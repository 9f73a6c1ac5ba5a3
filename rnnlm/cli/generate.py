"""The generation command: texts from a saved model.

One text is printed as it is drawn; several are printed one after another.
"""

import os
import sys

import numpy as np

from rnnlm.cli.arguments import Parser
from rnnlm.cli.command import run
from rnnlm.cli.partners import MODEL, PARTNERS, TITLE, models_named, read_predictor
from rnnlm.cli.screen import first_few, is_terminal, note, show, without_controls
from rnnlm.cli.signals import Stopped, stop_on_signal
from rnnlm.cli.slowdowns import threads_of
from rnnlm.cli.written import shown_as_json, shown_as_text
from rnnlm.compute.blas import blas_threads
from rnnlm.compute.threads import SERIAL, Workers
from rnnlm.errors import RnnlmError, counted
from rnnlm.runs.checks import any_text, at_least, between, not_empty, not_negative, number, seed, up_to_one
from rnnlm.runs.option import DEBUG, FLAG, THREADS, Option
from rnnlm.runs.table import Table
from rnnlm.scoring.constraints import RECENT
from rnnlm.scoring.limits import EndlessError
from rnnlm.scoring.predictor import reads_unknown
from rnnlm.scoring.prompts import banned_ids, prompt_ids, read_prompt
from rnnlm.scoring.writing import WIDEST_BEAM, write_beam, write_samples, write_text
from rnnlm.text.sources import require_one_standard_input
from rnnlm.text.subwords.byte_level import Subwords
from rnnlm.text.tokenizer import CHARACTERS, WORDS

GENERATE = Table({"options": (
    MODEL,
    Option("prompt", any_text, "text to continue", "", default_text="the start of a text",
           meant_by="prefix prime primer start"),
    Option("prompt_file", not_empty, "UTF-8 text to continue, of at most a million characters; its last line end is "
           "left out; - reads standard input", metavar="FILE", excludes="prompt"),
    Option("length", at_least(1), "number of words (or characters, or subwords) to write", metavar="WORDS",
           default_text="100 words, 500 characters or 150 subwords, then to the end of the line, but at most twice as "
           "many",
           meant_by="max-new-tokens max-tokens max-words n-words num-tokens num-words words"),
    Option("sentences", at_least(1), f"write up to the K-th line end; a line of more than {WORDS.longest_line:,} "
           f"words, {Subwords.longest_line:,} subwords or {CHARACTERS.longest_line:,} characters, ends the command "
           "with an error", metavar="K",
           excludes="length"),
    Option("min_length", at_least(1), "write no line end before a line has this many words (or characters, or "
           "subwords)",
           metavar="WORDS", meant_by="min-new-tokens min-tokens min-words"),
    Option("max_length", at_least(1), "write the line end when a line has this many words (or characters, or subwords)",
           metavar="WORDS"),
    Option("samples", at_least(1), "write K texts side by side, and print each after a line that begins with #",
           metavar="K", meant_by="n num-return-sequences num-samples"),
    Option("beam", between(1, WIDEST_BEAM), "beam search: write the B most probable continuations up to the line end, "
           "best first", metavar="B", meant_by="beam-size beam-width beams num-beams"),
    Option("length_penalty", number(float, "a number from 0 to 10", lambda value: 0 <= value <= 10), "power of the "
           "number of words by which beam search divides ln p: above 0 longer lines rank higher", 0.0, "X"),
    Option("scores", FLAG, "print ln p of each text, too: under the model itself, whatever the temperature and the "
           "other options", False),
    Option("json", FLAG, "print one JSON object for each text; with --scores it has the ln p of each word", False),
    Option("temperature", not_negative, "number that divides the scores: below 1 the text is safer, above 1 bolder; 0: "
           "always the most probable word", 1.0, "X"),
    Option("top_k", at_least(1), "draw from the K most probable words", metavar="K"),
    Option("top_p", up_to_one, "draw from the most probable words whose probabilities together reach P", metavar="P",
           meant_by="nucleus"),
    Option("repetition_penalty", number(float, "a number of at least 1", lambda value: value >= 1), "number that "
           f"divides positive scores of words among the last {RECENT} and multiplies negative ones", 1.0, "X"),
    Option("ban", any_text, "word that is never written, or several with blanks between them; not for subwords",
           metavar="WORD", many=True, meant_by="bad-words forbid stop-words"),
    Option("allow_unk", FLAG, "let the model write <unk>", False),
    Option("seed", seed, "seed of all random numbers; the same seed gives the same text", metavar="S",
           default_text="random", meant_by="random-seed rng"),
    THREADS,
    DEBUG,
), TITLE: PARTNERS})
NOT_WITH_BEAM = ("length", "sentences", "samples", "temperature", "top_k", "top_p", "repetition_penalty", "seed")


def build_parser(prog=None):
    """The options of the generation command."""
    return Parser(prog, "Write text with a trained model.", GENERATE)


def main(argv=None, prog=None):
    """The command; returns its exit code."""
    return run(generate_text, build_parser(prog), argv)


def generate_text(options):
    """Print the prompt and its continuation, each token as soon as it is drawn.

    Several texts, and those with scores or as JSON, are printed when they are complete.
    """
    _require_possible(options)
    threads = threads_of(options)
    many = (options.samples or options.beam or 1) > 1
    workers = Workers(threads) if many else SERIAL  # products with one row are best on BLAS's threads
    with workers if many else blas_threads(threads):
        model, vocabulary, *_ = read_predictor(options, workers)
        task = {"model": model, "vocabulary": vocabulary, "prompt": _prompt(options, model, vocabulary),
                "ban": _banned(options, vocabulary), "min_length": options.min_length,
                "max_length": options.max_length, "allow_unk": options.allow_unk}
        if options.beam is not None:
            _print_all(options, vocabulary, lambda stop: write_beam(
                **task, width=options.beam, length_penalty=options.length_penalty, scores=options.scores, on_step=stop))
        else:
            _sample(options, task)


def _sample(options, task):
    """Print what is drawn, and the seed if it was chosen here."""
    seed = int.from_bytes(os.urandom(4)) if options.seed is None else options.seed
    task |= {name: getattr(options, name) for name in
             ("length", "sentences", "temperature", "top_k", "top_p", "repetition_penalty")}
    task["rng"] = np.random.default_rng(seed)
    if options.samples is not None or options.scores or options.json:
        _print_all(options, task["vocabulary"], lambda stop: write_samples(
            **task, count=options.samples or 1, scores=options.scores, on_step=stop))
    else:
        _print_one(write_text(**task))
    if options.seed is None and _draws(options):
        note(f"note: --seed {seed} writes this again")


def _draws(options):
    """Whether chance decides what is written, and not the highest score alone."""
    return options.temperature > 0 and options.top_k != 1


def _require_possible(options):
    """RnnlmError for options that make no sense together."""
    require_one_standard_input(*models_named(options), options.prompt_file)
    if options.beam is not None:
        for name in NOT_WITH_BEAM:
            if name in options.given:
                raise RnnlmError(f"--beam writes the most probable lines, so {GENERATE.by_name[name].flag} has no "
                                 "effect: leave out one of them")
    elif "length_penalty" in options.given:
        raise RnnlmError("--length-penalty ranks what beam search finds: give --beam, too")
    for name in ("max_length", "length"):
        most = getattr(options, name)
        if None not in (options.min_length, most) and options.min_length > most:
            raise RnnlmError(f"--min-length must be at most {GENERATE.by_name[name].flag}, which is {most}, got "
                             f"{options.min_length}")


def _prompt(options, model, vocabulary):
    """The prompt, of the line or of a file; its unknown words are noted."""
    if options.prompt_file is None:
        prompt, name = _as_text("--prompt", options.prompt), "--prompt"
    else:
        prompt, name = read_prompt(options.prompt_file), "--prompt-file"
    _note_unknown(prompt_ids(prompt, vocabulary, name)[1], vocabulary, reads_unknown(model))
    return prompt


def _banned(options, vocabulary):
    """The words of --ban; those that the vocabulary lacks are noted."""
    words = [_as_text("--ban", word) for word in options.ban or ()]
    _, unknown = banned_ids(words, vocabulary, "--ban")
    if unknown:
        note(f"note: {counted(len(unknown), vocabulary.tokenizer.unit)} of --ban cannot be written in any case, as the "
             f"vocabulary lacks {'it' if len(unknown) == 1 else 'them'}: {first_few(unknown)}")
    return words


def _print_one(pieces):
    """Print a text in pieces as they come."""
    visible = _visible()
    text = ""
    with stop_on_signal("stopping after this word") as check:
        try:
            for text in pieces:
                show(visible(text))
                check()
        finally:
            if text and not text.endswith("\n"):
                show("\n")


def _print_all(options, vocabulary, write):
    """Print what write(stop) gives, each Written when it is there.

    A signal ends all texts, and what there is of them is printed.  EndlessError, at the
    end, if one was cut short because it shows no sign of an end.
    """
    visible, endless, legend = _visible(), None, options.scores and not options.json
    with stop_on_signal("stopping after this word") as check:

        def stop():
            try:
                check()
            except Stopped:
                return True
            return False

        for written in write(stop):
            if options.json:
                show(shown_as_json(written))
            else:
                kind = "sample" if options.beam is None else "beam"
                show(visible(shown_as_text(written, kind, vocabulary.tokenizer.unit, legend)))
            legend = False
            endless = endless or (written.stopped and written)
        check()
    if endless:
        raise EndlessError(f"text {endless.number}: {endless.stopped}")


def _visible():
    """What is done to a text that is printed: a pipe gets the words as they are."""
    return without_controls if is_terminal(sys.stdout) else str


def _as_text(flag, words):
    """The words as they were typed. RnnlmError if they are not UTF-8."""
    try:
        # Where the locale is not UTF-8, Python hands on each byte of a letter as one
        # character.
        return words.encode("utf-8", "surrogateescape").decode("utf-8")
    except UnicodeError:
        position = next(i for i, char in enumerate(words) if "\ud800" <= char <= "\udfff")
        byte = ord(words[position]) & 0xff
        raise RnnlmError(f"{flag} must be text, its character {position + 1} is the byte 0x{byte:02x}: "
                         "write it in UTF-8") from None


def _note_unknown(unknown, vocabulary, known_of):
    """A note on what happens to the prompt's unknown words, a list."""
    if unknown:
        are, s = ("is", "s") if len(unknown) == 1 else ("are", "")
        fate = (f"{are} read as <unk>" if vocabulary.unk_id is not None else f"end{s} the model's context" if known_of
                else f"{are} left out of the model's context")
        note(f"note: {counted(len(unknown), vocabulary.tokenizer.unit)} of the prompt {are} not in the vocabulary and "
             f"{fate}: {first_few(unknown)}")
