"""Sequences and their labels as a classifier takes them: what cannot be is said in one line."""

import numpy as np

from rnnlm.errors import RnnlmError, shown


def checked_sequences(X, mask=None, n_features=None, name="X"):
    """X (n_samples, n_sequences, n_features) as float64, with zeros beyond the ends, and the lengths (n_samples, 1).

    mask: see ``ScratchSimpleRNNClassifier.fit``.  RnnlmError if it cannot be X, or not of so many features.
    """
    try:
        X = np.asarray(X)
    except ValueError:
        raise RnnlmError(f"{name} must be one array (n_samples, n_sequences, n_features): fill shorter sequences up to "
                         "the longest, and say by mask which steps belong to each") from None
    if X.ndim != 3 or 0 in X.shape:
        hint = "; if a step is one number, give X[..., np.newaxis]" if X.ndim == 2 else ""
        raise RnnlmError(f"{name} must have shape (n_samples, n_sequences, n_features), none of them 0, got {X.shape}"
                         + hint)
    if n_features not in (None, X.shape[2]):
        raise RnnlmError(f"{name} must have the {n_features} features of the data that was fitted, got {X.shape[2]}")
    if X.dtype.kind not in "buif":
        raise RnnlmError(f"{name} must hold finite numbers, but its type is {X.dtype}")
    X = X.astype(np.float64)
    lengths = _lengths(mask, X.shape[:2], name)
    X[np.arange(X.shape[1]) >= lengths] = 0  # nothing reads what stands there, but it could overflow on the way
    if not np.isfinite(X).all():
        raise RnnlmError(f"{name} must hold finite numbers, but {_first_fault(X)}: fill or drop it")
    return X, lengths


def _lengths(mask, shape, name):
    """The lengths (N, 1) of the sequences. RnnlmError if mask is not one for data of this shape (N, T)."""
    steps = np.ones(shape, bool) if mask is None else np.asarray(mask)
    if steps.shape != shape:
        raise RnnlmError(f"mask must have the shape (n_samples, n_sequences) of {name}, {shape}, got {steps.shape}")
    if steps.dtype.kind not in "buif" or not np.isin(steps, (0, 1)).all():
        raise RnnlmError("mask must hold true and false, or 1 and 0, and nothing else")
    steps = steps.astype(bool)
    lengths = steps.sum(axis=1, keepdims=True)
    if (steps != (np.arange(shape[1]) < lengths)).any() or not lengths.all():
        raise RnnlmError("mask must be true from the first step of a sequence to its last, at least for one, and "
                         "false from there on")
    return lengths


def checked_labels(y, n, name="y"):
    """Labels (n,). RnnlmError if they are not."""
    y = np.asarray(y)
    if y.shape != (n,):
        raise RnnlmError(f"{name} must have one label for each of the {n} sequences, shape ({n},), got {y.shape}")
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise RnnlmError(f"{name} must hold labels, but {_first_fault(y)}")
    if y.dtype.kind == "O":
        kinds = {type(label).__name__ for label in y}
        if len(kinds) > 1 or "NoneType" in kinds:
            raise RnnlmError(f"{name} must hold labels, all numbers or all text, got {', '.join(sorted(kinds))}")
    return y


def places_of(labels, classes):
    """Where the labels (n,) stand in the sorted classes. RnnlmError at one that does not."""
    places = {label: place for place, label in enumerate(classes.tolist())}
    unknown = next((label for label in labels.tolist() if label not in places), None)
    if unknown is not None:
        raise RnnlmError(f"y_val holds the label {shown_label(unknown)}, which y never does: it must be one of "
                         f"{shown(', '.join(map(shown_label, classes)))}")
    return np.array([places[label] for label in labels.tolist()])


def shown_label(label):
    """A label as a message shows it: text in quotation marks."""
    return shown(repr(label.item() if isinstance(label, np.generic) else label))


def _first_fault(values):
    """Where the first value stands that is not finite."""
    place = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
    return f"the value at {place} is {values[place]}"
