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

from rnnlm.compute import arguments
from rnnlm.compute.functions import writable
from rnnlm.compute.row_gradient import RowGradient
from rnnlm.compute.threads import SERIAL
from rnnlm.training.blocks import in_shares
from rnnlm.training.parts import name_misfit


class Optimizer:
    """What all rules share. Subclasses name their slots and write ``rule``.

    factors, decays: for each parameter what its rate is multiplied by, and its weight decay, a number or an array
    of the parameter's shape; () for 1 and ``weight_decay`` throughout.  Weight decay is decoupled from the rule
    (Loshchilov & Hutter, 2019): first w <- w - lr * decay * w.
    """

    slot_names = ()
    weight_decay = 0.0
    usual_lr = 0.001  # of ``rnnlm train``; a rule says its own
    moves_only_by_gradient = False  # a weight without gradient stays where it is, and so do its slots

    def __init__(self, lr, factors=(), decays=()):
        self.lr = arguments.not_negative("lr", lr)
        self.factors = arguments.kind("factors", factors, list | tuple, "a list of numbers")
        self.decays = arguments.kind("decays", decays, list | tuple, "a list of numbers and arrays")
        self.steps = 0
        self.slots = {}

    def prepare(self, params):
        """Make the slots, all zeros, if there are none yet."""
        if self.slots.keys() != set(self.slot_names):
            self.slots = {name: [np.zeros_like(w) for w in params] for name in self.slot_names}

    def _fits(self, params, grads):
        """Whether each parameter has a gradient of its shape, and whatever else there is for each."""
        try:
            return ([w.shape for w in params if isinstance(w, np.ndarray)] == [g.shape for g in grads]
                    and len(self.factors) in (0, len(params)) and len(self.decays) in (0, len(params)))
        except (AttributeError, TypeError):
            return False

    def __setstate__(self, state):
        vars(self).update(state)
        self.slots = {name: list(map(writable, arrays)) for name, arrays in self.slots.items()}

    def rule(self, scale):
        """The rule of this step: a function (out, rate, w, g, *slots) that changes w and the slots in place.

        All are arrays of one shape but the rate; out is memory to work in; g is to be multiplied by scale.
        """
        raise NotImplementedError

    def update(self, params, grads=None, scale=1.0, workers=SERIAL):
        """One step, in place; params alone is a layer, whose params and grads are meant: it is returned."""
        if grads is None and hasattr(params, "params"):
            self.update(params.params, params.grads, scale, workers)
            return params
        if not self._fits(params, grads):
            name_misfit(params, grads, self.factors, self.decays)
        self.prepare(params)
        self.steps += 1
        rule, shares = self.rule(scale), []
        factors, decays = self.factors or [1.0] * len(params), self.decays or [self.weight_decay] * len(params)
        slots = zip(*(self.slots[name] for name in self.slot_names), strict=True) if self.slot_names else (
            () for _ in params)
        for w, g, memory, factor, decay in zip(params, grads, slots, factors, decays, strict=True):
            rate = self.lr * factor
            if isinstance(g, RowGradient) and self.moves_only_by_gradient and not np.any(decay):
                rows = [array[g.ids] for array in (w, *memory)]
                rule(np.empty_like(rows[0]), rate, rows[0], g.values, *rows[1:])
                for array, values in zip((w, *memory), rows, strict=True):
                    array[g.ids] = values
            else:
                shares += in_shares(rate, decay, w, g, memory)
        # One array larger than a share at least: otherwise waking a thread costs more than it brings.
        (workers if len(shares) > len(params) else SERIAL).each(lambda share: share.step(rule, workers), shares)


class SGD(Optimizer):
    """Stochastic gradient descent: w <- w - lr * g."""

    usual_lr = 1.0
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
    usual_lr = 0.1

    def __init__(self, lr, momentum=0.9, **options):
        super().__init__(lr, **options)
        self.momentum = arguments.share("momentum", momentum)

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
    usual_lr = 0.05
    moves_only_by_gradient = True

    def __init__(self, lr, eps=1e-10, **options):
        super().__init__(lr, **options)
        self.eps = _eps(eps)

    def rule(self, scale):
        """s <- s + g^2;  w <- w - lr * g / (sqrt(s) + eps)."""

        def step(out, rate, w, g, s):
            np.multiply(g, scale, out=out)
            np.multiply(out, out, out=out)
            s += out
            _divide_by_root(out, rate * scale, w, g, s, self.eps)

        return step


class RMSprop(Optimizer):
    """RMSprop (Tieleman & Hinton, 2012): s <- alpha * s + (1 - alpha) * g^2;  w <- w - lr * g / (sqrt(s) + eps)."""

    slot_names = ("s",)

    def __init__(self, lr, alpha=0.99, eps=1e-8, **options):
        super().__init__(lr, **options)
        self.alpha, self.eps = arguments.share("alpha", alpha), _eps(eps)

    def rule(self, scale):
        """s <- alpha * s + (1 - alpha) * g^2;  w <- w - lr * g / (sqrt(s) + eps)."""
        share = scale * math.sqrt(1.0 - self.alpha)

        def step(out, rate, w, g, s):
            s *= self.alpha
            np.multiply(g, share, out=out)
            np.multiply(out, out, out=out)
            s += out
            _divide_by_root(out, rate * scale, w, g, s, self.eps)

        return step


def _eps(eps):
    return arguments.number("eps", eps, "of at least 1e-30", lambda x: x >= 1e-30)  # in float32 less comes near 0


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
    usual_lr = 0.002

    def __init__(self, lr, beta1=0.9, beta2=0.999, eps=1e-8, **options):
        super().__init__(lr, **options)
        self.beta1, self.beta2 = arguments.share("beta1", beta1), arguments.share("beta2", beta2)
        self.eps = _eps(eps)

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


OPTIMIZERS = {"sgd": SGD, "momentum": Momentum, "adagrad": AdaGrad, "rmsprop": RMSprop, "adam": Adam,
              "adamw": AdamW}
