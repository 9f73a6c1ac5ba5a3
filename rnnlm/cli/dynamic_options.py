"""The options of dynamic evaluation, and the predictor that they ask for."""

DYNAMIC = ()


def with_dynamic(read, options, tuning):
    """A Read whose model is evaluated dynamically if the options say so.

    Parameters
    ----------
    read : Read.
    options : of a command whose table has DYNAMIC.
    tuning : EncodedText, on which what was not given is chosen; None: none.
    """
    return read


def dynamic_in_words(options):
    """What a table's heading says of it, a dict of strings."""
    return {}
