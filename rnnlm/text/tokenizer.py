"""A tokenizer: between pieces of text and tokens, which are strings.

The line end is the token "\\n" at both levels; a vocabulary shows it as <eos>.
"""

import re

LEVELS = ("word", "char")
UNITS = {"word": "word", "char": "character"}  # what messages call a token of each level
LINE_END = "\n"
USUAL_MIN_COUNT = 2  # by default rarer words become <unk>, but no character, and no word of a text with <unk>

BLANKS = " \t\r\v\f"  # between words, besides the line end

# str.split() also splits at NBSP, U+0085 and more: counts would differ from other
# tools'.
_WORDS = re.compile(rf"[^{BLANKS}\n]+|\n")


def tokenize(text, level):
    """Tokens of a text, a list of words or characters; every line end is "\\n"."""
    return _WORDS.findall(text) if level == "word" else list(text)


def spell(tokens, level):
    """Yield pieces of printed text, one for each token; "\\n" ends a line."""
    at_line_start = True
    for token in tokens:
        glue = "" if at_line_start or level == "char" or token == LINE_END else " "
        yield glue + token
        at_line_start = token == LINE_END
