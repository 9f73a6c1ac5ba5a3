"""Dropout on a device, with the random bits that the host would have drawn."""

from pathlib import Path

import numpy as np

from rnnlm.compute.draws import shared_bits
from rnnlm.compute.kernel import Kernel
from rnnlm.layers.cuda.draws import bits_on
from rnnlm.layers.cuda.rows import batch_view, time_rows
from rnnlm.layers.dropout import TimeDropout, TimeWordDropout, keep_mask, threshold_of
from rnnlm.layers.weight_drop import WeightDrop

SOURCE = Path(__file__).with_name("dropout.cu")
THREADS = 256
BLOCKS = 16  # at most, for each multiprocessor


def _drop_values(x, bits, out, size, N, steps, D, stride, threshold, factor):
    kept = (bits[:, : steps * D].reshape(N, steps, D) >= threshold).swapaxes(0, 1) * x.dtype.type(factor)
    np.multiply(x.reshape(-1, N, D), kept, out=out.reshape(-1, N, D))


def _scale_rows(x, factors, out, size, D):
    np.multiply(x, factors[:, np.newaxis], out=out)


def _drop_weights(W, bits, out, size, H, width, threshold, factor):
    mask = (bits.ravel()[:size].reshape(W.shape) >= threshold) * W.dtype.type(factor)
    mask.reshape(H, -1, H)[np.arange(H), :, np.arange(H)] = 1
    np.multiply(W, mask, out=out)


DROP_VALUES = Kernel("drop_values", SOURCE, _drop_values)
SCALE_ROWS = Kernel("scale_rows", SOURCE, _scale_rows)
DROP_WEIGHTS = Kernel("drop_weights", SOURCE, _drop_weights)


def launch_each(device, kernel, size, arguments):
    """Launch a kernel whose threads go over ``size`` numbers."""
    device.launch(kernel, min(-(-size // THREADS), BLOCKS * device.processors), THREADS, arguments)


class _OnDevice:
    """The first base of dropout on a device.

    Parameters
    ----------
    ratio : the probability, from 0 to below 1.
    device : the Device of the arrays.
    options : those of the plain layer.
    """

    def __init__(self, ratio, device, **options):
        super().__init__(ratio, **options)
        self.device = device

    @property
    def xp(self):
        """The device's array module: the layer has no parameters that say it."""
        return self.device.xp


class CudaDropout(_OnDevice, TimeDropout):
    """What TimeDropout computes."""

    def forward(self, xs):  # (N, T, D) -> (N, T, D)
        """A new mask for every call in training; the input itself otherwise."""
        if not self.train or self.ratio == 0:
            self.cache = None
            return xs
        N, T, D = self.window(xs)
        steps = 1 if self.per_window else T
        bits = bits_on(self.device, self.rng, N, steps * D, self.columns, self.random_scheme)
        self.cache = bits, steps, threshold_of(self.ratio)
        return self._under_mask(xs, self.buffer("out", (T * N, D), xs.dtype))

    def backward(self, dxs):  # (N, T, D) -> (N, T, D)
        """The same mask."""
        if self.cache is None:
            return dxs
        N, T, D = dxs.shape
        return self._under_mask(dxs, self.xp.empty((T * N, D), dxs.dtype))

    def _under_mask(self, xs, out):
        (bits, steps, drop), (N, T, D) = self.cache, xs.shape
        launch_each(self.device, DROP_VALUES, out.size, (time_rows(self.device, xs), bits, out, out.size, N,
                                                         steps, D, bits.shape[1], *drop))
        return batch_view(out, N, T)


class CudaWordDropout(TimeWordDropout):
    """What TimeWordDropout computes.

    Parameters
    ----------
    embedding : a CudaEmbedding.
    ratio : the probability, from 0 to below 1.
    device : the Device of the arrays.
    options : those of TimeWordDropout.
    """

    def __init__(self, embedding, ratio, device, **options):
        super().__init__(embedding, ratio, **options)
        self.device, self._buffers = device, {}

    def forward(self, xs):  # ids (N, T) -> (N, T, D)
        """A new mask over the vocabulary for every call in training."""
        vectors = self.embedding.forward(xs)
        if not self.train or self.ratio == 0:
            self.cache = None
            return vectors
        keep = keep_mask(shared_bits(self.rng, (self.vocab_size,), self.random_scheme), self.ratio, vectors.dtype)
        self.cache = self.device.put(keep[xs.T].ravel())
        N, T, D = vectors.shape
        return self._under_mask(vectors, self.buffer("out", (T * N, D), vectors.dtype))

    def backward(self, dxs):  # (N, T, D); ids have no gradient
        """The same mask."""
        if self.cache is not None:
            N, T, D = dxs.shape
            dxs = self._under_mask(dxs, self.xp.empty((T * N, D), dxs.dtype))
        self.embedding.backward(dxs)

    def _under_mask(self, xs, out):
        N, T, D = xs.shape
        rows = time_rows(self.device, xs)
        launch_each(self.device, SCALE_ROWS, out.size, (rows, self.cache, out, out.size, D))
        return batch_view(out, N, T)


class CudaWeightDrop(_OnDevice, WeightDrop):
    """What WeightDrop computes."""

    def forward(self, Wh):  # (H, jH) -> (H, jH)
        """Wh under a new mask in training, Wh itself otherwise."""
        self.cache = None
        if not self.train or self.ratio == 0:
            return Wh
        bits = bits_on(self.device, self.rng, 1, Wh.size, None, self.random_scheme)
        self.cache = bits, threshold_of(self.ratio)
        return self._under_mask(Wh, self.buffer("Wh", Wh.shape, Wh.dtype))

    def backward(self, dWh):  # (H, jH) -> (H, jH)
        """The same mask, on the gradient in place."""
        return dWh if self.cache is None else self._under_mask(dWh, dWh)

    def _under_mask(self, W, out):
        (bits, drop), (H, width) = self.cache, W.shape
        launch_each(self.device, DROP_WEIGHTS, W.size, (W, bits, out, W.size, H, width, *drop))
        return out
