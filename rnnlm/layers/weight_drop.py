"""Weight drop: dropout on the recurrent weights.

They are the one thing inside the recurrence to which dropout does no harm.
"""

from __future__ import annotations

import numpy as np

from rnnlm.compute.draws import SCHEME, shared_bits
from rnnlm.layers.base import Layer
from rnnlm.layers.dropout import keep_mask, require_ratio


class WeightDrop(Layer):
    """Zero recurrent weights with probability ratio, divide others by 1 - ratio.

    Every window has a new mask, the same for all its steps and streams.  So the
    recurrence is one function throughout a window (the weight-dropped LSTM of Merity et
    al., 2018; DropConnect: Wan et al., 2013).

    The diagonals of the (H, H) blocks, one for each gate, stay as they are.  Through
    them each unit keeps its own state.  Where training starts from many time scales on
    the diagonals, dropping them would cut the memory of the network.

    A recurrent layer takes one as its ``weight_drop``, for itself alone.

    Parameters
    ----------
    ratio : the probability, from 0 to below 1.
    rng : numpy.random.Generator that draws the masks; a ratio of 0 needs none.

    Attributes
    ----------
    train : whether weights are left out.
    random_scheme : see rnnlm/compute/draws.py.
    """

    random_scheme = SCHEME

    def __init__(self, ratio: float, *, rng: np.random.Generator | None) -> None:
        super().__init__()
        require_ratio(ratio, rng, "weight drop ratio")
        self.ratio, self.rng = ratio, rng
        self.train = True

    def forward(self, Wh: np.ndarray) -> np.ndarray:  # (H, jH) -> (H, jH)
        """Wh under a new mask in training, Wh itself otherwise.

        The next call fills the memory of the masked Wh anew.
        """
        self.cache = None
        if not self.train or self.ratio == 0:
            return Wh
        H = len(Wh)
        mask = keep_mask(shared_bits(self.rng, Wh.shape, self.random_scheme), self.ratio, Wh.dtype)
        mask.reshape(H, -1, H)[np.arange(H), :, np.arange(H)] = 1  # the diagonals of all gates
        self.cache = mask
        return np.multiply(Wh, mask, out=self.buffer("Wh", Wh.shape, Wh.dtype))

    def backward(self, dWh: np.ndarray) -> np.ndarray:  # (H, jH) -> (H, jH)
        """The same mask, on the gradient in place."""
        return dWh if self.cache is None else np.multiply(dWh, self.cache, out=dWh)
