"""The size of all gradients together, and the clip that keeps one step from being too long."""

import math

import numpy as np


def global_norm(grads):
    """L2 norm of all arrays as if they were one vector: sqrt(sum of squares). A float; nan or inf pass through."""
    # np.dot makes no temporary and is four times as fast as (g ** 2).sum()
    return math.sqrt(sum(float(np.dot(g.ravel(), g.ravel())) for g in grads))


def clip_by_global_norm(grads, max_norm):
    """Scale all grads in place so that their global norm is at most max_norm (Pascanu et al., 2013).

    Returns the norm before clipping. A norm that is not finite is returned and nothing is scaled.
    max_norm = inf never clips.
    """
    norm = global_norm(grads)
    if max_norm < norm < math.inf:
        for g in grads:
            g *= max_norm / norm
    return norm
