"""Blocks of the vocabulary: the pieces in which the fast output layer computes.

A block knows which rows have their target among its words, and may keep memory from
forward to backward.
"""

from dataclasses import dataclass

import numpy as np

KEPT = 1 << 26  # exponentials that are kept from forward to backward, 268 MB; the others are computed again


@dataclass
class Block:
    """Some words of the vocabulary.

    Attributes
    ----------
    words : their slice.
    here : the rows whose target is one of them.
    columns : for each of these rows, the target's index within the slice.
    e : (M, words), memory of the exponentials where they are kept for backward, else
        None.
    """

    words: slice
    here: np.ndarray
    columns: np.ndarray
    e: np.ndarray | None = None


def blocks_of(targets, parts):
    """The vocabulary in blocks.

    Parameters
    ----------
    targets : (M,), ids.
    parts : slices of the vocabulary, a block each.
    """
    if len(parts) == 1:
        return [Block(parts[0], np.arange(len(targets)), targets)]
    rows = [np.flatnonzero((targets >= part.start) & (targets < part.stop)) for part in parts]
    return [Block(part, here, targets[here] - part.start) for part, here in zip(parts, rows, strict=True)]


def kept_words(blocks, M):
    """How many words, from the first on, have blocks that may be kept for M rows."""
    return max((block.words.stop for block in blocks if M * block.words.stop <= KEPT), default=0)


def keep(blocks, M, memory):
    """Give the blocks their parts of a memory for M rows, (M * words,)."""
    for block in blocks:
        if M * block.words.stop <= memory.size:
            block.e = memory[M * block.words.start : M * block.words.stop].reshape(M, -1)
