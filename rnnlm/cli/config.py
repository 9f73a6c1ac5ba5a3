"""Files of options in TOML: reading and writing them, and what they say as the defaults of a parser."""

import argparse
import json
import os
import tomllib
from pathlib import Path

from rnnlm.cli.arguments import meant
from rnnlm.cli.options import LARGEST_SEED, RefusedInNewRuns
from rnnlm.errors import RnnlmError, shown
from rnnlm.files.whole import File, reason
from rnnlm.models.architecture import from_earlier

LARGEST_CONFIG = 1 << 20  # bytes
FILE_URI = "file:///"
LEFT_BY_A_RUN, VERSION = "# run folder", "# version 2"  # how the first two lines of a run's config.toml begin


def read_config(path):
    """The content of a TOML file (a path or a File), a dict. RnnlmError: not readable, not TOML.

    A string that is a URI of a file, file:///..., becomes the path: so TOML, which is UTF-8, can hold any path.
    """
    try:
        with File.of(path).open("rb") as file:
            content = file.read(LARGEST_CONFIG + 1)  # a device never ends
        if len(content) > LARGEST_CONFIG:
            raise RnnlmError(f"{path} must be a configuration of at most {LARGEST_CONFIG:,} bytes, it has more")
        text = content.decode("utf-8-sig")  # editors on Windows write a byte-order mark
        values = tomllib.loads(text)
    except OSError as error:
        raise RnnlmError(f"{path} could not be read: {reason(error)}") from error
    except (ValueError, RecursionError) as error:  # TOML or UTF-8
        detail = "it is nested too deeply" if isinstance(error, RecursionError) else shown(str(error))
        raise RnnlmError(f"{path} must be TOML: {detail}") from error
    if is_earlier(text):
        values = from_earlier(values)
    return {key: _path_of(value) for key, value in values.items()}


def is_earlier(text):
    """Whether a configuration was left by a run of an earlier version, which had other names of cells."""
    first, _, rest = text.partition("\n")
    return first.startswith(LEFT_BY_A_RUN) and not rest.startswith(VERSION)


def _path_of(value):
    """A string that is a URI of a file as a path, any other value as it is."""
    if not isinstance(value, str) or not value.startswith(FILE_URI):
        return value
    from urllib.parse import unquote_to_bytes

    return os.fsdecode(unquote_to_bytes(value.removeprefix("file://")))


def apply_values(parser, values, where, began=False):
    """Make the values, a dict by option name, the parser's defaults: the command line still comes before them.

    None leaves an option as it is.  where: what to call their source in a message.  began: whether a run began with
    them, and so may keep what a new one may not have.  RnnlmError: an unknown option, one that is there in both
    spellings, a value the option does not take.
    """
    of_the_command_line = ("help", "config", "recipes", "debug")
    actions = {action.dest: action for action in parser._actions if action.dest not in of_the_command_line}
    for name, (key, value) in by_name(values, where).items():
        if name not in actions:
            raise RnnlmError(f"{where}: unknown option {shown(repr(key))}{meant(name, actions)}")
        if value is not None:
            parser.set_defaults(**{name: _converted(actions[name], value, f"{where}: {key}", began)})


def by_name(values, where):
    """Of a dict whose keys may have hyphens: (key, value) by the option's name. RnnlmError if one is there twice."""
    found = {}
    for key, value in values.items():
        name = key.replace("-", "_")
        if name in found:
            raise RnnlmError(f"{where}: {shown(found[name][0])} and {shown(key)} are the same option: remove one")
        found[name] = key, value
    return found


def _converted(action, value, where, began):
    """A TOML value as the option's own type, by the option's own rule."""
    if isinstance(action, argparse._StoreTrueAction | argparse.BooleanOptionalAction):
        return _switched(value, where)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise RnnlmError(f"{where} must be one number or string, got {shown(value)}")
    if isinstance(value, int) and abs(value) > LARGEST_SEED:  # which may have too many digits to be written
        raise RnnlmError(f"{where} must be a number of at most {len(str(LARGEST_SEED))} digits")
    if isinstance(value, str) and "\0" in value:
        raise RnnlmError(f"{where} must not hold the character NUL, got {shown(repr(value))}")
    try:
        value = action.type(str(value)) if action.type else str(value)
    except RefusedInNewRuns as error:
        if not began:
            raise RnnlmError(f"{where} {error}") from None
        value = error.value
    except argparse.ArgumentTypeError as error:
        raise RnnlmError(f"{where} {error}") from None
    if action.choices and value not in action.choices:
        raise RnnlmError(f"{where} must be one of {', '.join(map(str, action.choices))}, got {shown(repr(value))}")
    return value


def _switched(value, where):
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        raise RnnlmError(f'{where} must be true or false, got the string "{value}": write {value} without quotation '
                         "marks")
    raise RnnlmError(f"{where} must be true or false, got {shown(repr(value))}")


def toml(values):
    """A dict of strings, numbers, booleans and None as TOML; None, which TOML lacks, becomes a comment.

    A string with bytes that are not UTF-8 is a path and becomes the URI that read_config makes a path of again.
    """
    lines = []
    for name, value in values.items():
        key = name.replace("_", "-")
        if isinstance(value, str) and not _is_unicode(value):
            value = Path(os.path.abspath(value)).as_uri()
        # JSON writes strings, booleans and finite numbers as TOML does, but for DEL and beyond the 16-bit plane.
        text = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        lines.append(f"# {key} is not set" if value is None else f"{key} = {text}")
    return "\n".join(lines) + "\n"


def _is_unicode(text):
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # os.fsdecode keeps such bytes as lone surrogates
        return False
    return True
