"""The mean squares of a model's gradients over its training text.

Dynamic evaluation with ``rms`` gives each weight a rate by them.  The text is read as
in training, in many streams with a short window, but without dropout and without a
step; each window gives the gradient of its mean loss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnlm.adapting.copies import bare_copy
from rnnlm.adapting.methods import WINDOW
from rnnlm.compute import arguments
from rnnlm.compute.default_workers import computing
from rnnlm.compute.row_gradient import RowGradient
from rnnlm.compute.threads import slices
from rnnlm.errors import DivergenceError
from rnnlm.models.gradient_statistics import GradientStatistics
from rnnlm.text.batches import TimeBatches

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from rnnlm.models import LanguageModel

BATCH = 100  # streams that are read side by side
PIECE = 1 << 18  # values that a thread takes at a time


def gradient_statistics(model: LanguageModel, ids: ArrayLike, window: int = WINDOW, *,
                        on_window: Callable[[int], object] | None = None) -> GradientStatistics:
    """The GradientStatistics of a model over its training text.

    The model stays as it is.  A text too short for a hundred streams is read in as many
    as have a window each.

    Parameters
    ----------
    model : LanguageModel.
    ids : (n,), the training text.
    window : words of a window, those of the dynamic evaluation to come.
    on_window : called with the number of targets after each window; what it raises ends
        the reading.

    Raises
    ------
    RnnlmError : fewer than three ids.
    DivergenceError : the gradients are not finite.
    """
    ids, window = arguments.ids_of_text("ids", ids), arguments.whole("window", window)
    batch = min(BATCH, max(1, (len(ids) - 1) // max(window, 2)))
    summing = _Summing(bare_copy(model), TimeBatches(ids, batch, window))
    for targets in summing.windows():
        if on_window:
            on_window(targets)
    return GradientStatistics(summing.mean_squares(), window, batch, summing.steps)


class _Summing:
    """Adds up the squares of the gradients of a model, window by window."""

    def __init__(self, model, batches):
        self.model, self.workers, self.batches, self.steps = model, model.workers, batches, 0
        self.sums = [np.zeros(grad.shape, grad.dtype) for grad in model.packing.grads]

    def windows(self):
        """Read the text; yield the number of targets of each window."""
        for xs, ts in self.batches:
            with np.errstate(over="ignore", invalid="ignore"):  # it is seen in the sums
                self._add(xs, ts)
            self.steps += 1
            yield ts.size

    @computing
    def _add(self, xs, ts):
        self.model.forward(xs, ts)
        self.model.backward()
        pieces = []
        for total, grad in zip(self.sums, self.model.packing.grads, strict=True):
            if isinstance(grad, RowGradient):
                total[grad.ids] += grad.values * grad.values
            else:
                pieces += [(total[part], grad[part]) for part in slices(grad.size, PIECE)]
        self.workers.each(_add_square, pieces)

    def mean_squares(self):
        """The mean squares by the parameters' names; DivergenceError unless finite."""
        for total in self.sums:
            total /= self.steps
            if not np.isfinite(total).all():
                raise DivergenceError("the model's gradients are not finite numbers, so they have no statistics")
        return dict(self.model.packing.by_name(self.sums))


def _add_square(piece):
    total, grad = piece
    np.multiply(grad, grad, out=grad)
    total += grad
