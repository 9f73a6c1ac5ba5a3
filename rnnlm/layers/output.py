"""The output of the model as one layer: scores for every word, and the loss against the words that came."""

import numpy as np

from rnnlm.compute.functions import log_softmax
from rnnlm.layers.affine import TimeAffine
from rnnlm.layers.base import Layer, require_ids, require_targets
from rnnlm.layers.softmax import TimeSoftmaxWithLoss


class TimeOutput(Layer):
    """TimeAffine, then TimeSoftmaxWithLoss.  W (H, V), b (V,)."""

    def __init__(self, W, b):
        self.affine, self.loss = TimeAffine(W, b), TimeSoftmaxWithLoss()
        self.params, self.grads = self.affine.params, self.affine.grads

    def scores(self, xs):  # (N, T, H) -> (N, T, V)
        """The scores (logits) of every word at every step."""
        return self.affine.forward(xs)

    def log_probs(self, xs, ts):  # (N, T, H), ids (N, T) -> (N, T)
        """ln p of every target."""
        require_targets(ts, *self.window(xs, len(self.params[0]), "H")[:2])
        require_ids(ts, self.params[1].size, "targets")
        return np.take_along_axis(log_softmax(self.scores(xs)), ts[..., np.newaxis], axis=-1)[..., 0]

    def forward(self, xs, ts):  # (N, T, H), ids (N, T) -> float
        """The mean of -ln p over the targets, in nats."""
        return self.loss.forward(self.affine.forward(xs), ts)

    def backward(self, dout=1, meanwhile=None):  # float -> (N, T, H)
        """The gradient of the hidden states, and those of W and b; meanwhile(dxs), if given, is called with it."""
        dxs = self.affine.backward(self.loss.backward(dout))
        if meanwhile:
            meanwhile(dxs)
        return dxs
