"""What the arguments of functions must be: a wrong one is named in one line.

Each function here takes the argument's name and its value.  It returns a correct value
as Python's own type, so that it can go into a file.  For a wrong one it raises
ArgumentError with the rule, the value and, where it helps, the remedy.
"""

import math
import os
from array import array
from contextlib import suppress
from numbers import Integral, Real

import numpy as np

from rnnlm.errors import ArgumentError, did_you_mean, shown

LARGEST = 1 << 48  # a larger size is a typing error; no memory holds so many numbers

WHOLE, NUMBERS, BOOLS = (int, Integral), (float, Real), (bool, np.bool_)  # the common ones first: they are quicker


def described(value):
    """A value as a message shows it: small ones themselves, of others the kind."""
    if isinstance(value, int) and abs(value) > LARGEST:
        return f"one of {value.bit_length()} bits"  # Python does not even write the longest
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}, of shape {value.shape}"
    if value is None or isinstance(value, str | bytes | Real | type):
        return shown(repr(value), 60)
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'AEIOUaeiou' else 'a'} {kind}"


def wrong(name, rule, value, remedy=""):
    """The ArgumentError to raise."""
    return ArgumentError(f"{name} must be {rule}, got {described(value)}{remedy and ': ' + remedy}")


def whole(name, value, least=1, most=None):
    """The value as an int; it must be whole and within the bounds."""
    right = isinstance(value, WHOLE) and not isinstance(value, BOOLS)
    if not right or not least <= value <= (most or LARGEST):
        bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise wrong(name, f"a whole number {bounds}", value, "that is too many" if right and value > LARGEST else "")
    return int(value)


def number(name, value, rule, holds):
    """The value as a float; it must be finite.

    holds: function that is true for right values; rule: the same in words.
    """
    right, finite = isinstance(value, NUMBERS) and not isinstance(value, BOOLS), False
    try:
        finite = right and math.isfinite(value)
        if finite and holds(value):
            return float(value)
    except OverflowError:  # a whole number that no float can hold
        pass
    raise wrong(name, f"a {'finite ' if right and not finite else ''}number {rule}", value)


def not_negative(name, value):
    """A number of at least 0."""
    return number(name, value, "of at least 0", lambda x: x >= 0)


def share(name, value):
    """A number of at least 0 and below 1."""
    return number(name, value, "of at least 0 and below 1", lambda x: 0 <= x < 1)


def limit(name, value):
    """A number above 0, or infinity, which is no limit."""
    if isinstance(value, Real) and value == math.inf:
        return math.inf
    return number(name, value, "above 0, or math.inf", lambda x: x > 0)


def one_of(name, value, choices):
    """A value that is among these names."""
    if not isinstance(value, str) or value not in choices:
        near = did_you_mean(value.lower(), choices) if isinstance(value, str) else ""
        raise ArgumentError(f"{name} must be one of {', '.join(choices)}, got {described(value)}{near}")
    return value


def yes_or_no(name, value):
    """True or False."""
    if not isinstance(value, BOOLS):
        raise wrong(name, "True or False", value)
    return bool(value)


def kind(name, value, kinds, rule, remedy=""):
    """An instance of one of these classes."""
    if not isinstance(value, kinds):
        raise wrong(name, rule, value, remedy)
    return value


def has(name, value, attributes, rule, remedy=""):
    """An object of whatever class that has these attributes."""
    if not all(hasattr(value, attribute) for attribute in attributes):
        raise wrong(name, rule, value, remedy)
    return value


def items(name, value, rule):
    """Any iterable but a string or a dict, as a list."""
    if not isinstance(value, str | bytes | dict):
        with suppress(TypeError):
            return list(value)
    raise wrong(name, rule, value)


def one_for_each(name, value, count, things):
    """A list or tuple of ``count`` values, one for each of the ``things``."""
    kind(name, value, list | tuple, f"a list with one value for each of the {count} {things}")
    if len(value) != count:
        raise ArgumentError(f"{name} must hold one value for each of the {count} {things}, it holds {len(value)}")
    return value


