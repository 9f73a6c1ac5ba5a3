"""The options of the caches and of the temperature, and the predictor with them."""

CACHE = ()


def with_cache(read, options, tuning):
    """A Read whose model has the caches that the options ask for, or as it was.

    Parameters
    ----------
    read : Read.
    options : of a command whose table has CACHE.
    tuning : EncodedText, on which what was not given is chosen; None: none.
    """
    return read


def cache_in_words(options):
    """What a table's heading says of it, a dict of strings."""
    return {}
