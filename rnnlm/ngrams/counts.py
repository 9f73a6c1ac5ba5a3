"""The n-grams of a text and how often each occurs, counted by sorting.

An n-gram is a key: the index of its first n - 1 words among the n-grams of the order
below, times V, plus its last word.  So the keys of one order follow from the order
below by one sort of as many numbers as the text has words.  A text that is longer than
memory is sorted in pieces, and the sorted pieces are merged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.ngrams.merging import merged
from rnnlm.ngrams.storage import Storage, let_go
from rnnlm.text.vocabulary import occurrences

if TYPE_CHECKING:
    from collections.abc import Callable

BYTES_OF_A_TOKEN = 64  # that sorting takes at most
MEMORY = 2 << 30  # bytes that sorting may take, where nothing is given
MOST_ORDERS = 6
MOST_PIECES = 64  # each has an open file, of the 256 that a process may have on macOS


@dataclass
class Counted:
    """The n-grams of one order in a text, m of them.

    Attributes
    ----------
    keys : (m,) int64, ascending: see ``rnnlm.ngrams.tables.Order``.
    counts : (m,) int64, how often each occurs.
    suffixes : (m,), the index of the n-gram without its first word in the order below;
        None for unigrams.
    """

    keys: np.ndarray
    counts: np.ndarray
    suffixes: np.ndarray | None = None


@dataclass
class Counts:
    """The n-grams of a text, of all orders.

    A line end ends an n-gram, and the start of a line is a word before its first word.
    Both are the id of <eos>.  Its unigram counts line ends.

    Attributes
    ----------
    orders : list of Counted, the unigrams first; these have an entry for each id.
    eos_id : int, the id of <eos>.
    storage : the Storage of arrays as long as these.
    """

    orders: list[Counted]
    eos_id: int
    storage: Storage

    @property
    def vocab_size(self) -> int:
        """V, the number of words."""
        return self.orders[0].keys.size

    def starts(self) -> list[slice]:
        """Which n-grams of each order begin at the start of a line, a slice an order.

        Of the unigrams, this is <eos> itself.
        """
        slices = [slice(self.eos_id, self.eos_id + 1)]
        for order in self.orders[1:]:
            bounds = np.array([slices[-1].start, slices[-1].stop]) * self.vocab_size
            slices.append(slice(*np.searchsorted(order.keys, bounds).tolist()))
        return slices


def count_ngrams(ids: np.ndarray, eos_id: int, vocab_size: int, order: int, memory: int = MEMORY,
                 on_piece: Callable[[int], object] = lambda tokens: None) -> Counts:
    """Count the n-grams of a text.

    Parameters
    ----------
    ids : (n,) int32, the text; it may be mapped from a file.
    eos_id : id of <eos>, which ends a line.
    vocab_size : V, the number of words.
    order : the longest n-grams, from 1 to 6.
    memory : bytes that sorting may take, about; what is longer goes to temporary files.
    on_piece : function of a number of tokens, called when a piece was counted.

    Returns
    -------
    Counts

    Raises
    ------
    RnnlmError : there is no room for temporary files.
    """
    on_disk = len(ids) * (BYTES_OF_A_TOKEN + 24 * order) > memory
    storage = Storage(on_disk)
    unigrams = Counted(np.arange(vocab_size), occurrences(ids, vocab_size))
    orders, index = [unigrams], ids
    size = max(1, memory // BYTES_OF_A_TOKEN, -(-len(ids) // MOST_PIECES)) if on_disk else max(1, len(ids))
    text = _Text(ids, eos_id, vocab_size, size, storage)
    on_piece(len(ids))
    for n in range(2, order + 1):
        counted, index = text.next_order(index, n, last=n == order, on_piece=on_piece)
        orders.append(counted)
    return Counts(orders, eos_id, storage)


@dataclass
class _Text:
    """A text and the pieces in which it is counted, ``size`` tokens each.

    An index of order n (len(ids),) has for each token the index of the n-gram that ends
    there, -1 where the line is too short for one.
    """

    ids: np.ndarray
    eos_id: int
    vocab_size: int
    size: int
    storage: Storage

    @property
    def dtype(self):
        """That of an index."""
        return np.int32 if len(self.ids) <= np.iinfo(np.int32).max else np.int64

    def next_order(self, index, n, last, on_piece):
        """Count the n-grams, given the index of the order below.

        Returns Counted and the index of order n, which is None if it is the last.
        """
        runs, ranks = [], None if last else self.storage.empty(len(self.ids), self.dtype)
        for piece in self._pieces():
            runs.append(self._run(index, n, piece, ranks))
            on_piece(piece.stop - piece.start)
            let_go(self.ids, index, ranks)
        counted = runs[0] if len(runs) == 1 else Counted(*self.storage.joined(
            merged([(run.keys, run.counts, run.suffixes) for run in runs]), (np.int64, np.int64, index.dtype)))
        if len(runs) > 1 and not last:
            self._renumber(ranks, runs, counted.keys)
        return counted, ranks

    def _pieces(self):
        return [slice(start, min(start + self.size, len(self.ids))) for start in range(0, len(self.ids), self.size)
                ] or [slice(0, 0)]

    def _run(self, index, n, piece, ranks):
        """Counted of a piece; ranks, if any, get the index of each of its n-grams."""
        contexts = self._contexts(index, n, piece)
        (where,) = np.nonzero(contexts >= 0)
        keys = contexts[where] * self.vocab_size
        keys += self.ids[piece][where]
        keys, positions = _sorted(keys)
        new = np.empty(keys.size, bool)
        new[:1] = True
        np.not_equal(keys[1:], keys[:-1], out=new[1:])
        (first,) = np.nonzero(new)
        if ranks is not None:
            in_piece = np.full(contexts.size, -1, self.dtype)
            in_piece[where[positions]] = np.cumsum(new, dtype=self.dtype) - 1
            ranks[piece] = in_piece
        counts = np.diff(first, append=keys.size)
        suffixes = index[piece][where[positions[first]]]
        return Counted(*self.storage.together(keys[first], counts, suffixes))

    def _contexts(self, index, n, piece):
        """The index of the (n - 1)-gram before each token, -1 where there is none."""
        contexts = np.full(piece.stop - piece.start, -1, np.int64)
        skip = 1 if piece.start == 0 else 0
        before = slice(piece.start - 1 + skip, max(0, piece.stop - 1))
        contexts[skip:] = index[before]
        if n > 2:
            contexts[skip:][self.ids[before] == self.eos_id] = -1
        elif skip:
            contexts[:1] = self.eos_id  # the start of the text is that of a line
        return contexts

    def _renumber(self, ranks, runs, keys):
        """Turn the ranks within each piece into indices among all keys."""
        for piece, run in zip(self._pieces(), runs, strict=True):
            found = np.append(np.searchsorted(keys, run.keys), -1).astype(ranks.dtype)
            ranks[piece] = found[ranks[piece]]  # the last one is that of -1
            let_go(ranks, run.keys, keys)


def _sorted(keys):
    """Keys in rising order, and the position from which each came."""
    bits = int(keys.size).bit_length()
    if not keys.size or int(keys.max()).bit_length() + bits > 63:
        positions = np.argsort(keys)
        return keys[positions], positions
    keys <<= bits  # sorting one array is four times as fast as finding its order
    keys |= np.arange(keys.size)
    keys.sort()
    positions = keys & ((1 << bits) - 1)
    keys >>= bits
    return keys, positions
