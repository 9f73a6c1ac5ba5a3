"""Adaptive softmax for speed: what ``rnnlm.layers.adaptive`` computes.

The head is a FastOutput, and each cluster a FastTail.
"""

from itertools import pairwise

import numpy as np

from rnnlm.compute.threads import SERIAL, call, slices
from rnnlm.compute.word_scores import WordScores
from rnnlm.layers.adaptive import cluster_bounds, given, head_targets
from rnnlm.layers.base import Layer, require_ids, require_targets
from rnnlm.layers.fast.exponentials import log_sums
from rnnlm.layers.fast.output import FastOutput
from rnnlm.layers.fast.rows import batch_view, time_rows
from rnnlm.layers.fast.tail import FastTail
from rnnlm.layers.fast.word_scores import LEAST_ROWS, SCORES, detailed_scores
from rnnlm.layers.output import require_owners
from rnnlm.layers.softmax import TimeSoftmaxWithLoss


class FastAdaptiveOutput(Layer):
    """What TimeAdaptiveOutput computes.

    Parameters
    ----------
    W : (D, c_0 + k), the weights of the head, best in Fortran order.
    b : (c_0 + k,), its biases.
    tails : P_1 (D, d_1), W_1 (d_1, n_1), P_2, W_2 and so on; W_i best in Fortran order.
    workers : Workers that share the blocks of the vocabulary.
    grads : the memory of the gradients, in the same order; None: new arrays.
    """

    ignore_label = TimeSoftmaxWithLoss.ignore_label

    def __init__(self, W, b, *tails, workers=SERIAL, grads=None):
        grads = [None] * (2 + len(tails)) if grads is None else grads
        self.workers = workers
        self.head = FastOutput(W, b, workers, grads=given(grads[:2]))
        self.tails = [FastTail(*tails[i : i + 2], workers, grads=given(grads[i + 2 : i + 4]))
                      for i in range(0, len(tails), 2)]
        self.bounds = cluster_bounds(b, tails)
        self.biases = np.zeros(self.bounds[-1], b.dtype)  # of ``products_by_word``, which are ln p
        self._buffers = {}

    @property
    def params(self):
        """W and b of the head, then P and W of each cluster."""
        return [param for layer in (self.head, *self.tails) for param in layer.params]

    @property
    def grads(self):
        """Their gradients."""
        return [grad for layer in (self.head, *self.tails) for grad in layer.grads]

    def scores(self, xs):  # (N, T, D) -> (N, T, V)
        """ln p of every word at every step: softmax(scores) is p."""
        N, T, _ = self.window(xs, len(self.head.params[0]), "D")
        rows, V = time_rows(xs), self.bounds[-1]
        scores = self.buffer("scores", (N * T, V), rows.dtype)
        parts = slices(N * T, min(max(LEAST_ROWS, SCORES // V), -(-N * T // self.workers.threads)))
        self.workers.each(lambda part: self._fill(rows[part], scores[part]), parts)
        return batch_view(scores, N, T)

    def products_by_word(self, rows):  # (n, D) -> (V, n)
        """The scores of every word for each row of states, to which no biases add.

        The calling thread computes alone, in memory of its own that its next call fills
        anew.
        """
        scores = self.workers.scratch("by word", (self.bounds[-1], len(rows)), rows.dtype)
        self._fill(rows, scores.T)
        return scores

    def log_probs(self, xs, ts):  # (N, T, D), ids (N, T) -> (N, T)
        """ln p of every target."""
        N, T, _ = self.window(xs, len(self.head.params[0]), "D")
        require_targets(ts, N, T)
        return self._log_probs(time_rows(xs), ts.T.ravel(), np.arange(N * T)).reshape(T, N).T

    def word_scores(self, rows, ts, details=False, top=0, owners=None):  # (R, D), ids (M,)
        """What ``TimeAdaptiveOutput.word_scores`` gives."""
        owners = require_owners(owners, rows, ts)
        if not details and not top:
            return WordScores(self._log_probs(rows, ts, owners))
        require_ids(ts, self.bounds[-1], "targets")
        return detailed_scores(self._fill, self.bounds[-1], rows, owners, ts, self.workers, details, top)

    def forward(self, xs, ts):  # (N, T, D), ids (N, T) -> float
        """The mean of -ln p over the targets that count, in nats."""
        N, T, _ = self.window(xs, len(self.head.params[0]), "D")
        require_targets(ts, N, T)
        counts = ts != self.ignore_label
        require_ids(ts if counts.all() else np.where(counts, ts, 0), self.bounds[-1], "targets")
        total = max(np.count_nonzero(counts), 1)
        nats = total * self.head.forward(xs, head_targets(ts, self.bounds))
        rows, targets = time_rows(xs), ts.T.ravel()
        found = self._found(targets)
        for tail, start, here in zip(self.tails, self.bounds[:-1], found, strict=True):
            nats += tail.forward(rows[here], targets[here] - start)
        self.cache = found, total
        return nats / total

    def target_log_probs(self):  # -> (N, T)
        """ln p of the targets of the last forward; ignored ones mean nothing."""
        log_probs = self.head.target_log_probs()
        N, T = log_probs.shape
        of_rows = log_probs.T.flatten()
        for tail, here in zip(self.tails, self.cache[0], strict=True):
            if here.size:
                of_rows[here] += tail.words.target_log_probs()[:, 0]
        return of_rows.reshape(T, N).T

    def backward(self, dout=1):  # float -> (N, T, D)
        """The gradient of the states, and those of the parameters."""
        dxs = self.backward_states(dout)
        self.backward_weights()
        return dxs

    def backward_states(self, dout=1):  # float -> (N, T, D)
        """The gradient of the states; see also FastOutput's."""
        found, total = self.cache
        dxs = self.head.backward_states(dout)
        rows = time_rows(dxs)  # a view of them
        for tail, here in zip(self.tails, found, strict=True):
            rows[here] += tail.backward_states(dout / total)
        return dxs

    def backward_weights(self):
        """The gradients of the parameters; zeros for a cluster without target."""
        self.workers.each(call, self.weight_work())

    def weight_work(self):
        """``backward_weights`` in pieces, which write into memory of their own."""
        return [work for layer in (self.head, *self.tails) for work in layer.weight_work()]

    def _found(self, targets):
        """For each cluster the indices of the targets (M,) that are among its words."""
        return [np.flatnonzero((targets >= start) & (targets < stop))
                for start, stop in pairwise(self.bounds)]

    def _log_probs(self, rows, ts, owners):
        """ln p of the targets (M,), each predicted by its owner."""
        require_ids(ts, self.bounds[-1], "targets")
        log_probs = self.head.log_probs_of_rows(rows, head_targets(ts, self.bounds), owners)
        for tail, start, here in zip(self.tails, self.bounds[:-1], self._found(ts), strict=True):
            if here.size:
                log_probs[here] += tail.log_probs(rows, ts[here] - start, owners[here])
        return log_probs

    def _fill(self, rows, out):
        """Write ln p of every word into out (m, V), in the calling thread."""
        W, b = self.head.params
        first = self.bounds[0]
        head = rows @ W
        head += b
        head -= log_sums(head, self.head.ones, self.workers)
        out[:, :first] = head[:, :first]
        for i, tail in enumerate(self.tails):
            words = out[:, slice(*self.bounds[i : i + 2])]
            P, weights = tail.params
            np.matmul(rows @ P, weights, out=words)
            words += head[:, first + i, np.newaxis] - log_sums(words, tail.words.ones, self.workers)
