"""Words and punctuation apart, by the Moses tokenizer, and together again.

``He doesn't own Sara's hat.`` becomes ``He doesn 't own Sara 's hat .``.  The rules for
English are those of the Moses toolkit (Koehn et al., 2007) in the package sacremoses.
Each word between blanks is split as in the middle of a line; only whether its last full
stop is split depends on what follows.  So a dictionary of words already seen does for
most of a text.
"""

from __future__ import annotations

from functools import cache
from itertools import chain, pairwise
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.text.tokenizer import BLANKS_LOST, LINE_END, WORDS, Words, lowered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

# What a file calls them; versions 0.0.43 to 0.2.0 of the package split alike.  Rules
# that split otherwise get another name.
RULES = "moses-en"
MOST_KNOWN = 200_000  # words in the dictionary, some 60 MB
WHOLE = (LINE_END, "<unk>")
QUOTES = frozenset("'\"`")  # of which a second one closes what the first opened
STRAIGHT = str.maketrans("\u2018\u2019\u201c\u201d\u201e", "''\"\"\"")  # the rules know few of the curly ones
LIKE_A_LETTER, LIKE_A_DIGIT, LIKE_NEITHER = "x", "0", "X"  # what follows a full stop


class SplitWords(Words):
    """Words and punctuation apart.

    ``split`` loses which blanks stood where, and ``join`` puts them where they usually
    are in English.  A curly apostrophe is split like a straight one.

    Parameters
    ----------
    lowercase : whether capitals become small letters, after the split.
    """

    whole_words = False
    slowness = 32  # measured: 1.1 to 2.6 s a MB, where Words take 0.05
    words_as_pieces = ("punctuation belongs to the word that it was split from; entropy, rank and the most probable "
                       "are those of a word's first token")

    def __init__(self, lowercase: bool = False) -> None:
        super().__init__(lowercase)
        self._known: dict[tuple[str, str], tuple[str, ...]] = {}

    @property
    def lost(self) -> tuple[str, ...]:
        """Which blanks there were, and perhaps capitals."""
        return (*super().lost, BLANKS_LOST)

    def description(self) -> dict[str, Any]:
        """As that of Words, with the name of the rules."""
        return {"level": self.level, "tokenizer": {"lowercase": self.lowercase, "punctuation": RULES}}

    def fingerprint(self) -> str:
        """As that of Words, with the name of the rules."""
        return f"{super().fingerprint()}-{RULES}"

    def __reduce__(self):
        return SplitWords, (self.lowercase,)

    def split(self, text: str) -> list[str]:
        """The words and the punctuation, and "\\n" for every line end."""
        return list(chain.from_iterable(self._by_word(text)))

    def word_starts(self, text: str) -> np.ndarray:
        """The first token of each word between blanks, and of each line end."""
        counts = np.fromiter(map(len, self._by_word(text)), np.int64)
        return np.cumsum(counts) - counts

    def join(self, tokens: Iterable[str]) -> Iterator[str]:
        """Yield a piece of text for each token, with blanks as English has them."""
        line = _Line()
        for token in tokens:
            if token == LINE_END:
                line = _Line()
                yield token
            else:
                yield line.add(token)

    def _by_word(self, text):
        """The tokens of each word, a list of tuples."""
        known, found = self._known, []
        for word, following in pairwise([*WORDS.split(text), LINE_END]):
            key = word, _kind(following) if "." in word else LIKE_NEITHER
            tokens = known.get(key)
            if tokens is None:
                if len(known) >= MOST_KNOWN:
                    known.clear()
                tokens = known[key] = self._tokens(*key)
            found.append(tokens)
        return found

    def _tokens(self, word, follows):
        """The tokens of a word before a word of some kind."""
        if word in WHOLE:
            return (word,)
        # An NBSP and its like separate tokens, too, but not words.
        tokens = [token for part in word.split() for token in _split(part, follows)] or [word]
        return tuple(map(lowered, tokens) if self.lowercase else tokens)


def _kind(following):
    """What a full stop's fate depends on, of the word after it."""
    first = following[0]
    return LIKE_A_LETTER if first.islower() else LIKE_A_DIGIT if first in "0123456789" else LIKE_NEITHER


def _split(part, follows):
    """The tokens of a word without any blanks."""
    straight = part.replace("\u2019", "'")
    tokens = _moses()[0].tokenize(f"x {straight} {follows}", escape=False)[1:-1]
    if "".join(tokens) != straight:  # control characters, and what the rules use as marks
        return [part]
    ends = np.cumsum([len(token) for token in tokens]).tolist()
    return [part[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@cache
def _moses():
    """The package's tokenizer and detokenizer; its tables take half a second."""
    try:
        from sacremoses import MosesDetokenizer, MosesTokenizer
    except ImportError as error:
        raise RnnlmError("--split-punctuation needs the package sacremoses, which is not installed: pip install "
                         "'numpy-rnnlm[punctuation]'") from error
    return MosesTokenizer("en"), MosesDetokenizer("en")


class _Line:
    """A line that is written token by token.

    Where the package puts a blank depends on the token before, on the quotation marks
    so far, and on the tokens before these.  So it is given only these, and a long line
    costs no more than a short one.  Curly marks are straight ones to it.
    """

    def __init__(self):
        self.quotes, self.last = [], []

    def add(self, token):
        """The token, after a blank if there is one."""
        before, straight = [*self.quotes, *self.last], token.translate(STRAIGHT)
        shown, longer = (_moses()[1].detokenize(tokens, unescape=False) for tokens in (before, [*before, straight]))
        if before and QUOTES.issuperset(straight):
            self.quotes, self.last = [*before, straight], []
        elif not before and QUOTES.issuperset(straight):
            self.quotes = [straight]
        else:
            self.last = [straight]
        return f" {token}" if longer[len(shown) :].startswith(" ") else token
