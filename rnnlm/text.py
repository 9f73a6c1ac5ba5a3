"""From bytes to tokens: strict UTF-8, one sentence a line, ASCII white space between words.

A token is a string.  The line end is the token "\\n" at both levels; a vocabulary shows it as <eos>.
"""

import re

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.files import reason

LEVELS = ("word", "char")
LINE_END = "\n"

# str.split() would also split at NBSP, U+0085 and more, and counts would differ from other toolkits.
_WORDS = re.compile(r"[^ \t\n\r\v\f]+|\n")


def tokenize(text, level):
    """Tokens of a piece of text, a list of strings: words or characters, and "\\n" for every line end."""
    return _WORDS.findall(text) if level == "word" else list(text)


def read_blocks(path, size=1 << 22, on_block=None):
    """Yield the text of a file in pieces of about ``size`` bytes that end at line ends.

    Where a line is longer, a piece ends at a blank; a word is never cut.  on_block(bytes) is called with each
    piece as it stands in the file.

    A byte-order mark is dropped, CRLF becomes LF, a last line without line end gets one.
    RnnlmError: the file cannot be read, a byte is not UTF-8, there is a NUL.
    """
    line, offset = 1, 0
    try:
        with open(path, "rb") as file:
            for block in _whole_words(file, size):
                if on_block:
                    on_block(block)
                text = _decode(block, path, line, offset)
                text = text.removeprefix("\ufeff") if offset == 0 else text
                line, offset = line + block.count(b"\n"), offset + len(block)
                yield text.replace("\r\n", "\n")
            if offset and not block.endswith(b"\n"):
                yield "\n"
    except OSError as error:
        raise RnnlmError(f"{path} could not be read: {reason(error)}") from error


def _whole_words(file, size):
    """Yield an open file in pieces (bytes) that end at a line end, or at a blank where there is none."""
    held = []
    while block := file.read(size):
        end = block.rfind(b"\n") + 1 or max(block.rfind(b" "), block.rfind(b"\t")) + 1
        if end:
            yield b"".join([*held, block[:end]])
            held = []
        held.append(block[end:])
    if rest := b"".join(held):
        yield rest


def _decode(block, path, line, offset):
    """The text of a block that starts at ``line`` (from 1) and ``offset`` (bytes)."""
    try:
        text = block.decode("utf-8")
    except UnicodeDecodeError as error:
        line, offset = line + block.count(b"\n", 0, error.start), offset + error.start
        raise RnnlmError(
            f"{path} must be UTF-8: line {line} (byte offset {offset}) holds the byte 0x{block[error.start]:02x}; "
            "convert it, for example with iconv -f latin1 -t utf-8 (or -f utf-16)"
        ) from None
    if "\0" in text:
        line, offset = line + block.count(b"\n", 0, block.index(0)), offset + block.index(0)
        raise RnnlmError(
            f"{path} must be text: line {line} (byte offset {offset}) holds a NUL; is it UTF-16 or a binary file?"
        )
    return text


def encode_blocks(path, index, level, on_block=None):
    """Yield all tokens of a file as ids, in int32 arrays: ``index[token]`` for each, in order.

    ``index`` decides what a new token means: a dict whose ``__missing__`` counts up numbers the distinct
    tokens.  on_block: see read_blocks.
    """
    for text in read_blocks(path, on_block=on_block):
        tokens = tokenize(text, level)
        yield np.fromiter(map(index.__getitem__, tokens), dtype=np.int32, count=len(tokens))
        if level == "word" and "<eos>" in text and "<eos>" in tokens:
            raise RnnlmError(f"{path} holds the word <eos>, which every line end stands for: remove it from the text")


def spell(tokens, level):
    """Yield the pieces of printed text for a stream of tokens ("\\n" ends a line), one piece a token."""
    at_line_start = True
    for token in tokens:
        glue = "" if at_line_start or level == "char" or token == LINE_END else " "
        yield glue + token
        at_line_start = token == LINE_END
