"""How the weights of a model move while it reads, and how they go back.

A step with the gradient g of a window's mean loss is, for each weight w with its
trained value w0,

    w <- w + decay (w0 - w) - gain g

What has not moved is therefore as trained, bit for bit.

A window reads few rows of an embedding.  The others have no gradient, so that a step
multiplies w - w0 by 1 - decay.  These steps are put off until the row is read, when all
that it missed is one power.

The arrays of a model are larger than a core's memory, so that what is read and written
decides: w, w0, decay, gain and g are read once a step, and w is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute.row_gradient import RowGradient
from rnnlm.compute.threads import slices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnnlm.compute.threads import Workers

    Factor = float | np.ndarray  # one for a whole array, or one for each weight

BLOCK = 1 << 15  # weights that are passed over at a time: six arrays of them stay near the core
PIECE = 1 << 18  # weights that a thread takes at a time


class Moves:
    """Moves the arrays of a model, from their trained values.

    Parameters
    ----------
    params : the arrays that move.
    trained : arrays that lie like them: the trained values, which are only read.
    decays, gains : see the equation: for each array a number, or an array that lies
        like it.
    momentum : the share of the direction before that joins the next one (Nesterov);
        0: none.

    Attributes
    ----------
    steps : how many were made.
    """

    def __init__(self, params: Sequence[np.ndarray], trained: Sequence[np.ndarray], decays: Sequence[Factor],
                 gains: Sequence[Factor], momentum: float = 0.0) -> None:
        self.params, self.trained, self.decays, self.gains = params, trained, decays, gains
        self.momentum = momentum
        self.directions = [np.zeros_like(w) for w in params] if momentum else []
        self.steps, self.met = 0, {}  # for arrays of rows: how many steps each row has made

    def reset(self) -> None:
        """Everything as trained."""
        for w, w0 in zip(self.params, self.trained, strict=True):
            w[...] = w0
        for direction in self.directions:
            direction[...] = 0
        self.steps, self.met = 0, {}

    def step(self, grads: Sequence[np.ndarray | RowGradient], scale: float, workers: Workers) -> None:
        """A step along gradients, times ``scale``.

        ``catch_up`` must have seen the ids that gave them.
        """
        self.steps += 1
        pieces = []
        for i, g in enumerate(grads):
            if isinstance(g, RowGradient) and not self.momentum:
                self._rows(i, g, scale)
            else:  # with momentum every row that has ever moved goes on
                g = np.asarray(g).reshape(-1)
                pieces += [(i, g, part) for part in slices(g.size, PIECE)]
        workers.each(lambda piece: self._blocks(*piece, scale, workers), pieces)

    def catch_up(self, ids: np.ndarray) -> None:
        """Make the steps that were put off for rows that are about to be read.

        ids : (n,), rows of each array whose gradient is a RowGradient.
        """
        for i, met in self.met.items():
            rows = np.unique(ids)
            self._fade(i, rows[met[rows] < self.steps])

    def settle(self) -> None:
        """Make all steps that were put off."""
        for i, met in self.met.items():
            self._fade(i, np.flatnonzero(met < self.steps))

    def _fade(self, i, rows):
        """The decay that each of the distinct rows has missed."""
        w, w0, decay = self.params[i][rows], self.trained[i][rows], _at(self.decays[i], rows)
        missed = (self.steps - self.met[i][rows])[:, np.newaxis]
        self.params[i][rows] = w0 + (w - w0) * np.power(1 - decay, missed, dtype=w.dtype)
        self.met[i][rows] = self.steps

    def _rows(self, i, g, scale):
        """A step of the rows that have a gradient; the others put theirs off."""
        if i not in self.met:
            self.met[i] = np.full(len(self.params[i]), self.steps - 1)
        w, w0 = self.params[i][g.ids], self.trained[i][g.ids]
        w += _at(self.decays[i], g.ids) * (w0 - w) - _at(self.gains[i], g.ids) * g.values * scale
        self.params[i][g.ids] = w
        self.met[i][g.ids] = self.steps

    def _blocks(self, i, g, part, scale, workers):
        """A step of a part of an array, block by block."""
        w, w0 = self.params[i].reshape(-1), self.trained[i].reshape(-1)
        decay, gain = (factor.reshape(-1) if np.ndim(factor) else factor for factor in (self.decays[i], self.gains[i]))
        direction = self.directions[i].reshape(-1) if self.momentum else None
        for start in range(part.start, part.stop, BLOCK):
            block = slice(start, min(start + BLOCK, part.stop))
            out = workers.scratch("moves", (block.stop - block.start,), w.dtype)
            if np.ndim(decay) or decay:
                np.subtract(w0[block], w[block], out=out)
                out *= _at(decay, block)
                w[block] += out
            if direction is None:
                np.multiply(g[block], _at(gain, block), out=out)
                if scale != 1:
                    out *= scale
            else:
                self._along(direction[block], g[block], scale, out)
                out *= _at(gain, block)
            w[block] -= out

    def _along(self, direction, g, scale, out):
        """Fill out with the direction of a step with Nesterov's momentum."""
        np.multiply(g, scale, out=out)
        direction *= self.momentum
        direction += out
        out += self.momentum * direction


def _at(factor, where):
    """A factor for some of the weights."""
    return factor[where] if np.ndim(factor) else factor
