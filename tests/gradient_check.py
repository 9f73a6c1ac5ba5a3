"""The check of every backward pass: against central differences, in float64."""

import numpy as np


def check_gradient(loss, arrays, grads, rng, eps=1e-6, rtol=1e-6):
    """Assert that grads match central differences of loss() in random directions."""
    for array, grad in zip(arrays, grads, strict=True):
        direction = rng.standard_normal(array.shape)
        array += eps * direction
        up = loss()
        array -= 2 * eps * direction
        down = loss()
        array += eps * direction
        np.testing.assert_allclose((grad * direction).sum(), (up - down) / (2 * eps), rtol=rtol, atol=1e-9)
