"""The elementwise and row-wise functions of the network: pure, and stable for any finite input."""

import math

import numpy as np

from rnnlm.compute import arguments


def sigmoid(x, out=None):
    """Logistic function 1 / (1 + exp(-x)), same shape as x; no overflow at either end.

    Written as (1 + tanh(x / 2)) / 2, which is the same function and saturates quietly.
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
    """The function and its slope; ArgumentError for a name that is not in ACTIVATIONS."""
    return ACTIVATIONS[arguments.one_of("activation", name, tuple(ACTIVATIONS))]


def softmax(x):
    """Probabilities exp(x) / sum(exp(x)) over the last axis; the maximum is taken out first."""
    x = np.asarray(x)
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    e /= e.sum(axis=-1, keepdims=True)
    return e


def log_softmax(x):
    """Natural logarithm of softmax(x) over the last axis, finite where softmax itself underflows to 0."""
    x = np.asarray(x)
    shifted = x - x.max(axis=-1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted


def writable(x):
    """x itself, or a copy where nobody may write into it: joblib and others hand such arrays to their workers."""
    return x.copy() if isinstance(x, np.ndarray) and not x.flags.writeable else x


def perplexity(nats, targets):
    """exp(total nats / total targets); inf where that is too large for a float or nothing was counted."""
    try:
        return math.exp(nats / targets)
    except (OverflowError, ZeroDivisionError):
        return math.inf
