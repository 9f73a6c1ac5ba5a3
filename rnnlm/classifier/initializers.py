"""First weights of a layer of the classifier, under the names that textbooks use."""

from __future__ import annotations

import numpy as np

from rnnlm.compute import arguments
from rnnlm.models.initializers import orthogonal, scaled_normal


class Initializer:
    """First weights of one layer: a subclass writes (shape, rng) -> array.

    ``W`` and ``B`` are the names that textbooks use.
    """

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        raise NotImplementedError

    def W(self, n_nodes1: int, n_nodes2: int, rng: np.random.Generator | None = None) -> np.ndarray:
        """Weights (n_nodes1, n_nodes2) from a layer to the next.

        rng: a numpy.random.Generator; None: other weights at each call.
        """
        shape = arguments.whole("n_nodes1", n_nodes1), arguments.whole("n_nodes2", n_nodes2)
        rng = np.random.default_rng() if rng is None else arguments.generator("rng", rng)
        return np.asarray(self(shape, rng), np.float64)

    def B(self, n_nodes2: int) -> np.ndarray:
        """Biases (n_nodes2,): zeros."""
        return np.zeros(arguments.whole("n_nodes2", n_nodes2))


class SimpleInitializer(Initializer):
    """Normal with mean 0 and standard deviation sigma."""

    def __init__(self, sigma: float) -> None:
        self.sigma = arguments.not_negative("sigma", sigma)

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return self.sigma * rng.standard_normal(shape)


class XavierInitializer(Initializer):
    """Normal with standard deviation 1 / sqrt(rows): for tanh and sigmoid.

    Many textbooks call this Xavier (LeCun et al., 1998).  Glorot & Bengio (2010) divide
    by the mean of rows and columns, which is the same for a square matrix.
    """

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return _made(scaled_normal, shape, rng)


class HeInitializer(Initializer):
    """Normal with standard deviation sqrt(2 / rows): for ReLU (He et al., 2015).

    The factor 2 makes up for the half that ReLU cuts off.
    """

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return _made(scaled_normal, shape, rng, np.sqrt(2))


class OrthogonalInitializer(Initializer):
    """``orthogonal`` if the shape is square, otherwise as XavierInitializer."""

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return _made(orthogonal if shape[0] == shape[1] else scaled_normal, shape, rng)


def _made(fill, shape, rng, *options):
    """A new array, filled by one of the models' initializers."""
    out = np.empty(shape, np.float32)
    fill(out, rng, *options)
    return out
