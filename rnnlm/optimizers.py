"""Update rules: each takes the parameters and their gradients as two lists of arrays and steps in place.

An optimizer knows neither layers nor models. ``lr`` may be changed between steps. The memory of the rule is
``steps``, how many updates were made, and ``slots``: for each slot name a list of arrays in the order of the
parameters. With these and ``lr`` a run can be taken up again. A gradient may be a RowGradient: the result is
exactly that of the full matrix, in which all other rows are zero.

``update(params, grads, scale, workers)`` makes one step with the gradients times ``scale``, which clipping
may ask for; the workers share it out.
"""

import math

import numpy as np

from rnnlm.gradients import RowGradient
from rnnlm.workers import SERIAL, slices

BLOCK = 1 << 17  # numbers that are passed over at a time, so that all passes over them stay in the core's cache
SHARE = 1 << 19  # numbers that a thread takes at a time


class Optimizer:
    """What all rules share. Subclasses name their slots and write ``update``."""

    slot_names = ()

    def __init__(self, lr):
        self.lr = lr
        self.steps = 0
        self.slots = {}

    def prepare(self, params):
        """Make the slots, all zeros, if there are none yet."""
        if self.slots.keys() != set(self.slot_names):
            self.slots = {name: [np.zeros_like(w) for w in params] for name in self.slot_names}

    def update(self, params, grads, scale=1.0, workers=SERIAL):
        """One step, in place."""
        raise NotImplementedError


class SGD(Optimizer):
    """Stochastic gradient descent: w <- w - lr * g."""

    def update(self, params, grads, scale=1.0, workers=SERIAL):
        """One step, in place."""
        self.steps += 1
        rate = self.lr * scale

        def step(out, w, g):
            np.multiply(g, rate, out=out)
            w -= out

        dense = []
        for w, g in zip(params, grads, strict=True):
            if isinstance(g, RowGradient):
                w[g.ids] -= rate * g.values  # a row without gradient does not move
            else:
                dense.append((w, g))
        _in_blocks(workers, step, [w for w, _ in dense], [g for _, g in dense])


class Momentum(Optimizer):
    """Heavy ball: v <- momentum * v - lr * g;  w <- w + v (Polyak, 1964)."""

    slot_names = ("v",)

    def __init__(self, lr, momentum=0.9):
        super().__init__(lr)
        self.momentum = momentum

    def update(self, params, grads, scale=1.0, workers=SERIAL):
        """One step, in place."""
        self.prepare(params)
        self.steps += 1
        rate = self.lr * scale

        def step(out, w, g, v):
            v *= self.momentum
            np.multiply(g, rate, out=out)
            v -= out
            w += v

        _in_blocks(workers, step, params, grads, self.slots["v"])


class Adam(Optimizer):
    """Adam (Kingma & Ba, 2015), with bias correction at step k = 1, 2, ...:

    m <- m + (1 - beta1) (g - m);  v <- v + (1 - beta2) (g^2 - v)
    w <- w - lr * (m / (1 - beta1^k)) / (sqrt(v / (1 - beta2^k)) + eps)
    """

    slot_names = ("m", "v")

    def __init__(self, lr, beta1=0.9, beta2=0.999, eps=1e-8):
        super().__init__(lr)
        self.beta1, self.beta2, self.eps = beta1, beta2, eps

    def update(self, params, grads, scale=1.0, workers=SERIAL):
        """One step, in place."""
        self.prepare(params)
        self.steps += 1
        # Both corrections are folded into two numbers, so the arrays are passed over once less.
        root = math.sqrt(1.0 - self.beta2**self.steps)  # a Python float: NumPy's would make the arrays float64
        rate, eps = self.lr * root / (1.0 - self.beta1**self.steps), self.eps * root

        share_m, share_v = scale * (1.0 - self.beta1), scale * math.sqrt(1.0 - self.beta2)

        def step(out, w, g, m, v):
            m *= self.beta1
            np.multiply(g, share_m, out=out)
            m += out
            v *= self.beta2
            np.multiply(g, share_v, out=out)
            np.multiply(out, out, out=out)
            v += out
            np.sqrt(v, out=out)
            out += eps
            np.divide(m, out, out=out)
            out *= rate
            w -= out

        _in_blocks(workers, step, params, grads, self.slots["m"], self.slots["v"])


def _in_blocks(workers, step, params, grads, *slots):
    """step(out, w, g, ...) on blocks of every parameter, its gradient and its slots; out is an array to work in.

    Shared out to the threads. For 4 million weights on one core Adam's step takes 14 ms so; with a new array
    for each intermediate result it takes 38 ms, most of it page faults.
    """
    shares = []
    for w, g, *memory in zip(params, grads, *slots, strict=True):
        rows = isinstance(g, RowGradient)  # walked row by row and filled up with zeros; other arrays as they lie
        arrays = [w, *memory] if rows else _flat(w, g, *memory)
        width = w.shape[1] if rows else 1
        share, block = max(1, SHARE // width), max(1, BLOCK // width)
        shares += [(arrays, g if rows else None, part, block) for part in slices(len(arrays[0]), share)]

    def run(share):
        arrays, row_gradient, part, length = share
        for start in range(part.start, part.stop, length):
            block = slice(start, min(start + length, part.stop))
            w, *others = [array[block] for array in arrays]
            out, full = workers.scratch("update", (2, *w.shape), w.dtype)
            if row_gradient is not None:
                others.insert(0, row_gradient.fill(block, full))
            step(out, w, *others)

    # One array larger than a share at least: otherwise waking a thread costs more than it brings.
    (workers if len(shares) > len(params) else SERIAL).each(run, shares)


def _flat(*arrays):
    """The arrays as they lie in memory, one-dimensional views. ValueError unless they lie in the same order."""
    for order in "CF":
        if all(array.flags[f"{order}_CONTIGUOUS"] for array in arrays):
            return [array.reshape(-1, order=order) for array in arrays]
    raise ValueError("a parameter, its gradient and its slots must lie in memory in the same order, without gaps")


OPTIMIZERS = {"sgd": SGD, "momentum": Momentum, "adam": Adam}
