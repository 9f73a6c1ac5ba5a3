"""JSON from strangers: bounded in depth and digits, without NaN and infinities."""

import json

from rnnlm.errors import shown

LONGEST_NUMBER = 100  # digits of a whole number; a generator's state has 39
DEEPEST = 20          # levels of lists and objects in each other; a checkpoint's header has 4


def loads(text, name, unique_keys=False):
    """The value of a JSON text, called ``name`` in messages.

    ValueError if it is not JSON, is nested too deeply, or holds NaN, an infinity or a
    number of too many digits; with ``unique_keys`` also if an object holds a key twice,
    of which the first value would be lost.
    """
    pairs_hook = _object if unique_keys else None
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_int=_whole_number, object_pairs_hook=pairs_hook)
    except RecursionError:
        raise ValueError(f"{name} is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"{name} is not JSON: {error}") from None
    if not _is_shallow(value):
        raise ValueError(f"{name} is nested too deeply")
    return value


def _no_constant(name):
    raise ValueError(f"it holds {name}")


def _object(pairs):
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"it holds the key {shown(repr(twice), 40)} twice")
    return values


def _whole_number(digits):
    if len(digits) > LONGEST_NUMBER:
        raise ValueError(f"it holds a number of {len(digits):,} digits")
    return int(digits)


def _is_shallow(value):
    """Whether the value is nested at most DEEPEST levels: recursion is safe then."""
    level = [value]
    for _ in range(DEEPEST + 1):
        if not level:
            break
        level = [inner for outer in level if isinstance(outer, dict | list)
                 for inner in (outer.values() if isinstance(outer, dict) else outer)]
    return not level
