"""The tables of an n-gram model: the n-grams of each order as sorted arrays.

Words are ids of a vocabulary.  ``<eos>`` is the end of a line where it is predicted and
the start of a line where it is the first word of a context, so it is never inside an
n-gram.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass
class Order:
    """The n-grams of one order, sorted by their words.

    With m n-grams of this order and V words in the vocabulary:

    Attributes
    ----------
    keys : (m,) int64, ascending.  ``context * V + word``, where context is the index of
        the n-gram without its last word in the table of the order below.  Unigrams: the
        ids 0 ... V - 1.
    log_probs : (m,) float32, ln p of the last word after the words before it.
    back_offs : (m,) float32, ln of the weight of the shorter context; None in the
        highest order.
    """

    keys: np.ndarray
    log_probs: np.ndarray
    back_offs: np.ndarray | None = None


@dataclass
class Tables:
    """An n-gram model as arrays.

    ln p(w | h) is the log_prob of the longest n-gram in the tables that ends in w after
    words of h, plus the back_offs of all longer contexts of h that are in the tables.

    Attributes
    ----------
    orders : list of Order, the unigrams first.
    """

    orders: list[Order]

    @property
    def vocab_size(self) -> int:
        """V, the number of words."""
        return self.orders[0].keys.size


def rising(keys: np.ndarray) -> bool:
    """Whether each of these keys is larger than the one before."""
    return bool((keys[1:] > keys[:-1]).all())
