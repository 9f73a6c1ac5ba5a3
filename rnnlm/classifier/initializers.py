"""First weights of a layer of the classifier, under the names that textbooks give them."""

import numpy as np

from rnnlm.compute import arguments
from rnnlm.models.initializers import orthogonal, scaled_normal


class Initializer:
    """First weights of one layer: (shape, rng) -> array, which subclasses write; W and B are the textbooks' names."""

    def __call__(self, shape, rng):
        raise NotImplementedError

    def W(self, n_nodes1, n_nodes2, rng=None):
        """Weights (n_nodes1, n_nodes2), from a layer to the next; without rng others each time."""
        shape = arguments.whole("n_nodes1", n_nodes1), arguments.whole("n_nodes2", n_nodes2)
        rng = np.random.default_rng() if rng is None else arguments.generator("rng", rng)
        return np.asarray(self(shape, rng), np.float64)

    def B(self, n_nodes2):
        """Biases (n_nodes2,): zeros."""
        return np.zeros(arguments.whole("n_nodes2", n_nodes2))


class SimpleInitializer(Initializer):
    """Normal with standard deviation sigma."""

    def __init__(self, sigma):
        self.sigma = arguments.not_negative("sigma", sigma)

    def __call__(self, shape, rng):
        return self.sigma * rng.standard_normal(shape)


class XavierInitializer(Initializer):
    """Normal with standard deviation 1 / sqrt(rows): for tanh and sigmoid.

    It is what many textbooks call by this name (LeCun et al., 1998); Glorot & Bengio (2010) divide by the mean of
    rows and columns, which is the same for a square matrix.
    """

    def __call__(self, shape, rng):
        return scaled_normal(shape, rng)


class HeInitializer(Initializer):
    """Normal with standard deviation sqrt(2 / rows): for ReLU, which halves what it lets through (He et al., 2015)."""

    def __call__(self, shape, rng):
        return scaled_normal(shape, rng, np.sqrt(2))


class OrthogonalInitializer(Initializer):
    """Orthogonal where the shape is square (``orthogonal``), XavierInitializer where it is not."""

    def __call__(self, shape, rng):
        return orthogonal(shape, rng) if shape[0] == shape[1] else scaled_normal(shape, rng)
