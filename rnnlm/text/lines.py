"""From bytes to tokens: strict UTF-8, a sentence a line, ASCII blanks between words.

A Tokenizer decides what a token is.
"""

from rnnlm.errors import RnnlmError
from rnnlm.files.whole import reason
from rnnlm.text.sources import called, opened

LONGEST_WORD = 1 << 26  # bytes, where they come from a pipe or a compressed file
MARK = "\ufeff"         # of the byte order, at the start of a text
MARK_BYTES = MARK.encode()
CRLF = b"\r\n"
FEW_BLOCKS = 4  # that are held for a good place to cut them
# Bytes before a blank that end no white space of Unicode: subwords are the same when a
# text is cut there (see rnnlm/text/subwords/chunks.py).  Nor is it cut after a full
# stop, whose fate depends on the next word (see rnnlm/text/split_words.py).
_BEFORE_BLANK = frozenset({*range(0x21, 0x7F), *range(0x8B, 0xC0)} - {ord("."), 0x9F, 0xA0, 0xA8, 0xA9, 0xAF})


class ByteCount:
    """The bytes of a text, which comes in the blocks that ``read_blocks`` reports.

    They are those of the file, CRLF being two.  A byte-order mark is not counted, and
    the line end that the last line lacks is, as it is a token.

    Attributes
    ----------
    crlf : how many line ends are CRLF so far, whose CR is dropped.
    """

    def __init__(self):
        self._size, self._last, self._started, self.crlf = 0, b"", False, 0

    def add(self, block):
        """Count a further block (bytes)."""
        if not self._started:
            block = block.removeprefix(MARK_BYTES)
        self._started = True
        self._size, self._last = self._size + len(block), block[-1:] or self._last
        self.crlf += block.count(CRLF)

    @property
    def bytes(self):
        """How many so far, if the text ends here."""
        return self._size + (self._size > 0 and self._last != b"\n")


def read_blocks(path, size=1 << 22, on_block=None, on_bytes=None, by_line=False):
    """Yield the text of a file in pieces of about ``size`` bytes that end at line ends.

    Where a line is longer, a piece ends at a blank, if possible before it; a word is
    never cut.  A byte-order mark is dropped, CRLF becomes LF, and a last line without a
    line end gets one.

    Parameters
    ----------
    path : of a text; ``-`` is standard input.
    on_block : function, called as on_block(bytes) with each piece as it is in the text.
    on_bytes : function, called as on_bytes(n) for n bytes that were read from the file;
        of a compressed file these are fewer.
    by_line : whether each line is a piece, which waits for no further line.

    Raises
    ------
    RnnlmError : the file cannot be read, a byte is not UTF-8, there is a NUL, or a word
        is longer than LONGEST_WORD in a text of unknown length.
    """
    line, offset = 1, 0
    try:
        with opened(path, on_bytes, by_line) as source:
            for block in _whole_words(source, size):
                if on_block:
                    on_block(block)
                text = _decode(block, path, line, offset)
                text = text.removeprefix(MARK) if offset == 0 else text
                line, offset = line + block.count(b"\n"), offset + len(block)
                yield text.replace("\r\n", "\n")
            if offset and text and not text.endswith("\n"):  # a byte-order mark alone is no line
                yield "\n"
    except OSError as error:
        raise RnnlmError(f"{called(path)} could not be read: {reason(error)}") from error


def _whole_words(source, size):
    """Yield a text in pieces (bytes) that end at a line end, or else at a blank."""
    held, length = [], 0
    while block := source.read(size):
        end = block.rfind(b"\n") + 1 or _last_blank(block, held[-1][-1:] if held else b"")
        if end is None and length > FEW_BLOCKS * size:  # of nothing but blanks, perhaps
            end = max(block.rfind(b" "), block.rfind(b"\t")) + 1 or None
        if end is not None:
            yield b"".join([*held, block[:end]])
            held, length = [], 0
        held.append(block[end:])
        length += len(held[-1])
        if length > LONGEST_WORD and not source.bounded:  # a few kilobytes may decompress to anything
            raise RnnlmError(f"{called(source.path)} must be text with blanks or line ends, it has none in more than "
                             f"{LONGEST_WORD // 10**6} MB")
    if rest := b"".join(held):
        yield rest


def _last_blank(block, before):
    """The last blank of a block at which it may be cut; None without one.

    before: the byte before the block, or nothing.
    """
    blank = block.rfind(b" ")
    while blank > 0 and block[blank - 1] not in _BEFORE_BLANK:
        blank = block.rfind(b" ", 0, blank)
    return blank if blank > 0 or (blank == 0 and before and before[0] in _BEFORE_BLANK) else None


def _decode(block, path, line, offset):
    """The text of a block that starts at ``line`` (from 1) and ``offset`` (bytes)."""
    try:
        text = block.decode("utf-8")
    except UnicodeDecodeError as error:
        line, offset = line + block.count(b"\n", 0, error.start), offset + error.start
        cut = "; or is it cut off in the middle of a character?" if error.reason == "unexpected end of data" else ""
        raise RnnlmError(
            f"{called(path)} must be UTF-8: line {line} (byte offset {offset}) holds the byte "
            f"0x{block[error.start]:02x}; "
            f"convert it, for example with iconv -f latin1 -t utf-8 (or -f utf-16){cut}"
        ) from None
    if "\0" in text:
        line, offset = line + block.count(b"\n", 0, block.index(0)), offset + block.index(0)
        hint = "it is a tar archive: unpack it first with tar -xf" if block[257:262] == b"ustar" else (
            "is it UTF-16 or a binary file?")
        raise RnnlmError(f"{called(path)} must be text: line {line} (byte offset {offset}) holds a NUL; {hint}")
    return text


def encode_blocks(path, index, tokenizer, on_block=None, on_bytes=None):
    """Yield all tokens of a file as ids, in int32 arrays: ``index[token]``, in order.

    ``index`` decides what a new token means.  For example, a dict whose ``__missing__``
    counts up numbers the distinct tokens.  on_block, on_bytes: see ``read_blocks``.
    """
    line = 1
    for text in read_blocks(path, on_block=on_block, on_bytes=on_bytes):
        yield _encoded(text, index, tokenizer, path, line)
        line += text.count("\n")


def encode_string(text, index, tokenizer):
    """All tokens of a string as ids (int32): those of encode_blocks for such a file."""
    return _encoded(string_as_read(text), index, tokenizer, "text")


def string_as_read(text):
    """A string as read_blocks would give a file that holds it; RnnlmError for a NUL."""
    text = text.removeprefix(MARK).replace("\r\n", "\n")
    if "\0" in text:
        raise RnnlmError(f"text must hold no NUL, its character {text.index(chr(0)) + 1} is one: remove it")
    return text if text.endswith("\n") or not text else f"{text}\n"


def tokens_of(text, tokenizer, path, line=1):
    """The tokens of a piece of a text (a list); RnnlmError if <eos> is a word of it.

    line: the number of the one in which the piece starts.
    """
    tokens = tokenizer.split(text)
    if "<eos>" in text and "<eos>" in tokens:
        line += tokens[: tokens.index("<eos>")].count("\n")
        raise RnnlmError(f"{called(path)}, line {line}, holds the word <eos>, which is the token of every line end: "
                         "remove it from the text")
    return tokens


def _encoded(text, index, tokenizer, path, line=1):
    if "<eos>" in text:
        tokens_of(text, tokenizer, path, line)  # a message, if it is a token
    return tokenizer.encode(text, index)
