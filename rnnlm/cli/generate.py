"""The generation command: text from a saved model, printed as it is drawn."""

import os
import sys

import numpy as np

from rnnlm.cli.arguments import Parser
from rnnlm.cli.command import run
from rnnlm.cli.screen import is_terminal, note, show, without_controls
from rnnlm.cli.signals import stop_on_signal
from rnnlm.cli.slowdowns import threads_of
from rnnlm.compute.blas import blas_threads
from rnnlm.compute.threads import SERIAL
from rnnlm.errors import RnnlmError, counted, one_line, shown
from rnnlm.formats.model_file import load_model
from rnnlm.runs.checks import any_text, at_least, not_empty, not_negative, seed, up_to_one
from rnnlm.runs.option import DEBUG, FLAG, THREADS, Option
from rnnlm.runs.table import Table
from rnnlm.scoring.limits import LONGEST_LINE
from rnnlm.scoring.writing import prompt_ids, write_text
from rnnlm.text.tokenizer import UNITS

GENERATE = Table({"options": (
    Option("model", not_empty, "a model file or a run folder", metavar="MODEL", argument=True),
    Option("prompt", any_text, "text to continue", "", default_text="the start of a text",
           meant_by="prefix prime primer start"),
    Option("length", at_least(1), "number of words (or characters) to write", metavar="WORDS",
           default_text="100 words or 500 characters, then to the end of the line, but at most twice as many",
           meant_by="max-length max-new-tokens max-tokens max-words n-words num-tokens num-words words"),
    Option("sentences", at_least(1), f"write up to the K-th line end; a line of more than {LONGEST_LINE['word']:,} "
           f"words, or {LONGEST_LINE['char']:,} characters, ends the command with an error", metavar="K",
           excludes="length"),
    Option("temperature", not_negative, "number that divides the scores: below 1 the text is safer, above 1 bolder; 0: "
           "always the most probable word", 1.0, "X"),
    Option("top_k", at_least(1), "draw from the K most probable words", metavar="K"),
    Option("top_p", up_to_one, "draw from the most probable words whose probabilities together reach P", metavar="P",
           meant_by="nucleus"),
    Option("allow_unk", FLAG, "let the model write <unk>", False),
    Option("seed", seed, "seed of all random numbers; the same seed gives the same text", metavar="S",
           default_text="random", meant_by="random-seed rng"),
    THREADS,
    DEBUG,
)})


def build_parser(prog=None):
    """The options of the generation command."""
    return Parser(prog, "Write text with a trained model.", GENERATE)


def main(argv=None, prog=None):
    """The command; returns its exit code."""
    return run(generate_text, build_parser(prog), argv)


def generate_text(options):
    """Print the prompt and its continuation, each token as soon as it is drawn."""
    model, vocabulary = load_model(options.model, SERIAL)  # products with one row are best on BLAS's threads
    prompt = _as_text(options.prompt)
    _note_unknown(prompt_ids(prompt, vocabulary, "--prompt")[1], vocabulary)
    seed = int.from_bytes(os.urandom(4)) if options.seed is None else options.seed
    pieces = write_text(model, vocabulary, prompt, rng=np.random.default_rng(seed), length=options.length,
                        sentences=options.sentences, temperature=options.temperature, top_k=options.top_k,
                        top_p=options.top_p, allow_unk=options.allow_unk)
    visible = without_controls if is_terminal(sys.stdout) else str  # a pipe gets the words as they are
    text = ""
    with blas_threads(threads_of(options)), stop_on_signal("stopping after this word") as check:
        try:
            for text in pieces:
                show(visible(text))
                check()
        finally:
            if text and not text.endswith("\n"):
                show("\n")
    if options.seed is None:
        note(f"note: --seed {seed} writes this again")


def _as_text(prompt):
    """The prompt as it was typed. RnnlmError if it is not UTF-8."""
    try:
        # Where the locale is not UTF-8, Python hands on each byte of a letter as one
        # character.
        return prompt.encode("utf-8", "surrogateescape").decode("utf-8")
    except UnicodeError:
        position = next(i for i, char in enumerate(prompt) if "\ud800" <= char <= "\udfff")
        byte = ord(prompt[position]) & 0xff
        raise RnnlmError(f"--prompt must be text, its character {position + 1} is the byte 0x{byte:02x}: "
                         "write it in UTF-8") from None


def _note_unknown(unknown, vocabulary):
    """A note on what happens to the prompt's unknown words, a list."""
    if unknown:
        fate = "read as <unk>" if vocabulary.unk_id is not None else "left out of the model's context"
        are = "is" if len(unknown) == 1 else "are"
        note(f"note: {counted(len(unknown), UNITS[vocabulary.level])} of the prompt {are} not in the vocabulary and "
             f"{are} {fate}: {_first(unknown)}")


def _first(words):
    """The first few of a list of words, for a message."""
    return one_line(" ".join(shown(word, 40) for word in words[:10])) + (" ..." if len(words) > 10 else "")
