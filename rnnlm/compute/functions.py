"""Elementwise and row-wise functions of the network: pure, stable for finite input."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from rnnlm.compute import arguments

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def sigmoid(x: ArrayLike, out: np.ndarray | None = None) -> np.ndarray:
    """Logistic function 1 / (1 + exp(-x)), same shape as x; no overflow at either end.

    Written as (1 + tanh(x / 2)) / 2, which is the same function and saturates quietly.

    Parameters
    ----------
    x : array of any shape.
    out : array of the shape of x that takes the result, x itself if wanted; None: a
        new one.
    """
    y = np.tanh(np.multiply(x, 0.5), out=out)
    y = np.add(y, 1.0, out=out)
    return np.multiply(y, 0.5, out=out)


def identity(x, out=None):
    """x itself, as a new array."""
    return np.positive(x, out=out)


def relu(x, out=None):
    """max(x, 0), same shape as x."""
    return np.maximum(x, 0, out=out)


def tanh_slope(y, out=None):
    """tanh'(x) = 1 - y^2, from y = tanh(x)."""
    return np.subtract(1, np.multiply(y, y, out=out), out=out)


def sigmoid_slope(y, out=None):
    """sigmoid'(x) = y (1 - y), from y = sigmoid(x)."""
    return np.subtract(y, np.multiply(y, y, out=out), out=out)


def relu_slope(y, out=None):
    """relu'(x) from y = relu(x): 1 where y is positive, else 0."""
    return np.greater(y, 0, out=out)


def identity_slope(y, out=None):
    """1 everywhere."""
    return np.power(y, 0, out=out)


ACTIVATIONS = {"tanh": (np.tanh, tanh_slope), "relu": (relu, relu_slope), "sigmoid": (sigmoid, sigmoid_slope),
               "identity": (identity, identity_slope)}  # each with its slope, from its value


def activation_by_name(name):
    """The function and its slope; ArgumentError unless the name is in ACTIVATIONS."""
    return ACTIVATIONS[arguments.one_of("activation", name, tuple(ACTIVATIONS))]


def softmax(x: ArrayLike) -> np.ndarray:
    """Probabilities exp(x) / sum(exp(x)) over the last axis, same shape as x.

    The maximum is subtracted first, so that nothing overflows.
    """
    x = np.asarray(x)
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    e /= e.sum(axis=-1, keepdims=True)
    return e


def log_softmax(x: ArrayLike) -> np.ndarray:
    """Natural logarithm of softmax(x) over the last axis, same shape as x.

    It is finite where softmax itself underflows to 0.  x may be an array of a GPU.
    """
    x = x if hasattr(x, "__array_function__") else np.asarray(x)
    shifted = x - x.max(axis=-1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted


def writable(x):
    """x itself, or a copy if it is read-only.

    joblib and others give read-only arrays to their workers.
    """
    return x.copy() if isinstance(x, np.ndarray) and not x.flags.writeable else x


def perplexity(nats, targets):
    """exp(total nats / total targets); inf if that is too large, or without targets."""
    try:
        return math.exp(nats / targets)
    except (OverflowError, ZeroDivisionError):
        return math.inf
