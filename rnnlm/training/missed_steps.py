"""What the steps that a row has missed would have done to it.

Without a gradient Adam still moves a weight, by its running mean, which fades.  For a
vocabulary of 200,000 words that is a pass over all vectors at each step, although a
window holds some hundred words.  So a row may miss steps until it is read again.  All
that it missed has a closed form, because a slot fades by the same factor at each step.

Let a row have m and v after step k, and miss the steps j = k + 1, ..., n of Adam, with
the rates lr_j and c_j = sqrt(1 - beta2^j):

    m_j = beta1^(j-k) m      v_j = beta2^(j-k) v
    w_n = w - m sum_j a_j / (sqrt(v) + e_j)            elementwise in m and v
    a_j = r^(j-k) lr_j c_j / (1 - beta1^j)             r = beta1 / sqrt(beta2), below 1
    e_j = eps c_j beta2^(-(j-k)/2)

Weight decay is linear, too: with q_j = 1 - lr_j decay, w is multiplied by all q_j, and
a_j by those of later steps.  So a_j and e_j are numbers of a row, and only the sum is
work for each weight.  Two things keep it short:

- r^(j-k) vanishes.  The sum ends where all that could follow at the same rate is below
  2^-24 of the first missed step: after 181 steps for 0.9 and 0.999.  Then m becomes 0.
- From one step to the next e_j hardly changes: by 0.05 % for 0.999, and by more in a
  run's first thousand steps.  So neighbouring steps share a quotient, that of the sum
  of their a_j and the mean of their e_j.  Its relative error is at most the variance of
  these e_j over (sqrt(v) + e)^2.  Within a quotient they differ by less than 0.05 %
  over the root of r^(j-k): 27 quotients for 181 steps.

For any gradients |m| is at most 7.3 sqrt(v) (Cauchy and Schwarz).  So all that is left
out moves a weight by less than 2e-5 of a learning rate.  In 32 bits that is less than
the steps themselves lose by rounding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

LEFT_OUT = 2.0**-24  # of the first missed step, what all steps may come to that are left out
LONGEST = 1024  # steps; where moments take longer to vanish, no row misses a step
SHARED = 5e-4  # how much e_j may differ within a quotient, over the root of r^(j-k)


@dataclass(frozen=True)
class Idle:
    """What a rule does to a weight whose gradient is zero, at every such step.

    Attributes
    ----------
    factors : of each slot, in the order of ``slot_names``.
    mover : the index of the slot that moves the weight; None: the weight stays.
    rooted : the index of the slot whose root divides the move; None: nothing does.
    """

    factors: tuple[float, ...] = ()
    mover: int | None = None
    rooted: int | None = None

    @property
    def ratio(self) -> float:
        """How much a move is of the one before it, at the same rate: r."""
        if self.mover is None:
            return 0.0
        factor = self.factors[self.mover]
        root = 1.0 if self.rooted is None else math.sqrt(self.factors[self.rooted])
        return factor / root if root else math.inf

    @property
    def length(self) -> float:
        """After how many missed steps a row has come to rest; inf: too late."""
        if self.ratio >= 1:
            return math.inf
        if self.ratio == 0:
            return 1
        return max(1, math.ceil(math.log(LEFT_OUT * (1 - self.ratio)) / math.log(self.ratio)))


class MissedSteps:
    """The missed steps of rows as numbers of each row.

    Parameters
    ----------
    idle : the rule's Idle.
    gains : (n,), of each step: the move is this, times the mover, over the root.
    eps : (n,), of each step: what is added to the root; None where nothing divides.
    keeps : (n,), of each step: the factor of the weight, 1 without weight decay.
    firsts : (R,), of each row, ascending: its first missed step, from 0 to n - 1.
    """

    def __init__(self, idle, gains, eps, keeps, firsts):
        self.idle, self.missed = idle, len(gains) - firsts
        after = np.append(np.cumprod(keeps[::-1])[::-1], 1.0)  # of each step, the factors from there on
        self.kept = after[firsts]
        self.fades = [factor**self.missed for factor in idle.factors]
        if idle.mover is not None:
            self.fades[idle.mover] = np.where(self.missed < idle.length, self.fades[idle.mover], 0.0)
            distinct, self.rows = np.unique(firsts, return_inverse=True)
            self._quotients(gains * after[1:], eps, distinct)

    def _quotients(self, gains, eps, firsts):
        """a_j and e_j, summed over the steps that share a quotient, for each first."""
        idle, length = self.idle, int(min(self.idle.length, len(gains) - firsts[0]))
        ages = np.arange(1, length + 1)  # j - k
        weights = _windows(gains, length, 0.0)[firsts] * idle.ratio**ages
        if idle.rooted is None:
            self.starts, self.sums, self.eps = [0], weights.sum(axis=1, keepdims=True), None
            return
        root = math.sqrt(idle.factors[idle.rooted])
        added = _windows(eps, length, eps[-1])[firsts] * root**-ages
        self.starts = self._starts(length, math.log(1 / root) + np.diff(np.log(eps)).max(initial=0))
        self.sums = np.add.reduceat(weights, self.starts, axis=1)
        weighted = np.add.reduceat(weights * added, self.starts, axis=1)
        self.eps = np.divide(weighted, self.sums, out=added[:, self.starts], where=self.sums != 0)

    def _starts(self, length, growth):
        """The first of the steps that share a quotient, of each quotient."""
        starts, start = [], 0
        while start < length:
            starts.append(start)
            start += max(1, int(min(length, SHARED / (growth * self.idle.ratio ** (start / 2)))))
        return starts

    def moved(self, w, slots):
        """What the rows w (R, D) are by now."""
        w = w * _column(self.kept, w)
        if self.idle.mover is not None:
            mover = slots[self.idle.mover]
            live = mover.any(axis=1)  # not those never met, nor those that have come to rest
            if live.all():
                live = slice(None)
            w[live] -= mover[live] * self._sum(live, slots)
        return w

    def faded(self, slots):
        """What their slots are by now."""
        return [slot * _column(fade, slot) for slot, fade in zip(slots, self.fades, strict=True)]

    def _sum(self, live, slots):
        """The sum for some rows, (k, D); (k, 1) if nothing divides."""
        dtype, table, missed = slots[0].dtype, self.rows[live], self.missed[live]
        sums = self.sums[table].astype(dtype)
        if self.eps is None:
            return sums
        root, eps = np.sqrt(slots[self.idle.rooted][live]), self.eps[table].astype(dtype)
        total, quotient = np.zeros_like(root), np.empty_like(root)
        for i, start in enumerate(self.starts):
            k = np.searchsorted(-missed, -start, "left")  # the first k rows have missed more steps than that
            np.add(root[:k], eps[:k, i, np.newaxis], out=quotient[:k])
            np.divide(sums[:k, i, np.newaxis], quotient[:k], out=quotient[:k])
            total[:k] += quotient[:k]
        return total


def _windows(values, length, beyond):
    """values[i : i + length] in row i, filled up with ``beyond``, as a view."""
    return np.lib.stride_tricks.sliding_window_view(np.append(values, np.full(length, beyond)), length)


def _column(values, like):
    """A number of each row, to multiply an array of such rows with."""
    return values.astype(like.dtype)[:, np.newaxis]
