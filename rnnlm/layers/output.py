"""The output of the model as one layer: scores for every word, and the loss against the words that came."""

import numpy as np

from rnnlm.compute.functions import log_softmax
from rnnlm.layers.affine import TimeAffine
from rnnlm.layers.base import Layer, require_ids, require_targets
from rnnlm.layers.softmax import TimeSoftmaxWithLoss


class TimeOutput(Layer):
    """TimeAffine, then TimeSoftmaxWithLoss.  W (H, V), b (V,)."""

    param_names = ("W", "b")

    def __init__(self, W, b, *, grads=None):
        self.affine, self.loss = TimeAffine(W, b, grads=grads), TimeSoftmaxWithLoss()

    @property
    def params(self):
        """W and b, which are the affine layer's."""
        return self.affine.params

    @property
    def grads(self):
        """Their gradients."""
        return self.affine.grads

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

    def backward(self, dout=1):  # float -> (N, T, H)
        """The gradient of the hidden states, and those of W and b."""
        dxs = self.backward_states(dout)
        self.backward_weights()
        return dxs

    def backward_states(self, dout=1):  # float -> (N, T, H)
        """The gradient of the hidden states."""
        return self.affine.backward_states(self.loss.backward(dout))

    def backward_weights(self):
        """The gradients of W and b."""
        self.affine.backward_weights()

    def weight_work(self):
        """``backward_weights`` in one piece: a list of a function."""
        return [self.backward_weights]
