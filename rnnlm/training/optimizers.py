"""Update rules: SGD, momentum, AdaGrad, RMSprop, Adam, AdamW.

In the rules g is the gradient times ``scale``, which clipping may ask for.  lr is the
rate of the parameter: the optimizer's times the parameter's own ``factor``.  A new rule
is a class here and a row of ``OPTIMIZERS``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnlm.compute import arguments
from rnnlm.training.fused import MOMENTS, MOMENTUM, PLAIN, ROOT, Fused
from rnnlm.training.missed_steps import Idle
from rnnlm.training.optimizer import Optimizer

if TYPE_CHECKING:
    from collections.abc import Callable


class SGD(Optimizer):
    """Stochastic gradient descent: w <- w - lr * g."""

    default_lr = 1.0
    moves_only_by_gradient = True

    def rule(self, scale: float) -> Callable[..., None]:
        """w <- w - lr * g."""

        def step(out, rate, w, g):
            np.multiply(g, rate * scale, out=out)
            w -= out

        return step

    def fused(self, scale: float) -> Fused:
        """``rule`` as numbers."""
        return Fused(PLAIN, scale)

    def idle(self) -> Idle:
        """Nothing happens."""
        return Idle()


class Momentum(Optimizer):
    """Heavy ball: v <- momentum * v - lr * g;  w <- w + v (Polyak, 1964)."""

    default_lr = 0.1
    slot_names = ("v",)

    def __init__(self, lr: float, momentum: float = 0.9, **options: Any) -> None:
        super().__init__(lr, **options)
        self.momentum = arguments.share("momentum", momentum)

    def rule(self, scale: float) -> Callable[..., None]:
        """v <- momentum * v - lr * g;  w <- w + v."""

        def step(out, rate, w, g, v):
            v *= self.momentum
            np.multiply(g, rate * scale, out=out)
            v -= out
            w += v

        return step

    def fused(self, scale: float) -> Fused:
        """``rule`` as numbers."""
        return Fused(MOMENTUM, scale, self.momentum)

    def idle(self) -> Idle:
        """v <- momentum * v;  w <- w + v."""
        return Idle((self.momentum,), mover=0)

    def idle_moves(self, steps: np.ndarray, rates: np.ndarray) -> tuple[np.ndarray, None]:
        """v holds the rates already."""
        return np.full_like(rates, -1.0), None


class AdaGrad(Optimizer):
    """AdaGrad (Duchi et al., 2011).

    s <- s + g^2;  w <- w - lr * g / (sqrt(s) + eps)
    """

    default_lr = 0.05
    slot_names = ("s",)
    moves_only_by_gradient = True

    def __init__(self, lr: float, eps: float = 1e-10, **options: Any) -> None:
        super().__init__(lr, **options)
        self.eps = _eps(eps)

    def rule(self, scale: float) -> Callable[..., None]:
        """s <- s + g^2;  w <- w - lr * g / (sqrt(s) + eps)."""

        def step(out, rate, w, g, s):
            np.multiply(g, scale, out=out)
            np.multiply(out, out, out=out)
            s += out
            _divide_by_root(out, rate * scale, w, g, s, self.eps)

        return step

    def fused(self, scale: float) -> Fused:
        """``rule`` as numbers."""
        return Fused(ROOT, scale, 1.0, scale, eps=self.eps)

    def idle(self) -> Idle:
        """Nothing happens."""
        return Idle((1.0,))


class RMSprop(Optimizer):
    """RMSprop (Tieleman & Hinton, 2012).

    s <- alpha * s + (1 - alpha) * g^2;  w <- w - lr * g / (sqrt(s) + eps)
    """

    default_lr = 0.001
    slot_names = ("s",)

    def __init__(self, lr: float, alpha: float = 0.99, eps: float = 1e-8, **options: Any) -> None:
        super().__init__(lr, **options)
        self.alpha, self.eps = arguments.share("alpha", alpha), _eps(eps)

    def rule(self, scale: float) -> Callable[..., None]:
        """s <- alpha * s + (1 - alpha) * g^2;  w <- w - lr * g / (sqrt(s) + eps)."""
        new = scale * math.sqrt(1.0 - self.alpha)  # the factor of the new gradient, before it is squared

        def step(out, rate, w, g, s):
            s *= self.alpha
            np.multiply(g, new, out=out)
            np.multiply(out, out, out=out)
            s += out
            _divide_by_root(out, rate * scale, w, g, s, self.eps)

        return step

    def fused(self, scale: float) -> Fused:
        """``rule`` as numbers."""
        return Fused(ROOT, scale, self.alpha, scale * math.sqrt(1.0 - self.alpha), eps=self.eps)

    def idle(self) -> Idle:
        """s <- alpha * s."""
        return Idle((self.alpha,))


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

    default_lr = 0.002
    slot_names = ("m", "v")

    def __init__(self, lr: float, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8,
                 **options: Any) -> None:
        super().__init__(lr, **options)
        self.beta1, self.beta2 = arguments.share("beta1", beta1), arguments.share("beta2", beta2)
        self.eps = _eps(eps)

    def rule(self, scale: float) -> Callable[..., None]:
        """One step of Adam."""
        _, correction, _, new_m, _, new_v, eps = self.fused(scale)

        def step(out, rate, w, g, m, v):
            m *= self.beta1
            np.multiply(g, new_m, out=out)
            m += out
            v *= self.beta2
            np.multiply(g, new_v, out=out)
            np.multiply(out, out, out=out)
            v += out
            np.sqrt(v, out=out)
            out += eps
            np.divide(m, out, out=out)
            out *= rate * correction
            w -= out

        return step

    def fused(self, scale: float) -> Fused:
        """``rule`` as numbers."""
        # Both corrections are folded into two numbers, which saves one pass over the
        # arrays.
        root = math.sqrt(1.0 - self.beta2**self.steps)  # a Python float: NumPy's would make the arrays float64
        return Fused(MOMENTS, root / (1.0 - self.beta1**self.steps), self.beta1, scale * (1.0 - self.beta1),
                     self.beta2, scale * math.sqrt(1.0 - self.beta2), self.eps * root)

    def idle(self) -> Idle:
        """The means fade, and the weight follows them."""
        return Idle((self.beta1, self.beta2), mover=0, rooted=1)

    def idle_moves(self, steps: np.ndarray, rates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both corrections, as the rule has them."""
        roots = np.sqrt(_less_power(self.beta2, steps))
        return rates * roots / _less_power(self.beta1, steps), self.eps * roots


def _less_power(beta, steps):
    """1 - beta^k for each k: NumPy's expm1 takes a tenth of the time of its powers."""
    return -np.expm1(steps * (math.log(beta) if beta else -math.inf))


class AdamW(Adam):
    """Adam with weight decay, 0.01 if not by ``decays`` (Loshchilov & Hutter, 2019)."""

    weight_decay = 0.01


OPTIMIZERS = {"sgd": SGD, "momentum": Momentum, "adagrad": AdaGrad, "rmsprop": RMSprop, "adam": Adam,
              "adamw": AdamW}
