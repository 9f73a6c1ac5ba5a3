"""Spelling: a small model of how words are written, for those outside a vocabulary.

A model of words predicts <unk> for them, which says nothing of their letters.  With the
probability of the spelling, p(<unk>) p(spelling | <unk>), the whole text has one, and
models with different vocabularies can be compared.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from rnnlm.text.vocabulary import EOS, UNK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rnnlm.text.vocabulary import Vocabulary

ORDER = 5      # bytes: four of context; held-out words of PTB take 3.09 bits a byte at 4, 2.98 at 5, 2.99 at 6
MOST = 20_000  # words to learn from: more would cost memory, and change little
END = 256      # what ends a word, after the 256 bytes
SYMBOLS = 257


class Spelling:
    """p(spelling) by an interpolated n-gram model of UTF-8 bytes.

    With c(h) the count of a context h, d(h) the number of distinct bytes after it, and
    h' the context without its first byte (Witten & Bell, 1991; Bell et al., 1990):

        p(x | h) = (c(hx) + d(h) p(x | h')) / (c(h) + d(h)),    p(x | no byte) = 1 / 257

    Each word counts once, as unknown words are like rare ones.

    Parameters
    ----------
    words : the words to learn from, such as those of a vocabulary, the rarest last; of
        many words, the last MOST are taken.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._counts: defaultdict[bytes, Counter[int]] = defaultdict(Counter)
        for word in words[-MOST:]:
            for context, symbol in _steps(word):
                for start in range(len(context) + 1):
                    self._counts[context[start:]][symbol] += 1
        self._totals = {context: (counts.total(), len(counts)) for context, counts in self._counts.items()}

    def nats(self, word: str) -> float:
        """-ln p of a word's bytes and its end."""
        return -math.fsum(math.log(self._probability(context, symbol)) for context, symbol in _steps(word))

    def log_prob(self, counts: Mapping[str, int]) -> float:
        """The sum of ln p of words, each as often as it occurs."""
        return -math.fsum(count * self.nats(word) for word, count in counts.items())

    @classmethod
    def of_vocabulary(cls, vocabulary: Vocabulary) -> Spelling:
        """That of a vocabulary's words."""
        return cls([word for word in vocabulary.words if word not in (EOS, UNK)])

    def _probability(self, context, symbol):
        p = 1 / SYMBOLS
        for start in range(len(context), -1, -1):  # from the shortest context on
            total, distinct = self._totals.get(context[start:], (0, 0))
            if not total:
                break
            p = (self._counts[context[start:]][symbol] + distinct * p) / (total + distinct)
        return p


def _steps(word):
    """Yield each byte and the end, after the bytes of context: (context, symbol)."""
    data = word.encode("utf-8", "surrogatepass")
    for i in range(len(data) + 1):
        yield data[max(0, i - ORDER + 1) : i], data[i] if i < len(data) else END
