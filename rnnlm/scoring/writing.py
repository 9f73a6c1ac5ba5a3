"""Writing: a text from a model, from the words of a prompt to a length in words."""

from itertools import chain

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError, RnnlmError, counted
from rnnlm.scoring.generation import generate
from rnnlm.text.tokenizer import UNITS, spell, tokenize
from rnnlm.text.vocabulary import EOS, UNKNOWN

BLANK_LINES = 1000  # in a row: more are no text
LONGEST_LINE = {"word": 10_000, "char": 50_000}  # where line ends are counted and may never come
ENOUGH = {"word": 100, "char": 500}  # tokens, then to the end of the line, but at most twice as many


def prompt_ids(prompt, vocabulary, name="prompt"):
    """The ids of a prompt's tokens, and its distinct unknown tokens, in order.

    An unknown token is <unk>, or is left out where the vocabulary has none.
    RnnlmError, which calls the prompt ``name``, if <eos> is among its words.
    """
    if not isinstance(prompt, str):
        raise arguments.wrong(name, "a string", prompt)
    tokens = tokenize(prompt, vocabulary.level)
    if EOS in tokens:  # as in a text
        raise RnnlmError(f"{name} holds the word {EOS}, which is the token of a line end: write a line end instead")
    ids = vocabulary.encode(tokens).tolist()
    unknown = list(dict.fromkeys(token for token, i in zip(tokens, ids, strict=True) if i == UNKNOWN))
    if vocabulary.unk_id is None:
        return [i for i in ids if i != UNKNOWN], unknown
    return [vocabulary.unk_id if i == UNKNOWN else i for i in ids], unknown


def write_text(model, vocabulary, prompt="", *, rng, length=None, sentences=None, temperature=1.0, top_k=None,
               top_p=None, allow_unk=False):
    """Yield a text in pieces, one a token: the prompt, then what the model writes.

    Parameters
    ----------
    model, vocabulary : a LanguageModel and the Vocabulary of its ids.
    prompt : the text to continue; "" is the start of a text.
    rng : the numpy.random.Generator from which the words are drawn.
    length : how many words (or characters) to write; None: 100 words or 500 characters,
        then to the end of the line, but at most twice as many.
    sentences : in place of a length: write up to this line end.
    temperature, top_k, top_p : see ``rnnlm.generate``.
    allow_unk : whether the model may write <unk>.

    Raises
    ------
    RnnlmError : what cannot be, at once; later a thousand line ends in a row, or no
        line end where they are counted.
    """
    ids, _ = prompt_ids(prompt, vocabulary)
    for name, value in (("length", length), ("sentences", sentences)):
        if value is not None:
            arguments.whole(name, value)
    if length is not None and sentences is not None:
        raise ArgumentError(f"length and sentences exclude each other, got {length} and {sentences}: give one of them")
    allow_unk = arguments.yes_or_no("allow_unk", allow_unk)
    forbidden = [] if allow_unk or vocabulary.unk_id is None else [vocabulary.unk_id]
    if len(vocabulary) - len(forbidden) == 1:
        raise RnnlmError("the model's vocabulary has no word to write, only <eos>")
    drawn = generate(model, [vocabulary.eos_id, *ids], rng=rng, temperature=temperature, top_k=top_k, top_p=top_p,
                     forbidden=forbidden)
    written = (vocabulary.decode([i])[0] for i in _until(drawn, vocabulary, length, sentences))
    return spell(chain(tokenize(prompt, vocabulary.level), written), vocabulary.level)


def _until(ids, vocabulary, length, sentences):
    """The drawn ids up to the length asked for.

    By default they end at a line end that comes after enough of them.
    """
    enough = length or ENOUGH[vocabulary.level]
    most = length or 2 * enough
    words = lines = blank = line = 0  # blank: line ends in a row; line: words since the last of them
    for i in ids:
        yield i
        at_end = i == vocabulary.eos_id
        words, lines = words + (not at_end), lines + at_end
        blank, line = (blank + 1, 0) if at_end else (0, line + 1)
        if lines == sentences or (sentences is None and (words == most or (words >= enough and at_end))):
            return
        _require_a_text(blank, line if sentences else 0, vocabulary.level)


def _require_a_text(blank, line, level):
    """RnnlmError for more line ends in a row, or a longer line, than a text has."""
    if blank > BLANK_LINES:  # with a low temperature a poor model may never come to another word
        raise RnnlmError(f"the model wrote {BLANK_LINES} line ends in a row: try a higher --temperature or --top-k")
    if line > LONGEST_LINE[level]:  # nor to a line end, or it knows none
        raise RnnlmError(f"the model wrote more than {counted(LONGEST_LINE[level], UNITS[level])} without a line end: "
                         "give --length instead of --sentences, or try a higher --temperature or --top-k")
