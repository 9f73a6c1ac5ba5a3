"""The output layer on a device: three products, and one kernel for all between them.

The scores of a window stay as one matrix; softmax, loss and the gradient of the scores
are one pass over it, which writes the gradient over the scores.  No call waits for the
device: the loss is an array there.
"""

from pathlib import Path

import numpy as np

from rnnlm.compute.functions import log_softmax
from rnnlm.compute.kernel import Kernel
from rnnlm.compute.threads import slices
from rnnlm.compute.word_scores import WordScores, word_scores
from rnnlm.layers.base import Layer, require_ids, require_targets
from rnnlm.layers.cuda.products import affine, column_sums
from rnnlm.layers.cuda.rows import batch_view, ids_on, time_rows
from rnnlm.layers.output import require_owners
from rnnlm.layers.softmax import TimeSoftmaxWithLoss

SOURCE = Path(__file__).with_name("output.cu")
THREADS = 256
SCORES = 1 << 26  # scores that word_scores has at a time, 256 MB


def _softmax_rows(scores, b, targets, log_probs, loss, finished, rows, V, total, scale, gradient):
    scores += b
    at, counts = np.arange(rows), targets >= 0
    words = np.where(counts, targets, 0)
    log_softmaxes = log_softmax(scores)
    log_probs[...] = np.minimum(log_softmaxes[at, words], 0)
    loss[...] = -log_probs[counts].sum(dtype=np.float64) / total
    if gradient:
        np.exp(log_softmaxes, out=scores)
        scores[at, words] -= 1
        scores *= (counts * scores.dtype.type(scale))[:, np.newaxis]


SOFTMAX_ROWS = Kernel("softmax_rows", SOURCE, _softmax_rows)


class CudaOutput(Layer):
    """What TimeAffine and TimeSoftmaxWithLoss compute.  Targets are arrays of the host.

    Parameters
    ----------
    W : (H, V), the weights, by rows or by columns.
    b : (V,), the biases.
    device : the Device of the arrays.
    grads : [dW, db], the memory of the gradients; None: new arrays.
    """

    ignore_label = TimeSoftmaxWithLoss.ignore_label
    param_names = ("W", "b")

    def __init__(self, W, b, device, *, grads=None):
        super().__init__(W, b, grads=grads)
        self.device = device

    @property
    def biases(self):
        """What adds to ``products_by_word``, (V,)."""
        return self.params[1]

    def scores(self, xs):  # (N, T, H) -> (N, T, V)
        """xs W + b: the scores of every word at every step."""
        N, T, _ = self.window(xs, len(self.params[0]), "H")
        return batch_view(self._scores(time_rows(self.device, xs)), N, T)

    def products_by_word(self, rows):  # (n, H) -> (V, n)
        """The scores of every word for each row of states, without the biases."""
        W, b = self.params
        products = self.device.xp.empty((b.size, len(rows)), W.dtype)
        self.device.multiply(W.T, rows.T, products)
        return products

    def log_probs(self, xs, ts):  # (N, T, H), ids (N, T) -> (N, T)
        """ln p of every target, on the device."""
        N, T, _ = self.window(xs, len(self.params[0]), "H")
        require_targets(ts, N, T)
        require_ids(ts, self.params[1].size, "targets")
        rows, targets = time_rows(self.device, xs), ids_on(self.device, ts)
        return self._softmax("scores", rows, targets, rows.shape[0])[1].reshape(T, N).T

    def word_scores(self, rows, ts, details=False, top=0, owners=None):  # (R, H), ids (M,)
        """What ``TimeOutput.word_scores`` gives, as arrays of the host.

        The rows are of the device, targets and owners of the host.
        """
        owners = require_owners(owners, rows, ts)
        require_ids(ts, self.params[1].size, "targets")
        found = self._detailed_scores if details or top else self._log_probs_of_rows
        parts = slices(len(ts), max(1, SCORES // self.params[1].size))
        return WordScores.joined([found(rows[self.device.put(owners[part])], ts[part], details, top)
                                  for part in parts])

    def _log_probs_of_rows(self, rows, ts, *_):
        """The WordScores of targets, each predicted by its own row."""
        targets = self.device.put(np.ascontiguousarray(ts, np.int32))
        return WordScores(self.device.get(self._softmax("scores", rows, targets, len(ts))[1]))

    def _detailed_scores(self, rows, ts, details, top):
        return word_scores(self.device.get(self._scores(rows)), ts, details, top)

    def forward(self, xs, ts):  # (N, T, H), ids (N, T) -> ()
        """The mean of -ln p over the targets that count, a scalar of the device."""
        N, T, _ = self.window(xs, len(self.params[0]), "H")
        require_targets(ts, N, T)
        total = ts.size
        if total and ts.min() < 0:
            counts = ts != self.ignore_label
            require_ids(np.where(counts, ts, 0), self.params[1].size, "targets")
            total = np.count_nonzero(counts)
        else:
            require_ids(ts, self.params[1].size, "targets")
        rows = time_rows(self.device, xs)
        errors, log_probs, loss = self._softmax("errors", rows, ids_on(self.device, ts), max(int(total), 1), 1)
        self.cache = rows, errors, log_probs, (N, T)
        return loss

    def target_log_probs(self):  # -> (N, T)
        """ln p of the targets of the last forward; ignored ones mean nothing."""
        *_, log_probs, (N, T) = self.cache
        return log_probs.reshape(T, N).T

    def backward(self, dout=1):  # float -> (N, T, H)
        """The gradient of the hidden states, and those of W and b."""
        dxs = self.backward_states(dout)
        self.backward_weights()
        return dxs

    def backward_states(self, dout=1):  # float -> (N, T, H)
        """The gradient of the hidden states."""
        rows, errors, _, (N, T) = self.cache
        self.slopes = errors if dout == 1 else errors * dout
        drows = self.device.xp.empty(rows.shape, rows.dtype)
        self.device.multiply(self.slopes, self.params[0].T, drows)
        return batch_view(drows, N, T)

    def backward_weights(self):
        """The gradients of W and b."""
        rows, errors = self.cache[0], self.slopes
        dW, db = self.grads
        self.device.multiply(rows.T, errors, dW)
        column_sums(self.device, errors, db)

    def weight_work(self):
        """``backward_weights`` as a list of functions: here a single one."""
        return [self.backward_weights]

    def _scores(self, rows):
        """rows W + b (M, V)."""
        W, b = self.params
        scores = self.buffer("scores", (len(rows), b.size), W.dtype)
        affine(self.device, rows, W, b, scores)
        return scores

    def _softmax(self, name, rows, targets, total, gradient=0):
        """What the kernel makes of rows (M, H) and their targets (M,) on the device.

        Returns
        -------
        errors : (M, V), in the buffer of this name: the gradient of the scores, if it
            is wanted.
        log_probs : (M,), new memory.
        loss : (), the mean over ``total`` targets.
        """
        (W, b), M, xp = self.params, len(rows), self.device.xp
        scores = self.buffer(name, (M, b.size), W.dtype)
        self.device.multiply(rows, W, scores)
        log_probs, loss = xp.empty(M, W.dtype), xp.empty((), np.float64)
        finished = self.device.scratch("softmax_rows", 1, np.int32)
        self.device.launch(SOFTMAX_ROWS, M, THREADS, (scores, b, targets, log_probs, loss, finished, M, b.size, total,
                                                      1.0 / total, gradient))
        return scores, log_probs, loss
