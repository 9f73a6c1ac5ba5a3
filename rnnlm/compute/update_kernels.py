"""The kernels of a training step's last part: norm, update, average of arrays."""

import math
from pathlib import Path

import numpy as np

from rnnlm.compute.kernel import Kernel

SOURCE = Path(__file__).with_name("update.cu")
THREADS = 256
PLAIN, MOMENTUM, ROOT, MOMENTS = range(4)  # the rules that the kernel knows


def _update(w, g, first, second, decays, norm, loss, size, rule, has_decays, clips, limit, keep, rate, step,
            keep_first, new_first, keep_second, new_second, eps):
    scale = 1.0
    if clips:
        length = float(norm)
        if not (math.isfinite(length) and math.isfinite(loss)):
            return
        scale = limit / length if length > limit else 1.0
    if has_decays:
        w -= decays * w * rate
    else:
        w *= keep
    if rule == PLAIN:
        w -= g * (step * scale)
    elif rule == MOMENTUM:
        first *= keep_first
        first -= g * (step * scale)
        w += first
    elif rule == ROOT:
        first *= keep_first
        first += (g * (new_first * scale)) ** 2
        w -= g / (np.sqrt(first) + eps) * (step * scale)
    else:
        first *= keep_first
        first += g * (new_first * scale)
        second *= keep_second
        second += (g * (new_second * scale)) ** 2
        w -= first / (np.sqrt(second) + eps) * step


def _norm_of_all(a, b, c, d, partial, finished, norm, size_a, size_b, size_c, size_d, continues):
    flat = [x.reshape(-1, order="A")[:size] for x, size in ((a, size_a), (b, size_b), (c, size_c), (d, size_d))]
    norm[1] = (norm[1] if continues else 0) + sum(np.square(x, dtype=np.float64).sum() for x in flat)
    norm[0] = np.sqrt(norm[1])


def _average(w, a, size, weight):
    a[...] = w if weight == 1 else a + a.dtype.type(weight) * (w - a)


def _exchange(w, a, size):
    w[...], a[...] = a.copy(), w.copy()


UPDATE = Kernel("update", SOURCE, _update)
NORM_OF_ALL = Kernel("norm_of_all", SOURCE, _norm_of_all)
AVERAGE = Kernel("average", SOURCE, _average)
EXCHANGE = Kernel("exchange", SOURCE, _exchange)
