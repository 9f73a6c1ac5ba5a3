"""A tokenizer: between pieces of text and tokens, which are strings.

The line end is the token "\\n" at both levels; a vocabulary shows it as <eos>.
"""

import re

LEVELS = ("word", "char")
UNITS = {"word": "word", "char": "character"}  # what messages call a token of each level
LINE_END = "\n"

# str.split() would also split at NBSP, U+0085 and more, and counts would differ from other toolkits.
_WORDS = re.compile(r"[^ \t\n\r\v\f]+|\n")


def tokenize(text, level):
    """Tokens of a piece of text, a list of strings: words or characters, and "\\n" for every line end."""
    return _WORDS.findall(text) if level == "word" else list(text)


def spell(tokens, level):
    """Yield the pieces of printed text for a stream of tokens ("\\n" ends a line), one piece a token."""
    at_line_start = True
    for token in tokens:
        glue = "" if at_line_start or level == "char" or token == LINE_END else " "
        yield glue + token
        at_line_start = token == LINE_END
