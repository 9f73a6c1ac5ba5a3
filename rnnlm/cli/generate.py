"""The generation command: text from a saved model, printed as it is drawn."""

import os
import sys

import numpy as np

from rnnlm.cli.command import add_debug, run
from rnnlm.cli.options import LARGEST_SEED, Parser, add_threads, at_least, not_empty, not_negative, share
from rnnlm.cli.screen import is_terminal, note, show, without_controls
from rnnlm.cli.signals import stop_on_signal
from rnnlm.cli.slowdowns import threads_of
from rnnlm.compute.threads import blas_threads
from rnnlm.errors import RnnlmError, counted, one_line, shown
from rnnlm.formats.model_file import load_model
from rnnlm.scoring.writing import LONGEST_LINE, prompt_ids, write_text
from rnnlm.text.tokenizer import UNITS


def build_parser(prog=None):
    """The options of the generation command."""
    parser = Parser(prog, "Write text with a trained model.")
    parser.add_argument("model", metavar="MODEL", type=not_empty, help="a model file or a run folder")
    parser.add_argument("--prompt", default="", help="text to continue (default: the start of a text)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--length", type=at_least(1), metavar="WORDS",
                        help="number of words (or characters) to write (default: 100 words or 500 characters, then to "
                             "the end of the line, but at most twice as many)")
    length.add_argument("--sentences", type=at_least(1), metavar="K", help="write up to the K-th line "
                        f"end; a line of more than {LONGEST_LINE['word']:,} words, or {LONGEST_LINE['char']:,} "
                        "characters, ends the command with an error")
    parser.add_argument("--temperature", type=not_negative, default=1.0, metavar="X",
                        help="number that divides the scores: below 1 the text is safer, above 1 bolder; 0: always the "
                             "most probable word")
    parser.add_argument("--top-k", type=at_least(1), metavar="K", help="draw from the K most probable words")
    parser.add_argument("--top-p", type=share, metavar="P",
                        help="draw from the most probable words whose probabilities together reach P")
    parser.add_argument("--allow-unk", action="store_true", help="let the model write <unk>")
    parser.add_argument("--seed", type=at_least(0, LARGEST_SEED), metavar="S",
                        help="seed of all random numbers; the same seed gives the same text (default: random)")
    add_threads(parser.add_argument)
    add_debug(parser)
    return parser


def main(argv=None, prog=None):
    """The command; returns its exit code."""
    return run(generate_text, build_parser(prog), argv)


def generate_text(options):
    """Print the prompt and its continuation, each token as soon as it is drawn."""
    model, vocabulary = load_model(options.model)
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
        # Where the locale is not UTF-8, Python hands on each byte of a letter as one character.
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
