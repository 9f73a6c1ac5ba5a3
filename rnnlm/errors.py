"""One family of errors: what the user can mend, told in one line."""

import os
import re

LONGEST = 200  # characters of a strange value that a message shows

# Control characters, line and paragraph separators, what turns the direction of
# writing, and what has no width.  The joiners U+200C and U+200D stay: Persian, Hindi
# and emoji need them, and they move nothing.
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
                    "\ud800-\udfff\U000e0000-\U000e007f]")


class RnnlmError(Exception):
    """Anything a user can mend.

    The message names the thing, the rule, the value met and the remedy.
    """


class ArgumentError(RnnlmError, ValueError):
    """A wrong argument of a function or class of the library.

    Also a ValueError, as users of NumPy and scikit-learn expect.
    """


class IdError(ArgumentError, IndexError):
    """Ids that are not in the vocabulary."""


class DamagedError(RnnlmError):
    """A file could be read, but its content is not what it must be."""


class DivergenceError(RnnlmError):
    """Training met a loss, gradient or weight that is not finite.

    Nothing on disk was replaced.
    """


def shown(value: object, longest: int = LONGEST) -> str:
    """A strange value as a message shows it: one line, printable, of bounded length."""
    text = value if isinstance(value, str) else repr(value)
    return one_line(text if len(text) <= longest else text[:longest] + "...")


def one_line(text: str) -> str:
    """The text with escapes for all that breaks a line or moves a terminal's cursor."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def quoted(path: str | os.PathLike) -> str:
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
    """The end of a message about an unknown name.

    A question if a known name is near, otherwise "".
    """
    near = nearest(name, known)
    return f": did you mean {near}?" if near else ""


def nearest(name, known, cutoff=0.6):
    """The known name that is most like this one; None if none is like it.

    cutoff: how like it must be, from 0 to 1.
    """
    import difflib  # slow to load, and only needed when something is wrong

    return next(iter(difflib.get_close_matches(str(name), known, n=1, cutoff=cutoff)), None)


def counted(number, noun, plural=None):
    """A number with its noun: 1 sentence, 2 sentences, 9 entries (with ``plural``)."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(names):
    """Names in a line: a; a and b; a, b and c."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def size_shown(size):
    """A number of bytes for a line: 0.5 kB, 12.0 MB."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"
