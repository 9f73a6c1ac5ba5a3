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
from rnnlm.scoring.generation import generate
from rnnlm.text.tokenizer import UNITS, spell, tokenize
from rnnlm.text.vocabulary import EOS, UNKNOWN

BLANK_LINES = 1000  # in a row: more are no text
LONGEST_LINE = {"word": 10_000, "char": 50_000}  # where line ends are counted and may never come


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
    opening = _as_text(options.prompt)
    prompt = _prompt_ids(opening, vocabulary)
    forbidden = [] if options.allow_unk or vocabulary.unk_id is None else [vocabulary.unk_id]
    if len(vocabulary) - len(forbidden) == 1:
        raise RnnlmError(f"{options.model}: the model's vocabulary has no word to write, only <eos>")
    seed = int.from_bytes(os.urandom(4)) if options.seed is None else options.seed
    ids = generate(model, [vocabulary.eos_id, *prompt], rng=np.random.default_rng(seed),
                   temperature=options.temperature, top_k=options.top_k, top_p=options.top_p, forbidden=forbidden)
    written = _until(options, vocabulary, ids)
    tokens = _chain(tokenize(opening, vocabulary.level), vocabulary, written)
    visible = without_controls if is_terminal(sys.stdout) else str  # a pipe gets the words as they are
    text = ""
    with blas_threads(threads_of(options)), stop_on_signal("stopping after this word") as check:
        try:
            for text in spell(tokens, vocabulary.level):
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
        place, char = next((place, char) for place, char in enumerate(prompt, 1) if "\ud800" <= char <= "\udfff")
        raise RnnlmError(f"--prompt must be text, its character {place} is the byte 0x{ord(char) & 0xff:02x}: "
                         "write it in UTF-8") from None


def _prompt_ids(prompt, vocabulary):
    """The ids of the prompt; a note says what happens to unknown words."""
    tokens = tokenize(prompt, vocabulary.level)
    if EOS in tokens:  # as in a text
        raise RnnlmError(f"--prompt holds the word {EOS}, which is the token of a line end: write a line end instead")
    ids = vocabulary.encode(tokens)
    unknown = list(dict.fromkeys(token for token, i in zip(tokens, ids, strict=True) if i == UNKNOWN))
    if unknown:
        fate = "read as <unk>" if vocabulary.unk_id is not None else "left out of the model's context"
        unit = UNITS[vocabulary.level]
        are = "is" if len(unknown) == 1 else "are"
        note(f"note: {counted(len(unknown), unit)} of the prompt {are} not in the vocabulary and {are} {fate}: "
             f"{_first(unknown)}")
    if vocabulary.unk_id is None:
        return [int(i) for i in ids if i != UNKNOWN]
    return [vocabulary.unk_id if i == UNKNOWN else int(i) for i in ids]


def _first(words):
    """The first few of a list of words, for a message."""
    return one_line(" ".join(shown(word, 40) for word in words[:10])) + (" ..." if len(words) > 10 else "")


def _until(options, vocabulary, ids):
    """The drawn ids up to the length that was asked for; by default up to a line end that comes after enough."""
    enough = options.length or (100 if vocabulary.level == "word" else 500)
    most = options.length or 2 * enough
    words = sentences = blank = line = 0  # blank: line ends in a row; line: words since the last of them
    for i in ids:
        yield i
        at_end = i == vocabulary.eos_id
        words, sentences = words + (not at_end), sentences + at_end
        blank, line = (blank + 1, 0) if at_end else (0, line + 1)
        if sentences == options.sentences:
            return
        if options.sentences is None and (words == most or (words >= enough and at_end)):
            return
        if blank > BLANK_LINES:  # with a low temperature a poor model may never come to another word
            raise RnnlmError(f"the model wrote {BLANK_LINES} line ends in a row: try a higher --temperature "
                             "or --top-k")
        if options.sentences and line > LONGEST_LINE[vocabulary.level]:  # nor to a line end, or it knows none
            longest = counted(LONGEST_LINE[vocabulary.level], UNITS[vocabulary.level])
            raise RnnlmError(f"the model wrote more than {longest} without a line end: give --length instead of "
                             "--sentences, or try a higher --temperature or --top-k")


def _chain(prompt, vocabulary, ids):
    """The prompt as it was written, then the drawn words."""
    yield from prompt
    for i in ids:
        yield from vocabulary.decode([i])
