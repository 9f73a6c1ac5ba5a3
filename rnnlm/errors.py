"""One family of errors: what the user can mend, said in one line."""

LONGEST = 200  # characters of a strange value that a message shows


class RnnlmError(Exception):
    """Anything a user can mend. The message names the thing, the rule, the value met and the remedy."""


class ArgumentError(RnnlmError, ValueError):
    """An argument that cannot be right; a ValueError, too, as Python's own functions would raise."""


class IdError(ArgumentError, IndexError):
    """Ids that are not in the vocabulary."""


class DamagedError(RnnlmError):
    """The content of a file is not what it must be; the file itself could be read."""


class DivergenceError(RnnlmError):
    """Training met a loss, gradient or weight that is not finite; nothing on disk was replaced."""


def shown(value, longest=LONGEST):
    """A value of unknown origin as it can stand in a message: one line, printable, of a bounded length."""
    text = value if isinstance(value, str) else repr(value)
    return one_line(text if len(text) <= longest else text[:longest] + "...")


def one_line(text):
    """The text with everything that would break the line, or move a terminal's cursor, written as an escape."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def did_you_mean(name, known):
    """The end of a message about an unknown name: a question if a known one is near, otherwise nothing."""
    import difflib  # takes longer to load than most of this package, and is wanted where something is wrong only

    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.6)
    return f": did you mean {near[0]}?" if near else ""
