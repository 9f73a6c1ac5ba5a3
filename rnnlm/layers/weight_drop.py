"""Weight drop: dropout inside the recurrence, on the recurrent weights."""

import numpy as np

from rnnlm.compute.draws import SCHEME, shared_bits
from rnnlm.layers.base import Layer
from rnnlm.layers.dropout import keep_mask, require_ratio


class WeightDrop(Layer):
    """Zero recurrent weights with probability ratio, divide the others by 1 - ratio.

    A new mask for every window, the same for all its steps and streams, so that the
    recurrence is one function throughout a window (the weight-dropped LSTM of Merity et
    al., 2018; DropConnect: Wan et al., 2013).  The diagonals of the (H, H) blocks, one
    a gate, stay as they are.  They are each unit's hold on itself: where training
    starts from many time scales on them, dropping them would cut the memory of the
    network.

    A recurrent layer takes one as its ``weight_drop``, for itself alone.  ``train``
    switches it.
    """

    random_scheme = SCHEME

    def __init__(self, ratio, *, rng):
        super().__init__()
        require_ratio(ratio, rng, "weight drop ratio")
        self.ratio, self.rng = ratio, rng
        self.train = True

    def forward(self, Wh):  # (H, jH) -> (H, jH)
        """Wh under a new mask in training, Wh itself otherwise.

        The next call fills the memory of the result anew.
        """
        self.cache = None
        if not self.train or self.ratio == 0:
            return Wh
        H = len(Wh)
        mask = keep_mask(shared_bits(self.rng, Wh.shape, self.random_scheme), self.ratio, Wh.dtype)
        mask.reshape(H, -1, H)[np.arange(H), :, np.arange(H)] = 1  # the diagonals of all gates
        self.cache = mask
        return np.multiply(Wh, mask, out=self.buffer("Wh", Wh.shape, Wh.dtype))

    def backward(self, dWh):  # (H, jH) -> (H, jH)
        """The same mask, on the gradient in place."""
        return dWh if self.cache is None else np.multiply(dWh, self.cache, out=dWh)
