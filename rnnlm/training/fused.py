"""An update rule as numbers, for a kernel that makes a whole step in one pass."""

from __future__ import annotations

from typing import NamedTuple

from rnnlm.compute.update_kernels import MOMENTS, MOMENTUM, PLAIN, ROOT

__all__ = ["MOMENTS", "MOMENTUM", "PLAIN", "ROOT", "Fused"]


class Fused(NamedTuple):
    """The numbers of a rule for one step.  g is the gradient, c its factor by clipping.

    PLAIN    w <- w - step c g
    MOMENTUM v <- keep_first v - step c g;  w <- w + v
    ROOT     s <- keep_first s + (new_first c g)^2;  w <- w - step c g / (sqrt(s) + eps)
    MOMENTS  m <- keep_first m + new_first c g;  v <- keep_second v + (new_second c g)^2
             w <- w - step m / (sqrt(v) + eps)

    In the kernel ``step`` is multiplied by the parameter's rate.
    """

    kind: int
    step: float
    keep_first: float = 0.0
    new_first: float = 0.0
    keep_second: float = 0.0
    new_second: float = 0.0
    eps: float = 0.0
