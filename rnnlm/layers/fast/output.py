"""The output layer for speed: scores, softmax and loss in one walk over blocks of the vocabulary.

Nine tenths of the arithmetic of a small word model is here, in three products; this layer adds as little
to them as it can.  With the exponentials of row i left unnormalised, e_iv = exp(x_i W_v + b_v), and their
sum s_i, no pass over probabilities is needed:

    -ln p_i = ln s_i - (x_i W_t + b_t)  for the target t of row i
    d_iv = e_iv - s_i [v = t]           s_i times (probability - onehot), written over e_iv
    dx_i = (g_i / s_i) sum_v d_iv W_v,    dW_v = sum_i d_iv (g_i / s_i) x_i,    db_v = sum_i d_iv (g_i / s_i)

where g_i is dout / targets, or 0 for an ignored target.  The maximum of a row's scores, which softmax
usually takes out first, costs a pass as well: only where a sum overflows or comes near zero, all is done
again with it.
"""

import numpy as np

from rnnlm.layers.base import Layer
from rnnlm.layers.fast.rows import batch_view, time_rows
from rnnlm.layers.softmax import TimeSoftmaxWithLoss
from rnnlm.workers import SERIAL, slices

BLOCK = 1250         # words: the scores of 700 tokens for them, 3.5 MB, stay near the core that made them
LARGE = 50_000_000   # multiplications of a product from which on sharing it out pays
LARGEST_SUM = 1e30   # sums beyond this or below its inverse are computed again with the maximum taken out


class FastOutput(Layer):
    """What TimeAffine and TimeSoftmaxWithLoss compute.  W (H, V), best in Fortran order; b (V,)."""

    ignore_label = TimeSoftmaxWithLoss.ignore_label

    def __init__(self, W, b, workers=SERIAL):
        super().__init__(W, b)
        self.workers = workers
        self.ones = np.ones_like(b)

    def scores(self, xs):  # (N, T, H) -> (N, T, V)
        """xs W + b: the scores of every word at every step."""
        N, T, _ = xs.shape
        rows, V = time_rows(xs), self.params[1].size
        self.cache = None  # its memory is used here
        scores = self.buffer("exps", (N * T, V), rows.dtype)
        self.workers.each(lambda words: self._scores(rows, words, scores[:, words]), self._blocks(N * T))
        return batch_view(scores, N, T)

    def log_probs(self, xs, ts):  # (N, T, H), ids (N, T) -> (N, T)
        """ln p of every target."""
        N, T = ts.shape
        log_probs, *_ = self._softmax(time_rows(xs), self._targets(ts.T.ravel()))
        return log_probs.reshape(T, N).T

    def forward(self, xs, ts):  # (N, T, H), ids (N, T) -> float
        """The mean of -ln p over the targets that count, in nats."""
        rows, ts_of_rows = time_rows(xs), ts.T.ravel()
        counts = ts_of_rows != self.ignore_label
        targets = self._targets(ts_of_rows if counts.all() else np.where(counts, ts_of_rows, 0))
        log_probs, errors, sums = self._softmax(rows, targets)
        for (_, e), (here, columns) in zip(errors, targets, strict=True):
            e[here, columns] -= sums[here]
        total = max(np.count_nonzero(counts), 1)
        self.cache = rows, counts / (total * sums), errors, ts.shape
        return float(-log_probs[counts].sum(dtype=np.float64) / total)

    def backward(self, dout=1, meanwhile=None):  # float -> (N, T, H)
        """The gradient of the hidden states, and those of W and b.

        meanwhile(dxs), if given, is called as soon as dxs is there: the other threads compute the
        gradients of W and b during it.
        """
        rows, scale, errors, (N, T) = self.cache
        dW, db = self.grads
        scale = (dout * scale).astype(rows.dtype)  # g / s above
        drows = self._product_with_words(errors)
        drows *= scale[:, np.newaxis]
        dxs = batch_view(drows, N, T)
        scaled = rows * scale[:, np.newaxis]

        def weights(block):
            words, d = block
            np.matmul(d.T, scaled, out=dW.T[words])
            np.matmul(scale, d, out=db[words])

        self.workers.each(weights, errors, meanwhile and (lambda: meanwhile(dxs)))
        return dxs

    def _targets(self, ts):
        """For each block of words the rows whose target is in it, and its column there."""
        blocks = self._blocks(len(ts))
        if len(blocks) == 1:
            return [(np.arange(len(ts)), ts)]
        rows = [np.flatnonzero((ts >= words.start) & (ts < words.stop)) for words in blocks]
        return [(here, ts[here] - words.start) for here, words in zip(rows, blocks, strict=True)]

    def _softmax(self, rows, targets):
        """ln p of the targets (M,), the exponentials as pairs (words, (M, words)), and their sums (M,)."""
        log_probs, exps, sums = self._exps(rows, targets)
        if not (sums.min() > 1 / LARGEST_SUM and sums.max() < LARGEST_SUM):  # not a number is caught, too
            log_probs, exps, sums = self._exps(rows, targets, self._maxima(rows))
        return log_probs, exps, sums

    def _exps(self, rows, targets, shift=None):
        """The same, with exp(rows W + b - shift)."""
        M, V = len(rows), self.params[1].size
        self.cache = None
        memory = self.buffer("exps", (M * V,), rows.dtype)
        exps = [(words, memory[M * words.start : M * words.stop].reshape(M, -1)) for words in self._blocks(M)]
        picked = np.empty(M, rows.dtype)
        sums = np.empty((len(exps), M), rows.dtype)

        def fill(i):
            words, e = exps[i]
            self._scores(rows, words, e)
            if shift is not None:
                e -= shift[:, np.newaxis]
            here, columns = targets[i]
            picked[here] = e[here, columns]
            np.exp(e, out=e)
            np.matmul(e, self.ones[words], out=sums[i])  # half the time of e.sum(axis=1)

        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # the caller looks at the sums
            self.workers.each(fill, range(len(exps)))
            sums = sums.sum(axis=0)
            return picked - np.log(sums), exps, sums

    def _scores(self, rows, words, out):
        W, b = self.params
        np.matmul(rows, W[:, words], out=out)
        out += b[words]

    def _maxima(self, rows):
        """The largest score of each row (M,)."""
        blocks = self._blocks(len(rows))
        maxima = np.empty((len(blocks), len(rows)), rows.dtype)
        W, b = self.params

        def fill(i):
            np.max(rows @ W[:, blocks[i]] + b[blocks[i]], axis=1, out=maxima[i])

        self.workers.each(fill, range(len(blocks)))
        return maxima.max(axis=0)

    def _product_with_words(self, errors):
        """sum_v d_iv W_v: (M, H)."""
        W, _ = self.params
        groups = slices(len(errors), -(-len(errors) // (2 * self.workers.threads)))
        sums = np.empty((len(groups), len(errors[0][1]), len(W)), W.dtype)

        def fill(i):
            first, *others = errors[groups[i]]
            np.matmul(first[1], W[:, first[0]].T, out=sums[i])
            for words, d in others:
                sums[i] += np.matmul(d, W[:, words].T, out=self.workers.scratch(sums[i].shape, W.dtype))

        self.workers.each(fill, range(len(groups)))
        return sums.sum(axis=0)

    def _blocks(self, M):
        """The vocabulary in slices, one alone where the work is small."""
        W, b = self.params
        return slices(b.size, min(BLOCK, -(-b.size // self.workers.threads)) if M * W.size >= LARGE else b.size)
