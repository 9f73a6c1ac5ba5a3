"""The vocabulary: which words the model knows, and the id of each."""

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.text import LINE_END

EOS = "<eos>"  # the end of a sentence, a target like any word
UNK = "<unk>"  # what stands for every word that is not in the vocabulary
CHUNK = 1 << 22  # ids counted at a time
UNKNOWN = -1   # the id of a word that is not in the vocabulary, before <unk> or nothing takes its place


class Vocabulary:
    """Words by id and ids by word.  ``words``: a list of distinct strings, <eos> among them.

    ``eos_id`` is the id of <eos>; ``unk_id`` that of <unk>, or None where the vocabulary has none.
    """

    def __init__(self, words, level="word"):
        self.words = list(words)
        self.level = level
        self.ids = {word: i for i, word in enumerate(self.words)}
        if len(self.ids) != len(self.words):
            raise RnnlmError("a vocabulary must hold each word once")
        if EOS not in self.ids:
            raise RnnlmError(f"a vocabulary must hold {EOS}")
        self.eos_id = self.ids[EOS]
        self.unk_id = self.ids.get(UNK)

    def __len__(self):
        return len(self.words)

    def index(self):
        """A mapping from token to id: the line end is <eos>, tokens that are not in the vocabulary are UNKNOWN."""
        index = _Known(self.ids)
        index[LINE_END] = self.eos_id
        return index

    def encode(self, tokens):
        """Ids (int32) of a list of tokens; UNKNOWN for those that are not in the vocabulary."""
        index = self.index()
        return np.array([index[token] for token in tokens], dtype=np.int32)

    def decode(self, ids):
        """Tokens of ids; <eos> becomes the line end, so that encode(decode(ids)) == ids."""
        return [LINE_END if i == self.eos_id else self.words[i] for i in ids]

    @classmethod
    def from_counts(cls, counts, level="word", min_count=1, max_size=None):
        """The most frequent words, in order of falling frequency, ties by first appearance.

        counts: how often each word occurs, a dict in order of first appearance, <eos> among its keys.
        Words seen fewer than ``min_count`` times, and the rarest where there would be more than
        ``max_size`` entries, give their counts to <unk>.  If all words stay, no <unk> is added.
        """
        special = {EOS, UNK}
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
        return cls(sorted(totals, key=lambda word: -totals[word]), level)


def occurrences(ids, vocab_size):  # (n,) -> (V,)
    """How often each id stands in a text, which may be mapped into memory: read in pieces, never copied whole."""
    counts = np.zeros(vocab_size, np.int64)
    for start in range(0, len(ids), CHUNK):
        counts += np.bincount(ids[start : start + CHUNK], minlength=vocab_size)
    return counts


class _Known(dict):
    """A dict in which every other key means UNKNOWN."""

    def __missing__(self, token):
        return UNKNOWN
