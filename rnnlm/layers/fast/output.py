"""The output layer for speed: scores, softmax and loss for a block of words at a time.

Nine tenths of the arithmetic of a small word model is here, in three products.  This
layer adds as little to them as it can.  It leaves the exponentials of row i
unnormalised, e_iv = exp(x_i W_v + b_v).  With their sum s_i, it needs no pass over
probabilities:

    -ln p_i = ln s_i - (x_i W_t + b_t)        for the target t of row i
    d_iv = e_iv - s_i [v = t]                 s_i times (probability - onehot)
    dx_i = (g_i / s_i) sum_v d_iv W_v
    dW_v = sum_i d_iv (g_i / s_i) x_i
    db_v = sum_i d_iv (g_i / s_i)

where g_i is dout / targets, or 0 for an ignored target.  d_iv is written over e_iv.

The maximum of a row's scores is subtracted first only where it must be, see
``rnnlm.layers.fast.exponentials``.
"""

from functools import partial

import numpy as np

from rnnlm.compute.threads import SERIAL, call, slices
from rnnlm.compute.word_scores import WordScores
from rnnlm.layers.base import Layer, require_ids, require_targets
from rnnlm.layers.fast.exponentials import exponentiate
from rnnlm.layers.fast.products import products_by_word
from rnnlm.layers.fast.rows import batch_view, time_rows
from rnnlm.layers.fast.word_blocks import blocks_of, keep, kept_words
from rnnlm.layers.fast.word_scores import detailed_scores, unshifted_log_probs
from rnnlm.layers.output import require_owners
from rnnlm.layers.softmax import TimeSoftmaxWithLoss

BLOCK = 1250         # words: the scores of 700 tokens for them, 3.5 MB, stay near the core that made them
LARGE = 50_000_000   # multiplications of a product from which on threads make it faster


