"""The vocabulary: which words the model knows, and the id of each."""

from __future__ import annotations

import hashlib
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError, IdError, RnnlmError, shown
from rnnlm.text.tokenizer import LINE_END, Tokenizer, as_tokenizer

EOS = "<eos>"  # the end of a sentence, a target like any word
UNK = "<unk>"  # what replaces every word that is not in the vocabulary
CHUNK = 1 << 22  # ids counted at a time
UNKNOWN = -1   # the id of a word that is not in the vocabulary, before <unk> or nothing replaces it

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike


class Vocabulary:
    """Words by id and ids by word.

    Parameters
    ----------
    words : distinct strings in order of their ids, <eos> among them.
    level : what the strings are: "word", "char" or a Tokenizer.
    counts : (V,), how often each word occurs in the training text; None: not known.

    Attributes
    ----------
    words : list of str.
    ids : dict from a word to its id.
    tokenizer : the Tokenizer.
    level : str, its level.
    counts : (V,) int64, or None.
    eos_id : int, the id of <eos>.
    unk_id : int, the id of <unk>; None where the vocabulary has none.
    """

    counts = None  # of one that was pickled before there were counts

    def __init__(self, words: Iterable[str], level: str | Tokenizer = "word",
                 counts: ArrayLike | None = None) -> None:
        self.words = arguments.items("words", words, "a list of strings")
        self.tokenizer = as_tokenizer(level)
        for kind in set(map(type, self.words)):
            if not issubclass(kind, str):
                raise ArgumentError(f"words must be a list of strings, got a list with values of type {kind.__name__}")
        self.ids = {word: i for i, word in enumerate(self.words)}
        if len(self.ids) != len(self.words):
            raise RnnlmError("a vocabulary must hold each word once")
        if EOS not in self.ids:
            raise RnnlmError(f"a vocabulary must hold {EOS}")
        if self.tokenizer.tokens and self.ids.keys() != {*self.tokenizer.tokens, EOS}:
            raise ArgumentError(f"a vocabulary of {self.tokenizer.unit}s must hold {EOS} and all that its tokenizer "
                                f"can write, {len(self.tokenizer.tokens):,}, and nothing else")
        self.eos_id = self.ids[EOS]
        self.unk_id = self.ids.get(UNK)
        if counts is not None:
            self.counts = _as_counts(counts, len(self.words))

    def __len__(self) -> int:
        return len(self.words)

    def __setstate__(self, state):
        level = state.pop("level", None)  # of one that was pickled before there were tokenizers
        vars(self).update(state if level is None else state | {"tokenizer": as_tokenizer(level)})

    @property
    def level(self) -> str:
        """The level of the tokenizer."""
        return self.tokenizer.level

    def index(self) -> dict[str, int]:
        """A dict from token to id: the line end is <eos>, any other token UNKNOWN."""
        index = _Known(self.ids)
        index[LINE_END] = self.eos_id
        return index

    def encode(self, tokens: Iterable[str]) -> np.ndarray:
        """Ids (n,) int32 of n tokens; UNKNOWN (-1) for those outside the vocabulary.

        tokens: a list of strings; for characters it may be one string.
        """
        if isinstance(tokens, str) and self.tokenizer.unit != "character":
            raise ArgumentError(f"tokens must be a list of words, got the string {shown(repr(tokens), 60)}: "
                                "split it first, as in encode(text.split())")
        index = self.index()
        try:
            return np.array([index[token] for token in tokens], dtype=np.int32)
        except TypeError:  # nothing to iterate over, or a list of lists
            raise arguments.wrong("tokens", "a list of strings, one a token", tokens) from None

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Tokens of ids; <eos> becomes the line end.

        So encode(decode(ids)) == ids for ids of the vocabulary.  UNKNOWN becomes <unk>
        where the vocabulary has it.  IdError for any other id outside the vocabulary.
        """
        return [self._token(i) for i in arguments.items("ids", ids, "a list of ids")]

    def _token(self, i):
        if not isinstance(i, Integral):
            raise arguments.wrong("an id", "a whole number", i)
        if i == self.eos_id:
            return LINE_END
        if 0 <= i < len(self.words):
            return self.words[i]
        if i == UNKNOWN and self.unk_id is not None:
            return UNK
        unknown = f" ({UNKNOWN} is a word outside the vocabulary, and this one has no {UNK})" if i == UNKNOWN else ""
        raise IdError(f"ids must be from 0 to {len(self.words) - 1}, got {i}{unknown}")

    def fingerprint(self) -> str:
        """A SHA-256 (hex) of what ids mean: the tokenizer, and the words in order."""
        meaning = "\n".join([self.tokenizer.fingerprint(), *self.words])
        return hashlib.sha256(meaning.encode("utf-8", "surrogatepass")).hexdigest()

    @classmethod
    def from_counts(cls, counts: dict[str, int], level: str | Tokenizer = "word", min_count: int = 1,
                    max_size: int | None = None) -> Vocabulary:
        """The most frequent words, the most frequent first, ties by first appearance.

        Words that are left out give their counts to <unk>.  If all words are kept, no
        <unk> is added.

        Parameters
        ----------
        counts : dict, how often each word, <eos> among them, occurs; in order of first
            appearance.
        level : "word", "char" or a Tokenizer.
        min_count : words seen fewer times are left out.
        max_size : the most entries, the rarest words being left out; None: no limit.
            A tokenizer whose ``tokens`` are known keeps them all.
        """
        arguments.kind("counts", counts, dict, "a dict from words to how often each occurs")
        arguments.whole("min_count", min_count, 0)
        if max_size is not None:
            arguments.whole("max_size", max_size, 2)
        tokens = as_tokenizer(level).tokens
        counts = counts | {token: 0 for token in tokens if token not in counts}
        special = {EOS, UNK, *tokens}
        kept = {word for word, count in counts.items() if count >= min_count or word in special}
        size = len(kept) if len(kept) == len(counts) else len(kept | {UNK})
        if max_size is not None and size > max_size:
            regular = kept - special
            ranked = sorted((word for word in counts if word in regular), key=lambda word: -counts[word])
            kept = special | set(ranked[: max(0, max_size - len(special))])
        totals = {}  # in order of first appearance: <unk> first appears where the first word gives way to it
        for word, count in counts.items():
            entry = word if word in kept else UNK
            totals[entry] = totals.get(entry, 0) + count
        words = sorted(totals, key=lambda word: -totals[word])
        return cls(words, level, [totals[word] for word in words])


    def extended(self, counts: dict[str, int], min_count: int = 1, max_size: int | None = None) -> Vocabulary:
        """This vocabulary with the words of another text at the end: old ids stay.

        The most frequent new word comes first, ties by first appearance.  <unk> comes
        before them where it is lacking and words are left out, or are <unk>.

        Parameters
        ----------
        counts : dict, how often each word of the other text occurs; see
            ``from_counts``.
        min_count : words seen fewer times are left out.
        max_size : the most entries; None: no limit.
        """
        lacking = [word for word in counts if word not in self.ids and word != UNK]
        new = sorted((word for word in lacking if counts[word] >= min_count), key=lambda word: -counts[word])
        room = len(lacking) + 1 if max_size is None else max(0, max_size - len(self))
        if self.unk_id is None and (UNK in counts or len(lacking) > min(room, len(new))):
            new.insert(0, UNK)
        new = new[:room]
        old = None if self.counts is None else np.append(self.counts, np.zeros(len(new), np.int64))
        return Vocabulary([*self.words, *new], self.tokenizer, old)

    def counting(self, occurrences: np.ndarray) -> Vocabulary:
        """This vocabulary with counts that include those of another text, (V,).

        Where the counts are not known, they stay so.
        """
        return Vocabulary(self.words, self.tokenizer, None if self.counts is None else self.counts + occurrences)


def _as_counts(counts, size):
    """Counts as (V,) int64; ArgumentError unless there is one for each word."""
    rule = f"whole numbers of at least 0, one for each of the {size} words"
    array = arguments.as_array("counts", counts, rule)
    if array.shape != (size,) or array.dtype.kind not in "iu" or array.min() < 0:
        raise arguments.wrong("counts", rule, counts)
    return array.astype(np.int64)


def occurrences(ids, vocab_size):  # (n,) -> (V,)
    """How often each id occurs in a text.

    It is read in pieces and never copied whole, as it may be mapped into memory.
    """
    counts = np.zeros(vocab_size, np.int64)
    for start in range(0, len(ids), CHUNK):
        counts += np.bincount(ids[start : start + CHUNK], minlength=vocab_size)
    return counts


class _Known(dict):
    """A dict in which every other key means UNKNOWN."""

    def __missing__(self, token):
        if not isinstance(token, str):
            raise arguments.wrong("a token", "a string", token)
        return UNKNOWN
