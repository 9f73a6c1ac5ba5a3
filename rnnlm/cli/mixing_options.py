"""The options that mix MODEL with others, and the mixture that they ask for."""

MIXING = ()


def with_mixture(read, options, workers, tuning):
    """A Read whose model is the mixture that the options ask for, or as it was.

    Parameters
    ----------
    read : Read.
    options : of a command whose table has MIXING.
    workers : for further networks.
    tuning : EncodedText, on which what was not given is chosen; None: none.
    """
    return read


def mixture_in_words(options):
    """What a table's heading says of it, a dict of strings."""
    return {}
