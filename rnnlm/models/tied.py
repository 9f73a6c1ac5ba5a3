"""Tied weights: the output weights are the embedding, one array with one gradient (Press & Wolf, 2017)."""

from rnnlm.compute.row_gradient import RowGradient
from rnnlm.layers import Layer


class TiedWeight(Layer):
    """The array (V, D) that embedding and output share, and its gradient: the sum of both layers'."""

    def __init__(self, embedding):
        super().__init__(*embedding.params)

    def share(self, embedding, output):
        """Make it the two layers' own."""
        embedding.params[0], output.params[0], output.grads[0] = self.params[0], self.params[0].T, self.grads[0].T

    def add(self, embedding):
        """The output layer has left its gradient: add the embedding's."""
        (grad,) = embedding.grads
        if isinstance(grad, RowGradient):
            self.grads[0][grad.ids] += grad.values
        else:
            self.grads[0][...] += grad