def language_model(name, value, method):
    """A LanguageModel, or another predictor with a state and a method of this name."""
    path = shown(repr(value), 60) if isinstance(value, str) else "path"
    return has(name, value, ("fresh_state", method), "a LanguageModel",
               f"load_model({path}) gives a pair, (model, vocabulary)")


def path(name, value, rule="a path", remedy=""):
    """A path: a string, a Path, or an object with a Path's ``open``."""
    if not isinstance(value, str | os.PathLike) and not hasattr(value, "open"):
        raise wrong(name, rule, value, remedy)
    return value


def possible_path(name, value, rule):
    """A path, as ``path`` takes it, that a file or folder can have."""
    path(name, value, rule)
    text = os.fsdecode(value) if isinstance(value, str | os.PathLike) else None
    if text == "":
        raise ArgumentError(f"{name} must not be empty: give {rule}")
    if text and "\0" in text:
        raise ArgumentError(f"{name} must not hold the character NUL, got {described(value)}: give {rule}")
    return value


def generator(name, value):
    """A generator of random numbers."""
    seed = value if isinstance(value, Integral) and 0 <= value < LARGEST else "SEED"
    return kind(name, value, np.random.Generator, "a numpy.random.Generator",
                f"numpy.random.default_rng({seed}) makes one")


def initializer(name, value):
    """A function that makes first weights, or None."""
    if value is not None and (isinstance(value, type) or not callable(value)):
        raise wrong(name, "None or a function (shape, rng) -> array, such as XavierInitializer()", value)
    return value


def as_array(name, value, rule, remedy="", dtype=None):
    """The value as an array; what NumPy cannot convert, as unequal rows, is refused."""
    try:
        return np.asarray(value, dtype)
    except (TypeError, ValueError, OverflowError):  # the last of a whole number that no float can hold
        raise wrong(name, rule, value, remedy) from None


def floats(name, value):
    """Numbers as a float64 array."""
    return as_array(name, value, "an array of numbers", dtype=np.float64)


def ids_of_windows(name, value):
    """Ids of shape (N, T), as an array."""
    ids = _array(value)
    if ids is None or ids.ndim != 2 or not ids.size or ids.dtype.kind not in "iu":
        raise wrong(name, "an array of ids of shape (N, T), neither of them 0", value if ids is None else ids)
    return ids


def targets_of_windows(xs, ts):
    """The targets ts of the ids xs: ids of the same shape, as an array."""
    if not (type(ts) is np.ndarray and ts.dtype.kind == "i" and ts.size):
        ts = ids_of_windows("ts", ts)
    if ts.shape != (xs.shape if isinstance(xs, np.ndarray) else np.shape(xs)):
        raise ArgumentError(f"ts must have the shape of xs, {np.shape(xs)}, got {ts.shape}: a target for each id")
    return ts


def mask(name, value, shape):
    """The value, None or an array of bool of this shape."""
    if value is not None and not (isinstance(value, np.ndarray) and value.dtype == bool and value.shape == shape):
        raise wrong(name, f"None or an array of bool, of shape {shape}", value)
    return value


def ids_of_text(name, value):
    """Ids of shape (n,), as an array; n may be 0."""
    ids = _array(value)
    if ids is None or ids.ndim != 1 or (ids.size and ids.dtype.kind not in "iu"):
        raise wrong(name, "an array of ids of shape (n,)", value if ids is None else ids)
    return ids if ids.size else ids.astype(np.int32)


def _array(value):
    """A list of ids, or any library's array, as an array; None for anything else."""
    if not isinstance(value, np.ndarray):
        if not isinstance(value, list | tuple | range | array) and not hasattr(value, "__array__"):
            return None
        try:
            value = np.asarray(value)
        except ValueError:  # rows of different lengths
            return None
    dtype = value.dtype  # of 64 bits without a sign, NumPy would join them to other whole numbers as floats
    return value.astype(np.int64) if dtype.kind == "u" and dtype.itemsize == 8 else value
