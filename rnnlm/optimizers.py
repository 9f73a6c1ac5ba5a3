"""Update rules: each takes the parameters and their gradients as two lists of arrays and steps in place.

An optimizer knows neither layers nor models. ``lr`` may be changed between steps. The memory of the rule is
``steps``, how many updates were made, and ``slots``: for each slot name a list of arrays in the order of the
parameters. With these and ``lr`` a run can be taken up again. A gradient may be a RowGradient: the result is
exactly that of the full matrix, in which all other rows are zero.

``update(params, grads, scale, workers)`` makes one step with the gradients times ``scale``, which clipping
may ask for; the workers share it out. In the rules below g is that product, lr the rate of the parameter:
the optimizer's times the parameter's own ``factor``.
"""

import math

import numpy as np

from rnnlm.gradients import RowGradient
from rnnlm.workers import SERIAL, slices

BLOCK = 1 << 17  # numbers that are passed over at a time, so that all passes over them stay in the core's cache
SHARE = 1 << 19  # numbers that a thread takes at a time


class Optimizer:
    """What all rules share. Subclasses name their slots and write ``rule``.

    factors, decays: for each parameter what its rate is multiplied by, and its weight decay; () for 1 and
    ``weight_decay`` throughout.  Weight decay is decoupled from the rule (Loshchilov & Hutter, 2019): first
    w <- w - lr * decay * w.
    """

    slot_names = ()
    weight_decay = 0.0
    moves_only_by_gradient = False  # a weight without gradient stays where it is, and so do its slots

    def __init__(self, lr, factors=(), decays=()):
        self.lr, self.factors, self.decays = lr, factors, decays
        self.steps = 0
        self.slots = {}

    def prepare(self, params):
        """Make the slots, all zeros, if there are none yet."""
        if self.slots.keys() != set(self.slot_names):
            self.slots = {name: [np.zeros_like(w) for w in params] for name in self.slot_names}

    def rule(self, scale):
        """The rule of this step: a function (out, rate, w, g, *slots) that changes w and the slots in place.

        All are arrays of one shape but the rate; out is memory to work in; g is to be multiplied by scale.
        """
        raise NotImplementedError

    def update(self, params, grads, scale=1.0, workers=SERIAL):
        """One step, in place."""
        self.prepare(params)
        self.steps += 1
        rule, shares = self.rule(scale), []
        factors, decays = self.factors or [1.0] * len(params), self.decays or [self.weight_decay] * len(params)
        slots = zip(*(self.slots[name] for name in self.slot_names), strict=True) if self.slot_names else (
            () for _ in params)
        for w, g, memory, factor, decay in zip(params, grads, slots, factors, decays, strict=True):
            rate = self.lr * factor
            if isinstance(g, RowGradient) and self.moves_only_by_gradient and not decay:
                rows = [array[g.ids] for array in (w, *memory)]
                rule(np.empty_like(rows[0]), rate, rows[0], g.values, *rows[1:])
                for array, values in zip((w, *memory), rows, strict=True):
                    array[g.ids] = values
            else:
                shares += _shares(rate, 1.0 - rate * decay, w, g, memory)
        # One array larger than a share at least: otherwise waking a thread costs more than it brings.
        (workers if len(shares) > len(params) else SERIAL).each(lambda share: share.step(rule, workers), shares)


class SGD(Optimizer):
    """Stochastic gradient descent: w <- w - lr * g."""

    moves_only_by_gradient = True

    def rule(self, scale):
        """w <- w - lr * g."""

        def step(out, rate, w, g):
            np.multiply(g, rate * scale, out=out)
            w -= out

        return step


class Momentum(Optimizer):
    """Heavy ball: v <- momentum * v - lr * g;  w <- w + v (Polyak, 1964)."""

    slot_names = ("v",)

    def __init__(self, lr, momentum=0.9, **options):
        super().__init__(lr, **options)
        self.momentum = momentum

    def rule(self, scale):
        """v <- momentum * v - lr * g;  w <- w + v."""

        def step(out, rate, w, g, v):
            v *= self.momentum
            np.multiply(g, rate * scale, out=out)
            v -= out
            w += v

        return step


class AdaGrad(Optimizer):
    """AdaGrad (Duchi et al., 2011): s <- s + g^2;  w <- w - lr * g / (sqrt(s) + eps)."""

    slot_names = ("s",)
    moves_only_by_gradient = True

    def __init__(self, lr, eps=1e-10, **options):
        super().__init__(lr, **options)
        self.eps = eps

    def rule(self, scale):
        """s <- s + g^2;  w <- w - lr * g / (sqrt(s) + eps)."""

        def step(out, rate, w, g, s):
            np.multiply(g, scale, out=out)
            np.multiply(out, out, out=out)
            s += out
            _divide_by_root(out, rate * scale, w, g, s, self.eps)

        return step


