"""Backward in two halves, for processes that add up their gradients.

The gradients of the output's weights are most of a word model's and are there first.
So they can travel while the layers below go back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute.default_workers import computing
from rnnlm.compute.row_gradient import RowGradient, add

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rnnlm.compute.draws import Columns
    from rnnlm.compute.threads import Workers
    from rnnlm.layers.base import Layer
    from rnnlm.models.architecture import Architecture
    from rnnlm.models.parameters import Packing


class GoesBackInHalves:
    """The part of a LanguageModel that several processes train together."""

    if TYPE_CHECKING:
        architecture: Architecture
        columns: Columns | None
        embedding: Layer
        output: Any
        packing: Packing
        shared: list[tuple[Any, np.ndarray]]
        trains_output: bool
        workers: Workers
        _backward_layers: Callable[[np.ndarray], None]

    @property
    def share(self) -> float:
        """The factor of the gradients: which part of the batch the model reads."""
        return 1 if self.columns is None else self.columns.share

    @computing
    def backward_output(self) -> tuple[np.ndarray, list[np.ndarray]]:
        """The first half of ``backward``.

        Returns
        -------
        dout : the gradient of the output's inputs.
        grads : those arrays of ``packing.grads`` that are filled now.
        """
        dout = self.output.backward_states(self.share)
        if not self.trains_output:
            return dout, []
        self.output.backward_weights()
        own = [grad for grad in self.output.grads if isinstance(grad, np.ndarray)]
        return dout, [grad for grad in self.packing.grads if isinstance(grad, np.ndarray)
                      and sum(part.size for part in own if np.may_share_memory(part, grad)) == grad.size]

    @computing
    def backward_layers(self, dout: np.ndarray) -> None:
        """The second half of ``backward``, without ``add_shared``."""
        self._backward_layers(dout)

    def add_shared(self) -> None:
        """The end of ``backward``: a gradient in two parts becomes their sum."""
        for gradient, whole in self.shared:
            add(gradient, whole)

    def late_gradients(self, xs: np.ndarray) -> list[tuple[Any, np.ndarray | None]]:
        """The gradients of rows, and those that ``add_shared`` adds.

        Parameters
        ----------
        xs : (N, T), ids of a whole window, of which the model has read its columns.

        Returns
        -------
        pairs : a gradient, and the rows that are not zeros in some process, their
            numbers ascending; None where it is an array.
        """
        gradients = [gradient for gradient, _ in self.shared]
        gradients += [gradient for gradient in self.packing.grads if isinstance(gradient, RowGradient)]
        of_rows = [gradient for gradient in self.embedding.grads if isinstance(gradient, RowGradient)]
        bounds = getattr(self.embedding, "bounds", (0,))  # of a tied model's clusters
        starts = {id(gradient): start for gradient, start in zip(of_rows, bounds, strict=False)}
        return [(gradient, _rows(xs, starts.get(id(gradient)), gradient.shape[0])) for gradient in gradients]


def _rows(xs, start, count):
    """The distinct ids in a cluster that begins at ``start``, counted from there."""
    if start is None:
        return None
    ids = xs if start == 0 and xs.max() < count else xs[(xs >= start) & (xs < start + count)]
    return np.unique(ids) - start
