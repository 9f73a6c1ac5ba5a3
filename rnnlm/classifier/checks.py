"""Checks of a classifier's parameters, its training data and its validation data."""

import numpy as np

from rnnlm.classifier.labels import (
    check_class_weight,
    checked_labels,
    checked_weights,
    positions_of,
    shown_label,
    weights_in_all,
)
from rnnlm.classifier.sequences import checked_sequences, checked_steps, ends_in_nan, given_sequences
from rnnlm.compute import arguments
from rnnlm.compute.functions import ACTIVATIONS
from rnnlm.errors import ArgumentError, shown
from rnnlm.training.optimizers import OPTIMIZERS


def check_parameters(classifier):
    """ArgumentError at a wrong parameter.

    The constructor only stores them, as scikit-learn asks.
    """
    for name in ("n_nodes", "epochs", "batch_size"):
        arguments.whole(name, getattr(classifier, name))
    known = {"activation": ACTIVATIONS, "optimizer": OPTIMIZERS, "pooling": ("last", "mean"),
             "schedule": ("constant", "linear")}
    for name, choices in known.items():
        arguments.one_of(name, getattr(classifier, name), tuple(choices))
    arguments.number("lr", classifier.lr, "above 0", lambda x: x > 0)
    arguments.limit("max_grad", classifier.max_grad)
    arguments.initializer("initializer", classifier.initializer)
    check_class_weight(classifier.class_weight)
    try:
        np.random.default_rng(classifier.random_state)
    except (TypeError, ValueError):
        raise ArgumentError("random_state must be None or a whole number of at least 0, got "
                            f"{shown(classifier.random_state)}") from None


def checked_training(X, y, mask, sample_weight, class_weight):
    """(X, lengths, classes, targets, weights) of the samples that count.

    See ``ScratchSimpleRNNClassifier.fit``; targets (N,) are positions in the sorted
    classes.
    """
    X, lengths = checked_sequences(X, mask)
    y = checked_labels(y, len(X))
    weights = checked_weights(sample_weight, len(X))
    count = weights > 0
    if not count.all():
        X, lengths, y, weights = X[count], lengths[count], y[count], weights[count]
    classes, targets = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ArgumentError("y must hold at least two classes, got only one class, "
                            + shown_label(classes[0]))
    weights = weights_in_all(weights, class_weight, classes, targets)
    return X, lengths, classes, targets, weights


def checked_validation(X, y, mask_fit, mask, classes, n_features):
    """The validation data as ``SequenceNetwork.loss`` takes it, or None.

    mask_fit: the mask of the training data.  ArgumentError at a class that the training
    data lacks.
    """
    if X is None:
        if y is not None or mask is not None:
            raise ArgumentError("y_val and mask_val belong to X_val: give it, too")
        return None
    if y is None:
        raise ArgumentError("X_val needs its labels: give y_val, too")
    X, given = given_sequences(X, mask, n_features, "X_val")
    if mask_fit is not None and given is None and not ends_in_nan(X):
        raise ArgumentError("X_val needs a mask, as X has one: give mask_val, too, or fill it with NaN "
                            "beyond each sequence's end")
    X, lengths = checked_steps(X, given, "X_val")
    return X, lengths, positions_of(checked_labels(y, len(X), "y_val"), classes)