class RMSprop(Optimizer):
    """RMSprop (Tieleman & Hinton, 2012): s <- decay * s + (1 - decay) * g^2;  w <- w - lr * g / (sqrt(s) + eps)."""

    slot_names = ("s",)

    def __init__(self, lr, decay=0.99, eps=1e-8, **options):
        super().__init__(lr, **options)
        self.decay, self.eps = decay, eps

    def rule(self, scale):
        """s <- decay * s + (1 - decay) * g^2;  w <- w - lr * g / (sqrt(s) + eps)."""
        share = scale * math.sqrt(1.0 - self.decay)

        def step(out, rate, w, g, s):
            s *= self.decay
            np.multiply(g, share, out=out)
            np.multiply(out, out, out=out)
            s += out
            _divide_by_root(out, rate * scale, w, g, s, self.eps)

        return step


def _divide_by_root(out, rate, w, g, s, eps):
    """w <- w - rate * g / (sqrt(s) + eps)."""
    np.sqrt(s, out=out)
    out += eps
    np.divide(g, out, out=out)
    out *= rate
    w -= out


class Adam(Optimizer):
    """Adam (Kingma & Ba, 2015), with bias correction at step k = 1, 2, ...:

    m <- m + (1 - beta1) (g - m);  v <- v + (1 - beta2) (g^2 - v)
    w <- w - lr * (m / (1 - beta1^k)) / (sqrt(v / (1 - beta2^k)) + eps)
    """

    slot_names = ("m", "v")

    def __init__(self, lr, beta1=0.9, beta2=0.999, eps=1e-8, **options):
        super().__init__(lr, **options)
        self.beta1, self.beta2, self.eps = beta1, beta2, eps

    def rule(self, scale):
        """One step of Adam."""
        # Both corrections are folded into two numbers, so the arrays are passed over once less.
        root = math.sqrt(1.0 - self.beta2**self.steps)  # a Python float: NumPy's would make the arrays float64
        correction, eps = root / (1.0 - self.beta1**self.steps), self.eps * root
        share_m, share_v = scale * (1.0 - self.beta1), scale * math.sqrt(1.0 - self.beta2)

        def step(out, rate, w, g, m, v):
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
            out *= rate * correction
            w -= out

        return step


class AdamW(Adam):
    """Adam with weight decay, 0.01 unless ``decays`` says otherwise (Loshchilov & Hutter, 2019)."""

    weight_decay = 0.01


class _Share:
    """A part of one parameter, walked in blocks whose passes stay in the core's cache.

    For 4 million weights on one core Adam's step takes 14 ms so; with a new array for each intermediate result
    it takes 38 ms, most of it page faults.
    """

    def __init__(self, rate, kept, arrays, row_gradient, part, block):
        self.rate, self.kept, self.arrays, self.row_gradient = rate, kept, arrays, row_gradient
        self.part, self.block = part, block

    def step(self, rule, workers):
        """Apply the rule, after the weight decay."""
        for start in range(self.part.start, self.part.stop, self.block):
            block = slice(start, min(start + self.block, self.part.stop))
            w, *others = [array[block] for array in self.arrays]
            out, full = workers.scratch("update", (2, *w.shape), w.dtype)
            if self.row_gradient is not None:
                others.insert(0, self.row_gradient.fill(block, full))
            if self.kept != 1.0:
                w *= self.kept
            rule(out, self.rate, w, *others)


def _shares(rate, kept, w, g, memory):
    """One parameter, its gradient and its slots in parts for the threads.  kept: what weight decay leaves of w."""
    rows = isinstance(g, RowGradient)  # walked row by row and filled up with zeros; other arrays as they lie
    arrays = [w, *memory] if rows else _flat(w, g, *memory)
    width = w.shape[1] if rows else 1
    share, block = max(1, SHARE // width), max(1, BLOCK // width)
    return [_Share(rate, kept, arrays, g if rows else None, part, block) for part in slices(len(arrays[0]), share)]


def _flat(*arrays):
    """The arrays as they lie in memory, one-dimensional views. ValueError unless they lie in the same order."""
    for order in "CF":
        if all(array.flags[f"{order}_CONTIGUOUS"] for array in arrays):
            return [array.reshape(-1, order=order) for array in arrays]
    raise ValueError("a parameter, its gradient and its slots must lie in memory in the same order, without gaps")


OPTIMIZERS = {"sgd": SGD, "momentum": Momentum, "adagrad": AdaGrad, "rmsprop": RMSprop, "adam": Adam,
              "adamw": AdamW}
