"""The form of a run's numbers: what a checkpoint says of them must look as what the trainer itself would say."""

import math

NOTHING_YET = "numbers.schedule.best"  # the one number that may be infinite
LARGEST = 1 << 128  # no number of a run is larger: those of the generator have 128 bits


def require_form(values, like, name="numbers"):
    """ValueError unless the values have the keys and types of ``like``, strings its content; no number is below 0."""
    if isinstance(like, dict):
        if not isinstance(values, dict) or values.keys() != like.keys():
            raise ValueError(f"{name} must be an object of {', '.join(like)}")
        for key, value in like.items():
            require_form(values[key], value, f"{name}.{key}")
    elif isinstance(like, str):
        if values != like:
            raise ValueError(f"{name} must be {like}")
    elif type(values) is not type(like) or not (0 <= values < LARGEST or (values == math.inf and name == NOTHING_YET)):
        raise ValueError(f"{name} must be a number from 0 to below 2^128 ({type(like).__name__})")
