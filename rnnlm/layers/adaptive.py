"""Adaptive softmax: an output layer for many words, in time that frequent words need.

The words, sorted by falling frequency, are divided (Grave et al., 2017).  The head
scores the c_0 most frequent ones and, as if each were one more word, k clusters of the
others.  Only where the target is in cluster i are that cluster's words scored, too:

    q = softmax(h W + b)
    p(w | h) = q_w                                        for w < c_0
    p(w | h) = q_(c_0 + i - 1) softmax((h P_i) W_i)_w     for w in cluster i = 1 ... k

The rarer the words of a cluster, the fewer numbers each of them has: P_i takes the
state of size D to a quarter of the size that the cluster before it has, d_i = D / 4^i.

A model whose word vectors have these sizes as well (Baevski & Auli, 2019) can share
them with its output, see ``rnnlm.layers.adaptive_embedding``.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute.functions import log_softmax
from rnnlm.compute.word_scores import WordScores, word_scores
from rnnlm.layers.base import Layer, require_ids, require_targets
from rnnlm.layers.output import TimeOutput, require_owners
from rnnlm.layers.softmax import TimeSoftmaxWithLoss

if TYPE_CHECKING:
    from collections.abc import Callable

DIVISOR = 4  # a word of a cluster has as many numbers as one of the cluster before it, divided by this


def tail_shapes(D: int, cutoffs: tuple[int, ...], V: int) -> list[dict[str, tuple[int, int]]]:
    """The shapes of P and W of each cluster.

    Parameters
    ----------
    D : the size of the states.
    cutoffs : the first word of each cluster, ascending; the first number is c_0.
    V : the number of words.
    """
    return [{"P": (D, width), "W": (width, stop - start)} for width, (start, stop) in
            zip((max(1, D // DIVISOR**i) for i in range(1, len(cutoffs) + 1)), pairwise((*cutoffs, V)), strict=True)]


class TimeTail(Layer):
    """A cluster: an output layer over its words that reads rows P.

    Parameters
    ----------
    P : (D, d), from the states to their cluster's size.
    W : (d, n), the weights of its words, which have no biases.
    grads : [dP, dW], the memory of the gradients; None: new arrays.
    """

    param_names = ("P", "W")

    def __init__(self, P: np.ndarray, W: np.ndarray, *, grads: list[np.ndarray] | None = None) -> None:
        none = np.zeros(W.shape[1], W.dtype)
        self.projection = Layer(P, grads=None if grads is None else grads[:1])
        self.output = TimeOutput(W, none, grads=None if grads is None else [grads[1], none.copy()])

    @property
    def params(self) -> list[np.ndarray]:
        """P and W."""
        return [self.projection.params[0], self.output.params[0]]

    @property
    def grads(self) -> list[np.ndarray]:
        """Their gradients."""
        return [self.projection.grads[0], self.output.grads[0]]

    def log_probs_of_all(self, xs: np.ndarray) -> np.ndarray:  # (..., D) -> (..., n)
        """ln p of every word, given that it is one of the cluster."""
        P, W = self.params
        return log_softmax(xs @ P @ W)

    def forward(self, xs: np.ndarray, ts: np.ndarray) -> float:  # (m, D), indices in the cluster (m,)
        """The sum of -ln p over the targets, in nats."""
        self.cache = xs
        return len(ts) * self.output.forward((xs @ self.params[0])[np.newaxis], ts[np.newaxis])

    def target_log_probs(self) -> np.ndarray:  # -> (m,)
        """ln p of the targets of the last forward, given that each is in it."""
        return self.output.target_log_probs()[0]

    def backward_states(self, dout: float = 1) -> np.ndarray:  # -> (m, D)
        """The gradient of the states."""
        self.slopes = self.output.backward_states(dout * len(self.cache))[0]  # of xs P; its loss is a mean
        return self.slopes @ self.params[0].T

    def backward_weights(self) -> None:
        """The gradients of P and W."""
        self.output.backward_weights()
        self.grads[0][...] = self.cache.T @ self.slopes


class TimeAdaptiveOutput(Layer):
    """The scores of every word and the loss, as TimeOutput; the scores are ln p.

    ids are sorted by falling frequency, as every Vocabulary's.  The sizes of the arrays
    say which words are in the head and in each cluster.

    Parameters
    ----------
    W : (D, c_0 + k), the weights of the head.
    b : (c_0 + k,), its biases.
    tails : P_1 (D, d_1), W_1 (d_1, n_1), P_2, W_2 and so on: two arrays a cluster, with
        c_0 + n_1 + n_2 + ... = V.
    grads : the memory of the gradients, in the same order; None: new arrays.
    """

    ignore_label = TimeSoftmaxWithLoss.ignore_label

    def __init__(self, W: np.ndarray, b: np.ndarray, *tails: np.ndarray,
                 grads: list[np.ndarray] | None = None) -> None:
        grads = [None] * (2 + len(tails)) if grads is None else grads
        self.head = TimeOutput(W, b, grads=given(grads[:2]))
        self.tails = [TimeTail(*tails[i : i + 2], grads=given(grads[i + 2 : i + 4]))
                      for i in range(0, len(tails), 2)]
        self.bounds = cluster_bounds(b, tails)
        self.biases = np.zeros(self.bounds[-1], b.dtype)  # of ``products_by_word``, which are ln p

    @property
    def params(self) -> list[np.ndarray]:
        """W and b of the head, then P and W of each cluster."""
        return [param for layer in (self.head, *self.tails) for param in layer.params]

    @property
    def grads(self) -> list[np.ndarray]:
        """Their gradients."""
        return [grad for layer in (self.head, *self.tails) for grad in layer.grads]

    def scores(self, xs: np.ndarray) -> np.ndarray:  # (N, T, D) -> (N, T, V)
        """ln p of every word at every step: softmax(scores) is p."""
        first, V = self.bounds[0], self.bounds[-1]
        head = log_softmax(self.head.scores(xs))
        scores = np.empty_like(head, shape=(*head.shape[:2], V))
        scores[..., :first] = head[..., :first]
        for i, tail in enumerate(self.tails):
            words = slice(*self.bounds[i : i + 2])
            scores[..., words] = head[..., first + i, np.newaxis] + tail.log_probs_of_all(xs)
        return scores

    def products_by_word(self, rows: np.ndarray) -> np.ndarray:  # (n, D) -> (V, n)
        """The scores of every word for each row of states, to which no biases add."""
        return self.scores(rows[np.newaxis])[0].T.copy()

    def log_probs(self, xs: np.ndarray, ts: np.ndarray) -> np.ndarray:  # (N, T, D), ids (N, T) -> (N, T)
        """ln p of every target."""
        require_targets(ts, *self.window(xs, len(self.params[0]), "D")[:2])
        require_ids(ts, self.bounds[-1], "targets")
        return np.take_along_axis(self.scores(xs), ts[..., np.newaxis], axis=-1)[..., 0]

    def word_scores(self, rows: np.ndarray, ts: np.ndarray, details: bool = False, top: int = 0,
                    owners: np.ndarray | None = None) -> WordScores:
        """The WordScores of targets; the parameters are those of TimeOutput's."""
        owners = require_owners(owners, rows, ts)
        require_ids(ts, self.bounds[-1], "targets")
        return word_scores(self.scores(rows[np.newaxis])[0][owners], ts, details, top)

    def forward(self, xs: np.ndarray, ts: np.ndarray) -> float:  # (N, T, D), ids (N, T)
        """The mean of -ln p over the targets that count, in nats."""
        require_targets(ts, *self.window(xs, len(self.params[0]), "D")[:2])
        counts = ts != self.ignore_label
        require_ids(np.where(counts, ts, 0), self.bounds[-1], "targets")
        total = max(int(counts.sum()), 1)
        nats = total * self.head.forward(xs, head_targets(ts, self.bounds))
        steps = []  # those whose target is in the cluster
        for tail, (start, stop) in zip(self.tails, pairwise(self.bounds), strict=True):
            here = (ts >= start) & (ts < stop)
            steps.append(self._at(here))
            nats += tail.forward(xs[steps[-1]], ts[here] - start)
        self.cache = steps, total
        return nats / total

    def _at(self, mask):
        """A mask (N, T) as the index of states; a device's states have another."""
        return mask

    def target_log_probs(self) -> np.ndarray:  # -> (N, T)
        """ln p of the targets of the last forward; ignored ones mean nothing."""
        log_probs = self.head.target_log_probs().copy()
        for tail, here in zip(self.tails, self.cache[0], strict=True):
            log_probs[here] += tail.target_log_probs()
        return log_probs

    def backward(self, dout: float = 1) -> np.ndarray:  # -> (N, T, D)
        """The gradient of the states, and those of the parameters."""
        dxs = self.backward_states(dout)
        self.backward_weights()
        return dxs

    def backward_states(self, dout: float = 1) -> np.ndarray:  # -> (N, T, D)
        """The gradient of the states: the head's, plus that of the target's cluster."""
        steps, total = self.cache
        dxs = self.head.backward_states(dout)
        for tail, here in zip(self.tails, steps, strict=True):
            dxs[here] += tail.backward_states(dout / total)
        return dxs

    def backward_weights(self) -> None:
        """The gradients of the parameters; zeros for a cluster without target."""
        for layer in (self.head, *self.tails):
            layer.backward_weights()

    def weight_work(self) -> list[Callable[[], None]]:
        """``backward_weights`` as a list of functions: here a single one."""
        return [self.backward_weights]


def cluster_bounds(b, tails):
    """Where the clusters begin, and V: c_0, c_0 + n_1, ..., a tuple of k + 1."""
    sizes = [W.shape[1] for W in tails[1::2]]
    bounds = [b.size - len(sizes)]
    for size in sizes:
        bounds.append(bounds[-1] + size)
    return tuple(bounds)


def head_targets(ts, bounds):
    """For each target its index in the head: itself, or that of its cluster."""
    first = bounds[0]
    return np.where(ts < first, ts, first - 1 + np.searchsorted(bounds[:-1], ts, side="right"))


def given(grads):
    """The memory of gradients, or None where none is given."""
    return None if grads[0] is None else list(grads)
