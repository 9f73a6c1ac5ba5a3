"""The network of a sequence classifier: its weights, its predictions, how it learns."""

import numpy as np

from rnnlm.classifier.initializers import XavierInitializer
from rnnlm.classifier.sequences import shares_of_states
from rnnlm.classifier.simple_rnn import SimpleRNN
from rnnlm.compute.functions import log_softmax
from rnnlm.compute.threads import slices
from rnnlm.layers.rnn import TimeRNN
from rnnlm.training.clipping import clip_scale, global_norm

ROOM = 2**20  # numbers that each array of a prediction holds at most, inputs or states: 8 MB
STEPS = 16  # at once, at least, if sequences are that long: a call for each step would cost more


class SequenceNetwork:
    """p = softmax(u W + b), u (N, H) a weighted sum of a recurrent layer's states.

    For two classes there is one score, and p is its sigmoid.

    Attributes
    ----------
    params : [Wx, Wh, b] of the recurrent layer, and [W, b] of the full connection.
    activation : f of the recurrent layer.
    pooling : "last" or "mean", see ``shares_of_states``.

    Nothing else is kept.  A prediction writes nowhere, so threads may share a network,
    and no data remains.
    """

    def __init__(self, params, activation, pooling):
        self.params, self.activation, self.pooling = params, activation, pooling

    @classmethod
    def new(cls, n_features, n_classes, n_nodes, initializer, activation, pooling, rng):
        """A network with first weights, float64; SimpleRNN's are drawn first."""
        rnn = SimpleRNN(n_nodes, initializer, activation=activation, rng=rng)
        rnn.build(n_features)
        outputs = 1 if n_classes == 2 else n_classes
        W = np.asarray((initializer or XavierInitializer())((n_nodes, outputs), rng), np.float64)
        # Copies, as the initializer may have handed out an array of somebody else's.
        return cls([np.array(p) for p in (*rnn.params, W, np.zeros(outputs))], activation, pooling)

    def log_probs(self, X, lengths):  # (N, T, D), (N, 1) -> (N, n_classes)
        """ln p of every class."""
        N, T, _ = X.shape
        *weights, W, b = self.params
        shares = shares_of_states(lengths, T, self.pooling)
        # A layer of this call's own, as it remembers its input and its state.
        rnn = TimeRNN(*weights, stateful=True, activation=self.activation)
        pooled = 0
        for steps in slices(T, max(1, ROOM // (N * len(W)))):
            pooled = pooled + np.einsum("nt,nth->nh", shares[:, steps], rnn.forward(X[:, steps]))
        return log_probs_of(pooled @ W + b)

    def batches(self, X):
        """Slices of the sequences (N, T, D) that ``log_probs`` may have at once."""
        N, T, D = X.shape
        return slices(N, max(1, ROOM // max(T * D, min(T, STEPS) * self.params[1].shape[0])))

    def loss(self, X, lengths, targets):
        """The mean of -ln p[target], in batches."""
        nats = np.empty(len(X))
        for batch in self.batches(X):
            own = self.log_probs(X[batch], lengths[batch])
            nats[batch] = own[np.arange(len(own)), targets[batch]]
        return float(-nats.mean())


class Learner:
    """A network in training: a layer over its weights, and an optimizer.

    It is thrown away after ``fit``, and what the layer remembers of the data with it.
    """

    def __init__(self, network, rule, max_grad):
        *weights, self.W, self.b = self.params = network.params
        self.rnn = TimeRNN(*weights, activation=network.activation)
        self.rule, self.max_grad = rule, max_grad

    def step(self, X, shares, targets, weights):  # (N, T, D), (N, T), (N,), (N,)
        """One update of all weights by a mini-batch; returns its mean weighted loss."""
        N = len(X)
        u = np.einsum("nt,nth->nh", shares, self.rnn.forward(X))
        log_probs = log_probs_of(u @ self.W + self.b)
        # d(-ln p[label]) / d scores = probabilities - onehot; of two classes the second
        # has the score
        dscores = np.exp(log_probs)
        dscores[np.arange(N), targets] -= 1
        dscores = dscores[:, -len(self.b):] * weights[:, np.newaxis] / N
        du = dscores @ self.W.T                                         # scores = u W + b
        self.rnn.backward(shares[..., np.newaxis] * du[:, np.newaxis])  # u = sum of shares * states
        grads = [*self.rnn.grads, u.T @ dscores, dscores.sum(axis=0)]
        self.rule.update(self.params, grads, clip_scale(global_norm(grads), self.max_grad))
        return float(-(weights * log_probs[np.arange(N), targets]).mean())

    def epoch(self, X, shares, targets, weights, order, batch_size):
        """One pass over the samples in this order; the mean loss over all of them."""
        nats = 0.0
        for start in range(0, len(X), batch_size):
            batch = order[start : start + batch_size]
            nats += self.step(X[batch], shares[batch], targets[batch], weights[batch]) * len(batch)
        return nats / len(X)

    def is_finite(self):
        """Whether all weights are."""
        return all(np.isfinite(p).all() for p in self.params)


def log_probs_of(scores):  # (N, outputs) -> (N, n_classes)
    """ln p of every class: a sigmoid of s is a softmax over the scores 0 and s."""
    if scores.shape[1] == 1:
        scores = np.hstack([np.zeros_like(scores), scores])
    return log_softmax(scores)
