"""Random numbers for a batch whose columns may belong to several processes.

All processes have generators in one state.  What differs from column to column is drawn
in whole 64-bit words, equally many for each column, one column after the other.  A
process draws the words of its own columns and jumps over the others'.  So a column gets
the same numbers whoever owns it, and all generators stand at one state again.  What all
columns share is drawn by every process.

How numbers are made from words is a scheme with a version, which a checkpoint holds:

2 : the scheme of new runs.
1 : that of checkpoints before format version 4.  A mask is a byte string, in which a
    column may begin within a word, and noising draws a second number for each replaced
    word.  Where 4 divides all sizes and nothing is noised, both schemes are one; with
    dropped words the vocabulary's size counts, too.
"""

import math
from dataclasses import dataclass

import numpy as np

from rnnlm.errors import ArgumentError

SCHEME = 2  # of new models and batches
SCHEMES = (1, 2)
WORD = 64  # bits
JUMPING = "PCG64", "PCG64DXSM"  # bit generators that jump word by word; NumPy loads its random part when it is used


@dataclass(frozen=True)
class Columns:
    """A process's columns of a batch: ``first`` to ``stop - 1``, of ``total``.

    alone: whether gradients are those of their own mean loss, not of the batch's.
    """

    first: int
    stop: int
    total: int
    alone: bool = False

    @property
    def count(self):
        """How many they are."""
        return self.stop - self.first

    @property
    def share(self):
        """The factor of their mean loss and its gradients, from 0 to 1."""
        return 1.0 if self.alone else self.count / self.total

    def of(self, array):
        """Their rows of an array (total, ...), a view."""
        return array[self.first : self.stop]


def shared_bits(rng, shape, scheme=SCHEME):
    """16 random bits for each number, uint16 of this shape, which all columns share."""
    count = math.prod(shape)
    if scheme == 1:
        return np.frombuffer(rng.bytes(2 * count), "<u2").reshape(shape)
    return _as_bits(_words(rng, words_for(count)))[:count].reshape(shape)


def column_bits(rng, shape, columns=None, scheme=SCHEME):
    """16 random bits for each number, uint16 of this shape (N, ...), for N columns.

    columns: which ones the N columns are; None: all of the batch.  ArgumentError for
    others in scheme 1, in which columns share words.
    """
    if scheme == 1:
        if columns is not None:
            raise ArgumentError(f"columns must be None with random_scheme 1, which draws for a whole batch, got "
                                f"{columns}: set random_scheme to {SCHEME}")
        return shared_bits(rng, shape, scheme)
    N, count = shape[0], math.prod(shape[1:])
    size = words_for(count)
    words = for_columns(rng, N, size, columns, lambda: _words(rng, N * size))
    return _as_bits(words).reshape(N, -1)[:, :count].reshape(shape)


def column_uniforms(rng, N, count, columns=None):
    """Random numbers in [0, 1), ``count`` for each of N columns, as ``column_bits``."""
    return for_columns(rng, N, count, columns, lambda: rng.random((N, count)))


def for_columns(rng, N, size, columns, draw):
    """What ``draw`` draws for N columns, ``size`` words each, at their position."""
    if columns is None:
        return draw()
    if columns.stop - columns.first != N or not 0 <= columns.first < columns.stop <= columns.total:
        raise ArgumentError(f"columns must be {N} columns of a batch, got {columns.first} to {columns.stop - 1} of "
                            f"{columns.total}")
    if type(rng.bit_generator).__name__ not in JUMPING:
        raise ArgumentError("rng must be a generator that can jump: numpy.random.default_rng(SEED) makes one")
    jump(rng.bit_generator, size * columns.first)
    drawn = draw()
    jump(rng.bit_generator, size * (columns.total - columns.stop))
    return drawn


def jump(generator, words):
    """Jump over words, an int, as if the bit generator had drawn them.

    Half a word that a number of 32 bits has left is kept.
    """
    half = {name: generator.state[name] for name in ("has_uint32", "uinteger")}
    generator.advance(words)
    generator.state = generator.state | half


def words_for(count):
    """How many words hold 16 bits for so many numbers."""
    return -(-16 * count // WORD)


def _words(rng, count):
    """Random words (count,) uint64."""
    if type(rng.bit_generator).__name__ in JUMPING:
        return rng.bit_generator.random_raw(count)  # as below, in a tenth less time
    return rng.integers(0, (1 << WORD) - 1, count, np.uint64, endpoint=True)


def _as_bits(words):
    """The words as numbers of 16 bits, the lowest first, on every machine."""
    return words.astype("<u8", copy=False).view("<u2")
