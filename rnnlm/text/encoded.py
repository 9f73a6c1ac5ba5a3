"""A text as ids of a vocabulary, and what became of the words that it lacks."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import RnnlmError
from rnnlm.text.lines import ByteCount, encode_string
from rnnlm.text.numbered import Tokens
from rnnlm.text.tokenizer import BLANKS_LOST, CR_LOST, LINE_END
from rnnlm.text.vocabulary import UNKNOWN, Vocabulary


@dataclass
class EncodedText:
    """A text as ids of one vocabulary.

    Where the vocabulary has no <unk>, words outside it have no id.

    Attributes
    ----------
    ids : (n,) int32.
    is_oov : (n,) bool, true where the word is outside the vocabulary and read as <unk>.
    words, sentences, oov : counts in the text as written; oov counts unknown words.
    kept : (words + sentences,) bool, which tokens as written have an id; None: all.
    vocabulary_fingerprint : that of the vocabulary; None where it is not known.
    unk : how many of the ids are <unk>, as written or for an oov word.
    bytes : those of the text as in its file, decompressed, all line ends included, CRLF
        being two and one that the last line lacks one.  A byte-order mark is not
        counted.  None: not known, for a part of a text that is cut within a line.
    unknown : dict, how often each word outside the vocabulary occurs.
    lost : what the tokens do not tell of the text: "capitals", "blanks", "carriage
        returns" (the CR of CRLF).
    """

    ids: np.ndarray
    is_oov: np.ndarray
    words: int
    sentences: int
    oov: int
    kept: np.ndarray | None = None
    vocabulary_fingerprint: str | None = None
    unk: int = 0
    bytes: int | None = None
    unknown: dict[str, int] = field(default_factory=dict)
    lost: tuple[str, ...] = ()

    @property
    def all_lost(self) -> tuple[str, ...]:
        """What is lost, the spelling of unknown words among it."""
        return ("unknown words", *self.lost) if self.oov else self.lost

    @property
    def unk_share(self) -> float:
        """The share of the targets that are <unk>.

        The larger it is, the less a perplexity says.
        """
        return self.unk / max(1, len(self.ids))

    @classmethod
    def from_tokens(cls, tokens: Tokens, vocabulary: Vocabulary) -> EncodedText:
        """From the Tokens of a text."""
        table = id_table(tokens, vocabulary)
        counts = tokens.counts()
        sentences, oov = int(counts[table == vocabulary.eos_id].sum()), int(counts[table == UNKNOWN].sum())
        ids = ids_of(tokens, table, vocabulary)
        is_oov, kept, unk = np.broadcast_to(np.False_, ids.shape), None, 0
        if vocabulary.unk_id is not None:
            is_oov = tokens.look_up(table == UNKNOWN)
            unk = oov + int(counts[table == vocabulary.unk_id].sum())
        elif oov:
            kept = tokens.look_up(table != UNKNOWN)
        return cls(ids, is_oov, tokens.size - sentences, sentences, oov, kept, vocabulary.fingerprint(), unk,
                   tokens.bytes, _words(tokens, counts, table == UNKNOWN), _lost(tokens, counts, vocabulary.tokenizer))

    def with_unknown(self) -> np.ndarray:  # (words + sentences,)
        """The ids with UNKNOWN for each word that has none."""
        if self.kept is None:
            return self.ids
        ids = np.full(len(self.kept), UNKNOWN, self.ids.dtype)
        ids[self.kept] = self.ids
        return ids

    def as_written(self, values: np.ndarray) -> np.ndarray:  # (ids,) -> (words + sentences,)
        """One value for each token as written, from one for each id.

        nan for a word that was left out.
        """
        if self.kept is None:
            return values
        spread = np.full(len(self.kept), np.nan)
        spread[self.kept] = values
        return spread


def encode_text(text: str, vocabulary: Vocabulary) -> EncodedText:
    """Read a string as ids of a given vocabulary, as a file that holds it.

    A last line without a line end gets one.  RnnlmError if the text has no token.
    """
    if not isinstance(text, str):
        raise arguments.wrong("text", "a string", text, "read_text takes the path of a file")
    arguments.kind("vocabulary", vocabulary, Vocabulary, "a Vocabulary")
    index = defaultdict()
    index.default_factory = index.__len__  # a new token gets the next number
    ids = encode_string(text, index, vocabulary.tokenizer)
    if not ids.size:
        raise RnnlmError("text must hold at least one line, but it is empty")
    count = ByteCount()
    count.add(text.encode("utf-8", "surrogatepass"))
    return EncodedText.from_tokens(Tokens(list(index), ids, 0, ids.size, count.bytes, count.crlf), vocabulary)


def _words(tokens, counts, which):
    """Some of the distinct words of a text, a dict: how often each occurs."""
    return {tokens.words[i]: int(counts[i]) for i in np.flatnonzero(which & (counts > 0)).tolist()}


def _lost(tokens, counts, tokenizer):
    """What the tokens do not tell of the text, a tuple."""
    blanks = () if _tells_blanks(tokens, counts, tokenizer) else (BLANKS_LOST,)
    return (*tokenizer.lost, *blanks, *((CR_LOST,) if tokens.crlf else ()))


def _tells_blanks(tokens, counts, tokenizer):
    """Whether the tokens tell which blanks there are, as far as the tokenizer can.

    Words do if there is one between each two and none at a line's edges: then the text
    is as long as its words with these.
    """
    if tokenizer.has_blanks or BLANKS_LOST in tokenizer.lost or tokens.bytes is None:
        return True
    sizes = np.array([len(word.encode("utf-8", "surrogatepass")) for word in tokens.words], np.int64)
    lines = int(counts[[word == LINE_END for word in tokens.words]].sum())
    blanks = tokens.size - lines - (lines - tokens.blank_lines())
    return int(counts @ sizes) + blanks == tokens.bytes - tokens.crlf


def id_table(tokens, vocabulary):
    """The id of each distinct token of a text; UNKNOWN for those without one."""
    index = vocabulary.index()
    return np.array([index[word] for word in tokens.words], dtype=np.int32)


def ids_of(tokens, table, vocabulary):
    """The ids of a text by its table.

    Unknown words become <unk>, or are left out where the vocabulary has no <unk>.
    """
    known = table != UNKNOWN
    if known.all():
        return tokens.look_up(table)
    if vocabulary.unk_id is None:
        return tokens.look_up(table, keep=known)
    return tokens.look_up(np.where(known, table, np.int32(vocabulary.unk_id)))
