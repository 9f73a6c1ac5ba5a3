"""Calling the reader's function: what it raises, returns and changes."""

import linecache
import traceback
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rnnlm.errors import shown

LIBRARY = str(Path(np.__file__).parent)
HINTS = {  # part of a message -> what is probably behind it
    "non-broadcastable output": "What is added has more axes than what it is added to: a missing sum over the batch? "
                                "For b, add up the rows with .sum(axis=0).",
    "indexing arrays": "Arrays that are indices together are read side by side, and need shapes that fit: "
                       "np.arange(N)[:, np.newaxis] with np.arange(T), for example.",
    "could not be broadcast": "+, - and * go number by number, and need equal shapes, up to axes of length 1. "
                              "Does a product of matrices (@) belong there, keepdims=True in a sum or maximum, or is "
                              "it the wrong axis (the batch comes first: xs[:, t])?",
    "mismatch in its core dimension": "A product of matrices needs equal inner sizes, as in (N, D) @ (D, H): "
                                      "is a factor transposed, or are the two in the wrong order?",
    "not aligned": "A product of matrices needs equal inner sizes, as in (N, D) @ (D, H): "
                   "is a factor transposed, or are the two in the wrong order?",
    "can be converted to Python scalars": "The functions of math take one number; those of np take arrays.",
}


class Unreadable(Exception):
    """The function gave nothing that can be compared; the message says why."""


def call(exercise, case, answer):
    """Call the function on copies of the inputs.

    Returns what it returned, and the names of the arguments that it wrote into.
    Unreadable if it raises.
    """
    args = case.copies()
    try:
        returned = answer(*args)
        if isinstance(returned, Iterator):
            returned = list(returned)  # a generator's code runs here
    except ArithmeticError as error:
        raise Unreadable(case.not_finite or described(error, exercise, case)) from error
    except Exception as error:
        raise Unreadable(described(error, exercise, case)) from error
    changed = [name for (name, before), after in zip(case.args.items(), args, strict=True)
               if isinstance(before, np.ndarray) and not np.array_equal(before, after)]
    return returned, changed


def described(error, exercise, case):
    """An exception in the reader's function: type, message, line, probable cause."""
    frames = traceback.extract_tb(error.__traceback__)[1:]  # without our own call
    own = [frame for frame in frames if not frame.filename.startswith(LIBRARY)]
    lines = [f"{type(error).__name__}: {shown(str(error)).strip()}"]
    if own:
        code = linecache.getline(own[-1].filename, own[-1].lineno).strip()
        lines.append(f"  in {own[-1].name}, line {own[-1].lineno}" + (f": {code}" if code else ""))
    else:
        lines.append(f"  Your function is called as {exercise.signature}.")
    hint = next((hint for part, hint in HINTS.items() if part in str(error)), None)
    if hint:
        lines.append(hint)
    shapes = ", ".join(f"{name} {arg.shape}" if isinstance(arg, np.ndarray) else f"{name} = {shown(arg)}"
                       for name, arg in case.args.items())
    return "\n".join([*lines, f"The arguments: {shapes}."])


def read(exercise, returned):
    """One array of float64 for each result; Unreadable if something else came back."""
    if returned is None:
        raise Unreadable(f"your function returned None: end it with return {exercise.outcome}.")
    if exercise.read:
        try:
            return exercise.read(returned)
        except ValueError as error:
            raise Unreadable(str(error)) from error
    count = len(exercise.results)
    if count == 1:
        single = isinstance(returned, tuple) and len(returned) == 1
        return [numeric(returned[0] if single else returned, *exercise.results)]
    if not isinstance(returned, tuple | list):
        raise Unreadable(f"your function must return {count} results, {exercise.outcome}, got one: {kind(returned)}.")
    if len(returned) != count:
        raise Unreadable(f"your function must return {count} results, {exercise.outcome}, got {len(returned)}.")
    return [numeric(value, name) for value, name in zip(returned, exercise.results, strict=True)]


def numeric(value, name):
    """The value as an array of float64, or Unreadable."""
    if value is None:
        raise Unreadable(f"{name} is None.")
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise Unreadable(f"{name} cannot be read as one array of numbers: {kind(value)}. "
                         "Arrays of unequal shapes are joined with np.concatenate.") from error


def kind(value):
    """What a value is, in a few words."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    return f"{type(value).__name__} {shown(repr(value), 60)}"
