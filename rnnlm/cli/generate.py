"""The generation command: text from a saved model, printed as it is drawn."""

import secrets
import sys

import numpy as np

from rnnlm.checkpoint import load_model
from rnnlm.cli.command import add_debug, note, run, stop_on_signal, threads_of
from rnnlm.cli.options import LARGEST_SEED, Parser, add_threads, at_least, not_negative, share
from rnnlm.errors import RnnlmError, counted, one_line, shown
from rnnlm.generation import generate
from rnnlm.text import spell, tokenize
from rnnlm.vocabulary import EOS, UNKNOWN
from rnnlm.workers import blas_threads

BLANK_LINES = 1000


def build_parser(prog=None):
    """The options of the generation command."""
    parser = Parser(prog, "Write text with a trained model.")
    parser.add_argument("model", metavar="MODEL", help="a model file or a run folder")
    parser.add_argument("--prompt", default="", help="text to go on from (default: the start of a text)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--length", type=at_least(1), metavar="WORDS",
                        help="how many words (or characters) to write (default: 100, or 500 characters, and on to the "
                             "end of the line, twice as many at most)")
    length.add_argument("--sentences", type=at_least(1), metavar="K", help="write up to the K-th line end instead")
    parser.add_argument("--temperature", type=not_negative, default=1.0, metavar="X",
                        help="below 1 safer, above 1 bolder, 0 always the most probable word")
    parser.add_argument("--top-k", type=at_least(1), metavar="K", help="draw from the K most probable words")
    parser.add_argument("--top-p", type=share, metavar="P", help="draw from the likeliest words that together reach P")
    parser.add_argument("--allow-unk", action="store_true", help="let the model write <unk>")
    parser.add_argument("--seed", type=at_least(0, LARGEST_SEED), metavar="S",
                        help="the same seed, the same text (default: any)")
    add_threads(parser.add_argument)
    add_debug(parser)
    return parser


def main(argv=None, prog=None):
    """The command; returns its exit code."""
    return run(generate_text, build_parser(prog), argv)


def generate_text(options):
    """Print the prompt and its continuation, each token as soon as it is drawn."""
    model, vocabulary = load_model(options.model)
    prompt = _prompt_ids(options.prompt, vocabulary)
    forbidden = [] if options.allow_unk or vocabulary.unk_id is None else [vocabulary.unk_id]
    if len(vocabulary) - len(forbidden) == 1:
        raise RnnlmError(f"{options.model}: the model's vocabulary holds no word it could write beside <eos>")
    seed = secrets.randbits(32) if options.seed is None else options.seed
    ids = generate(model, [vocabulary.eos_id, *prompt], rng=np.random.default_rng(seed),
                   temperature=options.temperature, top_k=options.top_k, top_p=options.top_p, forbidden=forbidden)
    written = _until(options, vocabulary, ids)
    tokens = _chain(tokenize(options.prompt, vocabulary.level), vocabulary, written)
    text = ""
    with blas_threads(threads_of(options)), stop_on_signal("stopping after this word") as stop:
        try:
            for text in spell(tokens, vocabulary.level):
                sys.stdout.write(text)
                sys.stdout.flush()
                stop.check()
        finally:
            if text and not text.endswith("\n"):
                print(flush=True)
    if options.seed is None:
        note(f"note: --seed {seed} writes this again")


def _prompt_ids(prompt, vocabulary):
    """The ids of the prompt; what happens to unknown words is said."""
    for place, char in enumerate(prompt, 1):
        if "\ud800" <= char <= "\udfff":  # how Python hands on a byte that is not UTF-8
            raise RnnlmError(f"--prompt must be text, its character {place} is the byte 0x{ord(char) & 0xff:02x}: "
                             "write it in UTF-8")
    tokens = tokenize(prompt, vocabulary.level)
    if EOS in tokens:  # as in a text
        raise RnnlmError(f"--prompt holds the word {EOS}, for which a line end stands: write a line end instead")
    ids = vocabulary.encode(tokens)
    unknown = list(dict.fromkeys(token for token, i in zip(tokens, ids, strict=True) if i == UNKNOWN))
    if unknown:
        fate = "read as <unk>" if vocabulary.unk_id is not None else "left out of the model's context"
        unit = "word" if vocabulary.level == "word" else "character"
        note(f"note: {counted(len(unknown), unit)} of the prompt not in the vocabulary and {fate}: {_first(unknown)}")
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
    words = sentences = blank = 0
    for i in ids:
        yield i
        at_end = i == vocabulary.eos_id
        words, sentences, blank = words + (not at_end), sentences + at_end, blank + 1 if at_end else 0
        if sentences == options.sentences:
            return
        if options.sentences is None and (words == most or (words >= enough and at_end)):
            return
        if blank > BLANK_LINES:  # with a low temperature a poor model may never come to another word
            raise RnnlmError(f"the model wrote {BLANK_LINES} line ends in a row: try a higher --temperature")


def _chain(prompt, vocabulary, ids):
    """The prompt as it was written, then the drawn words."""
    yield from prompt
    for i in ids:
        yield from vocabulary.decode([i])
