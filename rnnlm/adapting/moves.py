"""How the weights of a model move while it reads, and how they go back.

A weight is its trained value and what it has moved from there, w = w0 + v.  A step with
the gradient g of a window's mean loss is

    v <- keep v - gain g          elementwise; keep is 1 less the decay
    w <- w0 + v

A model that has not moved therefore has its trained weights, bit for bit.

A window reads few rows of an embedding.  The others have no gradient, so that their
steps are v <- keep v: they are put off until the row is read, when all that it missed
is one power of keep.
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
    keeps, gains : for each of them ``keep`` and ``gain``, a number or an array that
        lies like it.
    momentum : the share of the direction before that joins the next one (Nesterov);
        0: none.
    """

    def __init__(self, params: Sequence[np.ndarray], trained: Sequence[np.ndarray], keeps: Sequence[Factor],
                 gains: Sequence[Factor], momentum: float = 0.0) -> None:
        self.params, self.trained, self.keeps, self.gains = params, trained, keeps, gains
        self.momentum = momentum
        self.moved = [np.zeros_like(w) for w in params]
        self.directions = [np.zeros_like(w) for w in params] if momentum else []
        self.steps, self.met = 0, {}  # for arrays of rows: how many steps each row has made

    def reset(self) -> None:
        """Everything as trained."""
        for w, w0 in zip(self.params, self.trained, strict=True):
            w[...] = w0
        if self.steps:
            for array in (*self.moved, *self.directions):
                array[...] = 0
        self.steps, self.met = 0, {}

    def step(self, grads: Sequence[np.ndarray | RowGradient], scale: float, workers: Workers) -> None:
        """A step along gradients, times ``scale``.  They are written over.

        ``catch_up`` must have seen the ids that gave them.
        """
        self.steps += 1
        pieces = []
        for i, g in enumerate(grads):
            if not isinstance(g, RowGradient):
                pieces += [(i, part) for part in slices(g.size, PIECE)]
            elif self.momentum:  # every row that has ever moved goes on
                self._blocks(i, np.asarray(g), slice(0, g.shape[0] * g.shape[1]), scale, workers)
            else:
                self._rows(i, g, scale)
        workers.each(lambda piece: self._blocks(piece[0], grads[piece[0]], piece[1], scale, workers), pieces)

    def catch_up(self, ids: np.ndarray) -> None:
        """Make the steps that were put off for rows that are about to be read.

        ids : (n,), rows of each array whose gradient is a RowGradient.
        """
        for i, met in self.met.items():
            missed = self.steps - met[ids]
            behind = np.flatnonzero(missed)
            if behind.size:
                self._fade(i, *np.unique(ids[behind], return_index=True), missed[behind])

    def settle(self) -> None:
        """Make all steps that were put off."""
        for i, met in self.met.items():
            rows = np.flatnonzero(met < self.steps)
            self._fade(i, rows, slice(None), self.steps - met[rows])

    def _fade(self, i, rows, which, missed):
        """The decay that each of the distinct rows has missed."""
        keep = self.keeps[i] if np.ndim(self.keeps[i]) == 0 else self.keeps[i][rows]
        moved = self.moved[i][rows] * np.power(keep, missed[which, np.newaxis], dtype=self.moved[i].dtype)
        self.moved[i][rows] = moved
        self.params[i][rows] = self.trained[i][rows] + moved
        self.met[i][rows] = self.steps

    def _rows(self, i, g, scale):
        """A step of the rows that have a gradient; the others put theirs off."""
        if i not in self.met:
            self.met[i] = np.full(len(self.params[i]), self.steps - 1)
        keep, gain = (factor if np.ndim(factor) == 0 else factor[g.ids] for factor in (self.keeps[i], self.gains[i]))
        moved = self.moved[i][g.ids] * keep - g.values * gain * scale
        self.moved[i][g.ids] = moved
        self.params[i][g.ids] = self.trained[i][g.ids] + moved
        self.met[i][g.ids] = self.steps

    def _blocks(self, i, g, part, scale, workers):
        """A step of a part of a dense array, block by block."""
        arrays = [array.reshape(-1) for array in (self.params[i], self.trained[i], self.moved[i], g)]
        keep, gain = (factor if np.ndim(factor) == 0 else factor.reshape(-1) for factor in
                      (self.keeps[i], self.gains[i]))
        direction = self.directions[i].reshape(-1) if self.momentum else None
        for start in range(part.start, part.stop, BLOCK):
            block = slice(start, min(start + BLOCK, part.stop))
            w, w0, v, slope = (array[block] for array in arrays)
            if direction is not None:
                self._along(direction[block], slope, scale, workers)
            elif scale != 1:
                slope *= scale
            slope *= gain if np.ndim(gain) == 0 else gain[block]
            if np.ndim(keep) or keep != 1:
                v *= keep if np.ndim(keep) == 0 else keep[block]
            v -= slope
            np.add(w0, v, out=w)

    def _along(self, direction, slope, scale, workers):
        """Turn a gradient into the direction of a step with Nesterov's momentum."""
        slope *= scale
        direction *= self.momentum
        direction += slope
        slope += np.multiply(direction, self.momentum, out=workers.scratch("moves", slope.shape, slope.dtype))
