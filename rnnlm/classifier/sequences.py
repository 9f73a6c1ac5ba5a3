"""Sequences as a classifier takes them: an array, and lengths, by a mask or by NaN."""

import numpy as np

from rnnlm.compute import arguments
from rnnlm.errors import ArgumentError


def checked_sequences(X, mask=None, n_features=None, name="X"):
    """X (n_samples, n_sequences, n_features) as float64 and lengths (n_samples, 1).

    Parameters
    ----------
    X, mask : see ``ScratchSimpleRNNClassifier.fit``.
    n_features : how many features X must have; None: any number.
    name : what messages call X.

    Raises
    ------
    ArgumentError : X or mask has a wrong type, shape or value.
    """
    return checked_steps(*given_sequences(X, mask, n_features, name), name)


def given_sequences(X, mask=None, n_features=None, name="X"):
    """X and its mask as arrays of the right shapes and types; no array is copied.

    Parameters and errors: see ``checked_sequences``.
    """
    if hasattr(X, "toarray"):
        raise ArgumentError(f"{name} must be an array (n_samples, n_sequences, n_features), got a sparse "
                            "one: give X.toarray()")
    X = arguments.as_array(name, X, "one array (n_samples, n_sequences, n_features)", "pad shorter sequences to the "
                           "length of the longest, and mark their own steps with mask, or pad with NaN")
    if X.ndim != 3 or 0 in X.shape:
        raise ArgumentError(f"{name} must have shape (n_samples, n_sequences, n_features), none of them "
                            f"0, got {X.shape}{_REMEDIES.get(X.ndim, '')}")
    if n_features not in (None, X.shape[2]):
        raise ArgumentError(
            f"{name} has {X.shape[2]} features, but ScratchSimpleRNNClassifier is expecting {n_features} "
            "features as input, as in the data that was fitted: give these")
    if X.dtype.kind == "c":
        raise ArgumentError(f"{name} must hold real numbers, but its type is {X.dtype} (Complex data not "
                            "supported): give real and imaginary part as two features")
    if X.dtype.kind not in "buifO":
        raise ArgumentError(f"{name} must hold finite numbers, but its type is {X.dtype}")
    if mask is not None:
        mask = arguments.as_array("mask", mask, f"an array of the shape (n_samples, n_sequences) of {name}")
        if mask.shape != X.shape[:2]:
            raise ArgumentError(f"mask must have the shape (n_samples, n_sequences) of {name}, "
                                f"{X.shape[:2]}, got {mask.shape}")
    return X, mask


_REMEDIES = {1: ". Reshape your data: X.reshape(1, -1, 1) is one sequence of single numbers",
             2: "; if a step is one number, give X[..., np.newaxis]"}


def checked_steps(X, mask=None, name="X", first=0):
    """A float64 copy of X (N, T, D) with zeros beyond the ends, and lengths (N, 1).

    Parameters
    ----------
    X, mask : as ``given_sequences`` returns them.  Without a mask a sequence ends where
        nothing but NaN follows.
    name : what messages call X.
    first : int, the number of the first sequence, for messages.

    Raises
    ------
    ArgumentError : any other value is not finite, or the mask does not give lengths.
    """
    X = _as_float64(X, name)
    lengths = lengths_until_nan(X) if mask is None else _lengths_of(mask)
    X[np.arange(X.shape[1]) >= lengths] = 0  # nothing reads what is there, but it could overflow
    if not np.isfinite(X).all():
        position, value = first_fault(X)
        hint = ("; NaN in all features marks the steps beyond a sequence's end, and only there"
                if mask is None and np.isnan(value) else "")
        position = position[0] + first, *position[1:]
        raise ArgumentError(f"{name} must hold finite numbers, but the value at {position} is {value}: fill "
                            f"or drop it{hint}")
    return X, lengths


def _as_float64(X, name):
    try:
        return X.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ArgumentError(f"{name} must hold finite numbers, but its type is {X.dtype}, and a value "
                            "in it is not a number") from None


def ends_in_nan(X):
    """Whether any sequence of X (N, T, D) ends before the last step: NaN there."""
    return X.dtype.kind in "fO" and bool(np.isnan(_as_float64(X[:, -1], "X")).any())


def lengths_until_nan(X):  # (N, T, D) -> (N, 1)
    """The steps of each sequence before only NaN follows; T if there is only NaN."""
    N, T, _ = X.shape
    if not ends_in_nan(X):
        return np.full((N, 1), T)
    missing = np.isnan(X).all(axis=2)
    return T - missing[:, ::-1].argmin(axis=1)[:, np.newaxis]  # argmin: from the end, the first false


def _lengths_of(mask):  # (N, T) -> (N, 1)
    """The lengths of the sequences; ArgumentError if the mask does not give them."""
    if mask.dtype.kind not in "buif" or not np.isin(mask, (0, 1)).all():
        raise ArgumentError("mask must hold only true and false, or 1 and 0")
    mask = mask.astype(bool)
    lengths = mask.sum(axis=1, keepdims=True)
    if (mask != (np.arange(mask.shape[1]) < lengths)).any() or not lengths.all():
        raise ArgumentError("mask must be true from the first step of a sequence to its last, at least "
                            "for one step, and false after that")
    return lengths


def first_fault(values):
    """The indices of the first value that is not finite, and the value."""
    position = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
    return position, values[position]


def shares_of_states(lengths, T, pooling):
    """The weights (N, T) with which states add up to represent sequences.

    With pooling "last" 1 for the last state, with "mean" 1 / length for each; 0 beyond
    the end.  lengths: (N, 1).
    """
    steps = np.arange(T)
    if pooling == "last":
        return (steps == lengths - 1).astype(np.float64)
    return (steps < lengths) / lengths