class FastOutput(Layer):
    """What TimeAffine and TimeSoftmaxWithLoss compute.

    Parameters
    ----------
    W : (H, V), the weights, best in Fortran order.
    b : (V,), the biases.
    workers : Workers that share the blocks of the vocabulary.
    grads : [dW, db], the memory of the gradients; None: new arrays.
    """

    ignore_label = TimeSoftmaxWithLoss.ignore_label
    param_names = ("W", "b")

    def __init__(self, W, b, workers=SERIAL, *, grads=None):
        super().__init__(W, b, grads=grads)
        self.workers = workers
        self.ones = np.ones_like(b)

    @property
    def biases(self):
        """What adds to ``products_by_word``, (V,)."""
        return self.params[1]

    def scores(self, xs):  # (N, T, H) -> (N, T, V)
        """xs W + b: the scores of every word at every step."""
        N, T, _ = self.window(xs, len(self.params[0]), "H")
        rows, V = time_rows(xs), self.params[1].size
        scores = self.buffer("scores", (N * T, V), rows.dtype)
        self.workers.each(lambda words: self._scores(rows, words, scores[:, words]), self._words(N * T))
        return batch_view(scores, N, T)

    def products_by_word(self, rows):  # (n, H) -> (V, n)
        """The scores of every word for each row of states, without the biases.

        The calling thread computes alone, in memory of its own that its next call fills
        anew.
        """
        return products_by_word(rows, self.params[0], self.workers)

    def log_probs(self, xs, ts):  # (N, T, H), ids (N, T) -> (N, T)
        """ln p of every target."""
        N, T, _ = self.window(xs, len(self.params[0]), "H")
        if ts.shape != (N, T):
            require_targets(ts, N, T)
        # A validation loss is part of a run: it keeps the bits that it has always had.
        return self._softmax(time_rows(xs), self._blocks(ts.T.ravel()))[0].reshape(T, N).T

    def word_scores(self, rows, ts, details=False, top=0, owners=None):  # (R, H), ids (M,)
        """What ``TimeOutput.word_scores`` gives."""
        owners = require_owners(owners, rows, ts)
        if not details and not top:
            return WordScores(self.log_probs_of_rows(rows, ts, owners))
        require_ids(ts, self.params[1].size, "targets")
        W, b = self.params
        return detailed_scores(lambda some, out: np.matmul(some, W, out=out), b.size, rows, owners, ts, self.workers,
                               details, top, b)

    def log_probs_of_rows(self, rows, targets, owners=None):
        """ln p of the targets (M,), each predicted by its own row, or by its owner."""
        W, b = self.params
        if len(rows) * W.size >= LARGE:  # for less work it is not worth it
            require_ids(targets, b.size, "targets")
            found = unshifted_log_probs(rows, np.arange(len(rows)) if owners is None else owners, targets,
                                        self._words(len(rows)), W, b, self.workers)
            if found is not None:
                return found
        return self._softmax(rows if owners is None else rows[owners], self._blocks(targets))[0]

    def forward(self, xs, ts):  # (N, T, H), ids (N, T) -> float
        """The mean of -ln p over the targets that count, in nats."""
        N, T, _ = self.window(xs, len(self.params[0]), "H")
        if ts.shape != (N, T):
            require_targets(ts, N, T)
        rows, targets = time_rows(xs), ts.T.ravel()
        counts = targets != self.ignore_label
        all_count = counts.all()
        blocks = self._blocks(targets if all_count else np.where(counts, targets, 0))
        self._keep(blocks, len(rows))
        log_probs, sums, shift = self._softmax(rows, blocks)
        for block in blocks:
            if block.e is not None:
                block.e[block.here, block.columns] -= sums[block.here]
        # An int would make the quotient 32 bits wide: other weights after training.
        total = np.int64(max(np.count_nonzero(counts), 1))
        self.cache = rows, counts / (total * sums), blocks, sums, shift, ts.shape, log_probs
        if not all_count:
            log_probs = log_probs[counts]
        return float(-log_probs.sum(dtype=np.float64) / total)

    def target_log_probs(self):  # -> (N, T)
        """ln p of the targets of the last forward; ignored ones mean nothing."""
        *_, (N, T), log_probs = self.cache
        return log_probs.reshape(T, N).T

    def backward(self, dout=1):  # float -> (N, T, H)
        """The gradient of the hidden states, and those of W and b."""
        dxs = self.backward_states(dout)
        self.backward_weights()
        return dxs

    def backward_states(self, dout=1):  # float -> (N, T, H)
        """The gradient of the hidden states.

        Where exponentials were not kept, they are computed again, once; so the
        gradients of these words' W and b are filled here, too.
        """
        rows, scale, blocks, _, _, (N, T), _ = self.cache
        W, _ = self.params
        scale = (dout * scale).astype(rows.dtype)  # g / s above
        self.slopes = scale, rows * scale[:, np.newaxis]
        groups = slices(len(blocks), -(-len(blocks) // (2 * self.workers.threads)))
        sums = np.empty((len(groups), *rows.shape), rows.dtype)  # of d_iv W_v over the words of a group

        def inputs(i):
            for k, block in enumerate(blocks[groups[i]]):
                d = self._errors(block)
                out = sums[i] if k == 0 else self.workers.scratch("sum", rows.shape, rows.dtype)
                np.matmul(d, W[:, block.words].T, out=out)
                if k > 0:
                    sums[i] += out
                if block.e is None:
                    self._weights(block, d)

        self.workers.each(inputs, range(len(groups)))
        drows = sums.sum(axis=0)
        drows *= scale[:, np.newaxis]
        return batch_view(drows, N, T)

    def backward_weights(self):
        """The gradients of W and b."""
        self.workers.each(call, self.weight_work())

    def weight_work(self):
        """``backward_weights`` in pieces, which write into memory of their own."""
        return [partial(self._weights, block, block.e) for block in self.cache[2] if block.e is not None]

    def _weights(self, block, d):
        """The gradients of a block's words, from d_iv (M, words)."""
        scale, scaled = self.slopes
        dW, db = self.grads
        np.matmul(d.T, scaled, out=dW.T[block.words])
        np.matmul(scale, d, out=db[block.words])

    def _blocks(self, targets):
        """The vocabulary in blocks, for these targets (M,)."""
        V = self.params[1].size
        require_ids(targets, V, "targets")
        return blocks_of(targets, self._words(len(targets)))

    def _keep(self, blocks, M):
        """Give memory to as many blocks as may be kept."""
        if words := kept_words(blocks, M):
            keep(blocks, M, self.buffer("exps", (M * words,), self.params[0].dtype))

    def _softmax(self, rows, blocks):
        """What ``exponentiate`` returns for the blocks of this layer."""
        return exponentiate(rows, blocks, self._shifted_scores, self.ones, self.workers)

    def _errors(self, block):
        """e_iv - s_i [v = t] (M, words): kept, or computed again."""
        if block.e is not None:
            return block.e
        rows, _, _, sums, shift, *_ = self.cache
        e = self._shifted_scores(rows, block, shift)
        np.exp(e, out=e)
        e[block.here, block.columns] -= sums[block.here]
        return e

    def _shifted_scores(self, rows, block, shift):
        """rows W + b - shift (M, words), in memory of the block or of this thread."""
        e = block.e
        if e is None:
            words = block.words.stop - block.words.start
            e = self.workers.scratch("scores", (len(rows), words), rows.dtype)
        self._scores(rows, block.words, e)
        if shift is not None:
            e -= shift[:, np.newaxis]
        return e

    def _scores(self, rows, words, out):
        W, b = self.params
        np.matmul(rows, W[:, words], out=out)
        out += b[words]

    def _words(self, M):
        """The vocabulary in slices; a single one where M rows are little work."""
        W, b = self.params
        return slices(b.size, min(BLOCK, -(-b.size // self.workers.threads)) if M * W.size >= LARGE else b.size)
