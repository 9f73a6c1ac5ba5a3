"""Tokenizers: between pieces of text and tokens, which are strings.

A tokenizer is the one thing that knows what a token is: a word, a character, a part of
a word.  For all of them the line end is the token "\\n", which a vocabulary shows as
<eos>.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

LINE_END = "\n"
USUAL_MIN_COUNT = 2  # of words: by default rarer ones become <unk>, but none of a text that has <unk>

BLANKS = " \t\r\v\f"  # between words, besides the line end
BLANKS_LOST = "blanks"  # what is lost where they are not one between two words
CR_LOST = "carriage returns"  # what any tokenizer loses where line ends are CRLF

# str.split() also splits at NBSP, U+0085 and more: counts would differ from other
# tools'.
_WORDS = re.compile(rf"[^{BLANKS}\n]+|\n")


class Tokenizer:
    """Splits a text into tokens and joins them again.

    Two tokenizers that do the same are equal.

    Attributes
    ----------
    level : str, the value of ``--level``.
    unit : str, what messages call a token.
    whole_words : whether each word between blanks is one token.
    has_blanks : whether blanks are tokens or parts of some; if not, ``join`` puts one
        between two tokens.
    joins_blanks : whether a token can hold a blank before other characters.
    words_as_pieces : str, what a table with a row for each word says of several tokens.
    lowercase : whether capitals become small letters.
    lost : what of any text its tokens do not tell, such as ("capitals",).
    usual_min_count : rarer tokens become <unk> by default.
    enough, longest_line : how many tokens a written text has by default, and how many
        without a line end are too many.
    tokens : all that there can be but "\\n"; () where the training text decides.
    slowness : how many times as long it takes for a text as one that keeps up with the
        disk, about; such texts go through the cache when they are shorter.
    """

    level = unit = words_as_pieces = ""
    lost: tuple[str, ...] = ()
    whole_words = has_blanks = joins_blanks = lowercase = False
    usual_min_count = 1
    enough, longest_line = 500, 50_000
    tokens: tuple[str, ...] = ()
    slowness = 1

    def split(self, text: str) -> list[str]:
        """The tokens of whole lines; every line end is "\\n"."""
        raise NotImplementedError

    def join(self, tokens: Iterable[str]) -> Iterator[str]:
        """Yield a piece of printed text for each token; "\\n" ends a line."""
        raise NotImplementedError

    def encode(self, text: str, index: Mapping[str, int]) -> np.ndarray:  # (n,) int32
        """``index[token]`` of each token of whole lines."""
        return as_ids(self.split(text), index)

    def shown(self, token: str) -> str:
        """A token as a table or a message shows it."""
        return token

    def description(self) -> dict[str, Any]:
        """What a file's header says of it, a dict for JSON: see ``tokenizer_from``."""
        return {"level": self.level}

    def arrays(self) -> dict[str, np.ndarray]:
        """What a file holds of it besides."""
        return {}

    def fingerprint(self) -> str:
        """A string that differs where ``split`` differs; part of a file's name."""
        return self.level

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tokenizer) and self.fingerprint() == other.fingerprint()

    def __hash__(self) -> int:
        return hash(self.fingerprint())


class Words(Tokenizer):
    """Words between ASCII blanks; which blanks they were is lost.

    Parameters
    ----------
    lowercase : whether capitals become small letters.
    """

    level = unit = "word"
    whole_words = True
    usual_min_count = USUAL_MIN_COUNT
    enough, longest_line = 100, 10_000

    def __init__(self, lowercase: bool = False) -> None:
        self.lowercase = arguments.yes_or_no("lowercase", lowercase)

    @property
    def lost(self) -> tuple[str, ...]:
        """Capitals, of words in lower case."""
        return ("capitals",) if self.lowercase else ()

    def split(self, text: str) -> list[str]:
        """The words, and "\\n" for every line end."""
        words = _WORDS.findall(text)
        return list(map(lowered, words)) if self.lowercase else words

    def join(self, tokens: Iterable[str]) -> Iterator[str]:
        """Yield each token after a blank, but none at a line's start or end."""
        at_line_start = True
        for token in tokens:
            yield token if at_line_start or token == LINE_END else f" {token}"
            at_line_start = token == LINE_END

    def description(self) -> dict[str, Any]:
        """``{"level": "word"}``, and whether words become lower case."""
        return {"level": self.level} | ({"tokenizer": {"lowercase": True}} if self.lowercase else {})

    def fingerprint(self) -> str:
        """"word" or "word-lowercase"."""
        return f"{self.level}-lowercase" if self.lowercase else self.level


def lowered(word: str) -> str:
    """A word in lower case; <EOS> stays, as <eos> is the line end."""
    lower = word.lower()
    return word if lower == "<eos>" else lower


class Characters(Tokenizer):
    """Every character is a token: nothing is lost."""

    level, unit = "char", "character"
    words_as_pieces = ("a blank belongs to the word before it; entropy, rank and the most probable are those of the "
                       "first character of a word")
    has_blanks = True

    def split(self, text: str) -> list[str]:
        """The characters."""
        return list(text)

    def join(self, tokens: Iterable[str]) -> Iterator[str]:
        """Yield the tokens."""
        return iter(tokens)


WORDS, CHARACTERS = Words(), Characters()
BY_LEVEL = {tokenizer.level: tokenizer for tokenizer in (WORDS, CHARACTERS)}  # those that need no text to be made
LEVELS = tuple(BY_LEVEL)


def as_tokenizer(level: str | Tokenizer) -> Tokenizer:
    """A Tokenizer, itself or by its level; ArgumentError for anything else."""
    return level if isinstance(level, Tokenizer) else BY_LEVEL[arguments.one_of("level", level, LEVELS)]


def as_ids(tokens, index):
    """``index[token]`` of each token of a list, (n,) int32."""
    return np.fromiter(map(index.__getitem__, tokens), dtype=np.int32, count=len(tokens))
