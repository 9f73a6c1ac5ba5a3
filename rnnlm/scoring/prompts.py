"""What a user says in words before a model writes: a prompt, and words to leave out."""

from rnnlm.compute import arguments
from rnnlm.errors import RnnlmError, shown
from rnnlm.text.lines import read_blocks
from rnnlm.text.sources import called
from rnnlm.text.tokenizer import LINE_END
from rnnlm.text.vocabulary import EOS, UNKNOWN

LONGEST_PROMPT = 1_000_000  # characters of a file


def prompt_ids(prompt, vocabulary, name="prompt", with_unknown=False):
    """The ids of a prompt's tokens, and its distinct unknown tokens, in order.

    An unknown token is <unk>.  Where the vocabulary has none it is left out, or it is
    UNKNOWN for a model that can read that (``with_unknown``).
    RnnlmError, which calls the prompt ``name``, if <eos> is among its words.
    """
    if not isinstance(prompt, str):
        raise arguments.wrong(name, "a string", prompt)
    tokens = vocabulary.tokenizer.split(prompt)
    if EOS in tokens:  # as in a text
        raise RnnlmError(f"{name} holds the word {EOS}, which is the token of a line end: write a line end instead")
    ids, unknown = _known(tokens, vocabulary)
    if vocabulary.unk_id is None:
        return [i for i in ids if with_unknown or i != UNKNOWN], unknown
    return [vocabulary.unk_id if i == UNKNOWN else i for i in ids], unknown


def _known(tokens, vocabulary):
    """The ids of tokens, and the distinct unknown ones, in order."""
    ids = vocabulary.encode(tokens).tolist()
    return ids, list(dict.fromkeys(token for token, i in zip(tokens, ids, strict=True) if i == UNKNOWN))


def read_prompt(path):
    """The text of a file, or of standard input (-), as a prompt.

    It is read as a text is.  The last line end is left out: the model continues the
    last line.

    Raises
    ------
    RnnlmError : it cannot be read, or has more than a million characters.
    """
    pieces, size = [], 0
    for piece in read_blocks(path, size=1 << 16):
        pieces.append(piece)
        size += len(piece)
        if size > LONGEST_PROMPT + 1:
            raise RnnlmError(f"a prompt must have at most {LONGEST_PROMPT:,} characters, {called(path)} has more: give "
                             "its end alone")
    return "".join(pieces).removesuffix(LINE_END)


def banned_ids(ban, vocabulary, name="ban"):
    """The ids of words that are never to be written, and those that are unknown anyway.

    Parameters
    ----------
    ban : strings; each is split into words (or characters) as a text is.
    vocabulary : the Vocabulary.
    name : what a message calls them.

    Raises
    ------
    RnnlmError : a string without a word, a line end, or no word is left; any string for
        a vocabulary of subwords, in which a word can be written in several ways.
    """
    tokens = []
    ban = arguments.items(name, ban, "a list of words")
    if ban and vocabulary.tokenizer.joins_blanks:
        raise RnnlmError(f"{name} must be left out for a model of {vocabulary.tokenizer.unit}s, which can write a word "
                         f"as one piece or as several: got {shown(repr(ban[0]), 60)}")
    for words in ban:
        found = vocabulary.tokenizer.split(arguments.kind(name, words, str, "a list of words"))
        if not found:
            raise RnnlmError(f"{name} must hold words, got {shown(repr(words), 60)}: leave it out")
        tokens += found
    if LINE_END in tokens or EOS in tokens:
        raise RnnlmError(f"{name} must hold words, got a line end: a minimum of words in a line is another option")
    ids, unknown = _known(tokens, vocabulary)
    ids = sorted({i for i in ids if i != UNKNOWN})
    if ids and not set(range(len(vocabulary))) - {*ids, vocabulary.eos_id, vocabulary.unk_id}:
        raise RnnlmError(f"{name} must leave a word to write, got all {len(ids)} of the vocabulary")
    return ids, unknown
