"""How one result differs from the right one: its shape, its sign, its size."""

from itertools import combinations
from math import prod

import numpy as np

CLOSE = 1e-4  # of the largest number: float32 is right, a mistake is not


def same(got, expected):
    """Whether two arrays agree, in shape and up to the rounding of float32."""
    if got.shape != expected.shape:
        return False
    scale = np.abs(expected).max(initial=0)
    return bool((np.abs(got - expected) <= CLOSE * scale).all())


def transposed(got, expected, sizes):
    """The matrix lies on its side."""
    if got.ndim == 2 and same(got.T, expected):
        shapes = f"shape {got.shape}, must be {expected.shape}; " if got.shape != expected.shape else ""
        return f"transposed: {shapes}use .T, or reverse the product"


def time_first(got, expected, sizes):
    """Steps and batch are exchanged."""
    if got.ndim == 3 and same(got.swapaxes(0, 1), expected):
        return (f"the steps come before the batch: shape {got.shape}, must be {expected.shape}; "
                "stack the steps with np.stack(..., axis=1)")


def not_summed(got, expected, sizes):
    """A sum over the leading axes is missing."""
    extra = got.ndim - expected.ndim
    if extra > 0 and same(got.sum(axis=tuple(range(extra))), expected):
        names = {sizes.get("N"): "the batch", sizes.get("T"): "the steps"}
        over = " and ".join(names.get(length, "the first axis") for length in got.shape[:extra])
        return (f"a missing sum over {over}: shape {got.shape}, must be {expected.shape}; "
                f"add .sum(axis={tuple(range(extra)) if extra > 1 else 0})")


def other_shape(got, expected, sizes):
    """The right numbers, arranged differently."""
    if got.size == expected.size and got.shape != expected.shape and same(got.reshape(expected.shape), expected):
        return f"the numbers are right, the shape is wrong: {got.shape}, must be {expected.shape}"


def zero(got, expected, sizes):
    """Nothing has arrived."""
    if got.shape == expected.shape and not got.any():
        return "zero everywhere: nothing was added to it, or everything was multiplied onto zeros"


def scaled(got, expected, sizes):
    """A factor throughout: the sign, or a mean in place of a sum."""
    if got.shape != expected.shape or not np.isfinite(got).all():
        return None
    factor = float((got * expected).sum() / (expected * expected).sum())
    if factor == 0 or not same(got, factor * expected):
        return None
    if np.isclose(factor, -1, rtol=CLOSE):
        return "the sign is wrong: every number is minus what it must be"
    sign = "the sign is wrong, and " if factor < 0 else ""
    lengths = {"*".join(names): prod(sizes[name] for name in names)
               for count in (1, 2, 3) for names in combinations([name for name in "NTV" if name in sizes], count)}
    for name, length in lengths.items():
        if np.isclose(abs(factor), length, rtol=CLOSE):
            return f"{sign}{name} = {length} times too large: a sum where a mean belongs? Divide by {name}"
        if np.isclose(abs(factor), 1 / length, rtol=CLOSE):
            return f"{sign}{name} = {length} times too small: a mean where a sum belongs? Do not divide by {name}"
    return f"every number is {factor:.4g} times what it must be" if expected.size > 1 else None


def numbers(got, expected, sizes):
    """What fits any wrong result: its shape, or how many numbers differ, how much."""
    if got.shape != expected.shape:
        return f"shape {got.shape}, must be {expected.shape}"
    broken = ~np.isfinite(got)
    if broken.any():
        return f"inf or nan in {broken.sum()} of {got.size} numbers"
    far = ~(np.abs(got - expected) <= CLOSE * np.abs(expected).max(initial=0))
    position = tuple(int(i) for i in np.argwhere(far)[0])
    where = f", first at [{', '.join(map(str, position))}]" if position and not far.all() else ""
    count = f"{'all' if far.all() else far.sum()} of {got.size} numbers are wrong{where}" if position else "wrong"
    return (f"{count}: {got[position]:.6g}, must be {expected[position] + 0.0:.6g}"
            + (f"; the largest difference is {np.abs(got - expected).max():.3g}" if position else ""))


WAYS = (transposed, time_first, other_shape, not_summed, zero, scaled, numbers)  # the more telling first


def difference(got, expected, sizes):
    """In words, how a wrong result differs from the right one.

    sizes: N, T, V where the exercise has them.
    """
    return next(text for way in WAYS if (text := way(got, expected, sizes)))
