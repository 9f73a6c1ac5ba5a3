"""Sequences that tests of the classifier share."""

import numpy as np


def which_is_on(rng, n=120, T=6, classes=3):
    """(X, y): a sequence's class is which of the features is on at the third step."""
    X = rng.normal(size=(n, T, classes)) / 5
    y = rng.integers(0, classes, n)
    X[np.arange(n), 2, y] += 2
    return X, y


def up_or_down(rng, n=240, T=10):
    """(X, y, mask) of the course: is a sequence's last number above its first?

    Noise follows its end.
    """
    X, lengths = rng.normal(size=(n, T, 1)), rng.integers(3, T + 1, n)
    last = X[np.arange(n), lengths - 1, 0]
    return X, np.where(last > X[:, 0, 0], "up", "down"), np.arange(T) < lengths[:, np.newaxis]


def with_nan(X, mask):
    """X with NaN beyond the ends of the sequences."""
    return np.where(mask[..., np.newaxis], X, np.nan)
