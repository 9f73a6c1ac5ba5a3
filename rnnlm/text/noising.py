"""Data noising: some words of the text are replaced, as in Kneser-Ney smoothing.

A model that has seen a word few times overfits to what followed it.  Smoothing of
n-grams takes some of the probability away from what was seen and gives it to words that
follow many different ones.  Noising has the same effect on a network (Xie et al., 2017,
"bigram Kneser-Ney noising").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments, draws
from rnnlm.compute.draws import column_uniforms
from rnnlm.errors import ArgumentError, IdError
from rnnlm.text.vocabulary import occurrences

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

CHUNK = 10_000_000  # tokens whose pairs are counted at once


class Noising:
    """Replaces words w, with probability strength * N(w, .) / c(w), by words w'.

    w' is drawn in proportion to N(., w').  c(w): how often w occurs in the text; N(w,
    .): how many different words follow it; N(., w'): how many different words w'
    follows.  A word that is followed by something new each time is replaced most often.

    Parameters
    ----------
    ids : (n,), the training text.
    vocab_size : V.
    strength : from 0 to 1.

    Attributes
    ----------
    columns : the Columns of the batch that it is given; None: all.
    random_scheme : see rnnlm/compute/draws.py.
    """

    columns = None

    def __init__(self, ids: ArrayLike, vocab_size: int, strength: float) -> None:
        ids = arguments.ids_of_text("ids", ids)
        arguments.whole("vocab_size", vocab_size)
        arguments.number("strength", strength, "from 0 to 1", lambda x: 0 <= x <= 1)
        if len(ids) < 2:
            raise ArgumentError(f"ids must hold at least 2 tokens, a word and what follows it, got {len(ids)}")
        if ids.min() < 0 or ids.max() >= vocab_size:
            raise IdError(f"ids must be from 0 to {vocab_size - 1}, got {ids.min()} to {ids.max()}")
        self.random_scheme = draws.SCHEME
        counts = occurrences(ids[:-1], vocab_size)
        pairs = np.empty(0, np.int64)  # w V + w' for each pair in the text
        for start in range(0, len(ids) - 1, CHUNK):
            part = ids[start : start + CHUNK + 1].astype(np.int64)
            pairs = np.union1d(pairs, part[:-1] * vocab_size + part[1:])
        followers = np.bincount(pairs // vocab_size, minlength=vocab_size)
        followed = np.bincount(pairs % vocab_size, minlength=vocab_size)
        self.probs = strength * followers / np.maximum(counts, 1)
        self.ends = np.cumsum(followed) / followed.sum()

    def __call__(self, xs: np.ndarray, ts: np.ndarray,
                 rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:  # (N, T), (N, T)
        """A window after noising: a word is replaced as an input and as a target."""
        words = np.concatenate([xs, ts[:, -1:]], axis=1)
        probs = self.probs[words]
        drawn = column_uniforms(rng, *words.shape, self.columns)
        hit = drawn < probs
        # Below the probability, drawn / probability is again uniform from 0 to below 1.
        evenly = rng.random(np.count_nonzero(hit)) if self.random_scheme == 1 else drawn[hit] / probs[hit]
        words[hit] = np.searchsorted(self.ends, evenly, side="right")
        return words[:, :-1], words[:, 1:]
