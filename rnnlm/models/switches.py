"""What a training run sets of a model's dropout: on or off, how much, how drawn.

Also which columns of the batch the model reads, on which random numbers depend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnlm.compute import arguments

if TYPE_CHECKING:
    from typing import Any

    import numpy as np

    from rnnlm.compute.draws import Columns
    from rnnlm.models.regularisation import Regularisation


class HasDropout:
    """The part of a LanguageModel that sets its layers with dropout, ``switches``.

    Attributes
    ----------
    columns : the Columns of the batch that the model reads in training; None: all.
    """

    columns: Columns | None = None

    if TYPE_CHECKING:
        layers: list[Any]
        regularisation: Regularisation
        switches: list[Any]  # the layers that have ``train``, ``ratio`` and ``random_scheme``
        whole_ratios: list[float]  # of each of them at the end of training
        scheme: int
        dropout_rng: np.random.Generator

    def set_progress(self, progress: float) -> None:
        """Set dropout to what it is when a part of the training is done.

        See dropout_start of Regularisation.

        Parameters
        ----------
        progress : that part, from 0 to 1.
        """
        if not (isinstance(progress, float) and 0 <= progress <= 1):
            arguments.number("progress", progress, "from 0 to 1", lambda x: 0 <= x <= 1)
        start = self.regularisation.dropout_start
        for layer, ratio in zip(self.switches, self.whole_ratios, strict=True):
            layer.ratio = ratio * (start + (1 - start) * progress)

    def set_training(self, training: bool) -> None:
        """Switch all dropout on or off.

        It is on in a new model and in one that a Trainer takes, off after load_model.
        """
        for layer in self.switches:
            layer.train = training

    @property
    def random_scheme(self) -> int:
        """How dropout's random numbers are made: see rnnlm/compute/draws.py."""
        return self.scheme

    @random_scheme.setter
    def random_scheme(self, scheme: int) -> None:
        self.scheme = scheme
        for layer in self.switches:
            layer.random_scheme = scheme

    def set_columns(self, columns: Columns | None) -> None:
        """Read these columns of the batch from now on; None: all.

        Dropout draws its part of the numbers of the whole batch.  The gradients that
        ``backward`` gives are a part, too: those of the mean loss of the whole batch
        are the sum over all columns.
        """
        self.columns = columns
        for layer in self.layers:
            if hasattr(layer, "columns"):
                layer.columns = columns

    def snapshot(self) -> dict[str, Any]:
        """What training needs to continue, without arrays: dropout's generator."""
        return self.dropout_rng.bit_generator.state

    def restore(self, values: dict[str, Any]) -> None:
        """Continue from a snapshot."""
        self.dropout_rng.bit_generator.state = values
