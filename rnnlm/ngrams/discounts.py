"""Discounts: how much modified Kneser-Ney smoothing takes from each count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

FALL_BACK = (0.5, 1.0, 1.5)  # where a text is too small; lmplz of KenLM has the same


@dataclass(frozen=True)
class Discounts:
    """The discounts of one order.

    Attributes
    ----------
    values : three floats, for a count of one, of two, and of three or more.
    estimated : whether they come from the text; else they are FALL_BACK.
    """

    values: tuple[float, float, float]
    estimated: bool

    def table(self) -> np.ndarray:
        """(4,): the discount by min(count, 3)."""
        return np.array([0.0, *self.values])


def discounts_of(count_of_counts: ArrayLike) -> Discounts:
    """The discounts of Chen & Goodman (1998, equation 26).

    With n_k the number of n-grams that occur k times, and Y = n_1 / (n_1 + 2 n_2)::

        D_k = k - (k + 1) Y n_(k+1) / n_k        for k = 1, 2, 3

    A text is too small for that where one of n_1 ... n_4 is 0, or a discount is not
    above 0.  Then all three are those of FALL_BACK.

    Parameters
    ----------
    count_of_counts : (4,), n_1 ... n_4.
    """
    n = [float(count) for count in np.asarray(count_of_counts)]
    if not all(n):
        return Discounts(FALL_BACK, False)
    share = n[0] / (n[0] + 2 * n[1])
    values = tuple(k - (k + 1) * share * n[k] / n[k - 1] for k in (1, 2, 3))
    return Discounts(values, True) if min(values) > 0 else Discounts(FALL_BACK, False)
