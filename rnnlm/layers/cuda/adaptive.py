"""Adaptive softmax and adaptive input on a device, as the plain layers compute them.

The host makes the indices of each cluster's targets or ids; what they pick is computed
on the device, where a cluster is an output layer of its own.  This is the plain form,
with many calls: it has run on stand-ins, never on a GPU.
"""

from itertools import pairwise

import numpy as np

from rnnlm.compute.threads import slices
from rnnlm.compute.word_scores import WordScores, word_scores
from rnnlm.layers.adaptive import TimeAdaptiveOutput, TimeTail, cluster_bounds, given, head_targets
from rnnlm.layers.adaptive_embedding import TimeAdaptiveEmbedding
from rnnlm.layers.base import Layer, require_ids, require_targets
from rnnlm.layers.cuda.embedding import SUMS_BY_ID, THREADS
from rnnlm.layers.cuda.output import SCORES, CudaOutput
from rnnlm.layers.output import require_owners


class _PicksOnDevice:
    """The part of both layers that says where indices are."""

    def _at(self, mask):
        """The index of what a mask (N, T) of the host picks from an array (N, T, D)."""
        return tuple(map(self.device.put, np.nonzero(mask)))

    def _on(self, ids):
        return self.device.put(ids.astype(np.int32))


class CudaTail(TimeTail):
    """What TimeTail computes; nothing is asked of the device where there is no target.

    Parameters
    ----------
    P, W : those of TimeTail.
    device : the Device of the arrays.
    grads : [dP, dW], the memory of the gradients; None: new arrays.
    """

    def __init__(self, P, W, device, *, grads=None):
        none = device.xp.zeros(W.shape[1], W.dtype)
        self.projection = Layer(P, grads=None if grads is None else grads[:1])
        self.output = CudaOutput(W, none, device, grads=None if grads is None else [grads[1], none.copy()])

    def forward(self, xs, ts):  # (m, D), indices in the cluster (m,) -> ()
        """The sum of -ln p over the targets, in nats."""
        self.cache = xs
        return super().forward(xs, ts) if ts.size else 0.0

    def target_log_probs(self):  # -> (m,)
        """ln p of the targets of the last forward, given that each is in it."""
        return super().target_log_probs() if len(self.cache) else 0.0

    def backward_states(self, dout=1):  # float -> (m, D)
        """The gradient of the states."""
        return super().backward_states(dout) if len(self.cache) else self.cache

    def backward_weights(self):
        """The gradients of P and W."""
        if len(self.cache):
            super().backward_weights()
        else:
            for grad in self.grads:
                grad[...] = 0


class CudaAdaptiveOutput(_PicksOnDevice, TimeAdaptiveOutput):
    """What TimeAdaptiveOutput computes.  Targets are arrays of the host.

    Parameters
    ----------
    W, b, tails : those of TimeAdaptiveOutput.
    device : the Device of the arrays.
    grads : the memory of the gradients, in the same order; None: new arrays.
    """

    def __init__(self, W, b, *tails, device, grads=None):
        grads = [None] * (2 + len(tails)) if grads is None else grads
        self.device, self.bounds = device, cluster_bounds(b, tails)
        self.head = CudaOutput(W, b, device, grads=given(grads[:2]))
        self.tails = [CudaTail(*tails[i : i + 2], device, grads=given(grads[i + 2 : i + 4]))
                      for i in range(0, len(tails), 2)]
        self.biases = device.xp.zeros(self.bounds[-1], b.dtype)  # of ``products_by_word``, which are ln p

    def log_probs(self, xs, ts):  # (N, T, D), ids (N, T) -> (N, T)
        """ln p of every target, on the device."""
        require_targets(ts, *self.window(xs, len(self.params[0]), "D")[:2])
        require_ids(ts, self.bounds[-1], "targets")
        log_probs = self.head.log_probs(xs, head_targets(ts, self.bounds))
        for tail, (start, stop) in zip(self.tails, pairwise(self.bounds), strict=True):
            mask = (ts >= start) & (ts < stop)
            if mask.any():
                at = self._at(mask)
                log_probs[at] += tail.output.log_probs((xs[at] @ tail.params[0])[np.newaxis],
                                                       ts[mask][np.newaxis] - start)[0]
        return log_probs

    def word_scores(self, rows, ts, details=False, top=0, owners=None):  # (R, D), ids (M,)
        """What ``TimeAdaptiveOutput.word_scores`` gives, as arrays of the host."""
        owners = require_owners(owners, rows, ts)
        require_ids(ts, self.bounds[-1], "targets")
        get, found = self.device.get, []
        for part in slices(len(ts), max(1, SCORES // self.bounds[-1])):
            own = rows[self.device.put(owners[part])][np.newaxis]
            found.append(word_scores(get(self.scores(own))[0], ts[part], details, top) if details or top else
                         WordScores(get(self.log_probs(own, ts[np.newaxis, part]))[0]))
        return WordScores.joined(found)


class CudaAdaptiveEmbedding(_PicksOnDevice, TimeAdaptiveEmbedding):
    """What TimeAdaptiveEmbedding computes.  The ids are arrays of the host.

    Parameters
    ----------
    W, tails : those of TimeAdaptiveEmbedding; W and each W_i by rows.
    device : the Device of the arrays.
    grads : the memory of the gradients, in the same order; None: new arrays.
    """

    def __init__(self, W, *tails, device, grads=None):
        super().__init__(W, *tails, grads=grads)
        self.device = device

    def _sum(self, dW, ids, rows):
        dW[...] = 0
        if ids.size:
            self.device.launch(SUMS_BY_ID, len(dW), THREADS, (rows, ids, dW, ids.size, dW.shape[1], 1))
