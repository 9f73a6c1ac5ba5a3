"""Values that hardly any argument takes, and what must come of them."""

import numpy as np

from rnnlm import RnnlmError

JUNK = {"a string": "x", "None": None, "a number": 3, "a negative one": -1, "half": 2.5, "a huge one": 10**400,
        "a list": [], "a dict": {}, "an object": object(), "an array": np.zeros((2, 2)), "a class": dict,
        "a list of lists": [[1], [1, 2]], "not a number": float("nan")}


def require_one_line(take):
    """AssertionError unless all are taken or refused by an RnnlmError of one line.

    Some of them must be refused.
    """
    refused = 0
    for junk in JUNK.values():
        try:
            take(junk)
        except RnnlmError as error:
            refused += 1
            assert len(str(error).splitlines()) == 1, error
            assert len(str(error)) < 400, error
    assert refused > 3
