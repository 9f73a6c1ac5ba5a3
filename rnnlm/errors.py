"""One family of errors: what the user can mend, said in one line."""

import os

LONGEST = 200  # characters of a strange value that a message shows


class RnnlmError(Exception):
    """Anything a user can mend. The message names the thing, the rule, the value met and the remedy."""


class ArgumentError(RnnlmError, ValueError):
    """An argument of the library that cannot be: also a ValueError, as users of NumPy and scikit-learn expect."""


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


def quoted(path):
    """A path as it can be pasted into a shell, on one line and printable."""
    import shlex

    text = f"./{path}" if str(path).startswith("-") else str(path)
    if text.isprintable():
        return shlex.quote(text)
    text = text.replace("\\", "\\\\").replace("'", "\\'")
    escaped = [one_line(char) if char.isascii() or char.isprintable() else
               "".join(f"\\x{byte:02x}" for byte in os.fsencode(char)) for char in text]
    return f"$'{''.join(escaped)}'"


def did_you_mean(name, known):
    """The end of a message about an unknown name: a question if a known one is near, otherwise nothing."""
    near = nearest(name, known)
    return f": did you mean {near}?" if near else ""


def nearest(name, known, cutoff=0.6):
    """The known name that is most like this one, None if none is; cutoff: how like it must be, from 0 to 1."""
    import difflib  # takes longer to load than most of this package, and is wanted where something is wrong only

    return next(iter(difflib.get_close_matches(str(name), known, n=1, cutoff=cutoff)), None)


def counted(number, noun, plural=None):
    """A number with its noun: 1 sentence, 2 sentences, 1,000 entries (where ``plural`` says so)."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
