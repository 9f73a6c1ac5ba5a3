"""Files of options in TOML: recipes, a user's own, and the config.toml of a run.

The checkpoint is the truth about a run.  Its config.toml is for people to read, and for
--config: it holds what was given as keys and what was resolved as comments.
"""

import json
import os
import stat
import tomllib
from pathlib import Path
from typing import NamedTuple

from rnnlm.errors import RnnlmError, shown
from rnnlm.files.whole import File, reason
from rnnlm.models.architecture import from_earlier
from rnnlm.runs.options import TRAIN, of_the_run

CONFIG = "config.toml"
OF_A_RUN = "# options of the run in"  # how the first line begins that a run writes
OF_AN_EARLIER_RUN = "# run folder:"   # and how it began when every option was a key, as resolved
ALWAYS_IN_EARLIER = frozenset("""
    activation activation-penalty alpha average average-decay average-from batch-size beta1 beta2 cell
    checkpoint-minutes corpus dropout dropout-mask dropout-start epochs eps hidden-size input-dropout input-gain layers
    level lr lr-factor matrix-lr-factor matrix-weight-decay max-grad momentum noising on-divergence optimizer
    output-dropout output-start patience projection random-length random-start recurrent-gain schedule seed slowest
    slowness-penalty tied time-size warm-up weight-decay weight-drop word-dropout wordvec-size""".split())
LARGEST_CONFIG = 1 << 20  # bytes
FILE_URI = "file:///"


class Configuration(NamedTuple):
    """The content of a file.

    Attributes
    ----------
    values : its keys and values, a dict.
    by_a_run : whether a run wrote it.
    earlier : whether it is in the earlier form, with every option as resolved.
    """

    values: dict
    by_a_run: bool = False
    earlier: bool = False

    def stated(self, where):
        """All that the file says, a dict by the options' names; see Table.checked.

        The earlier form also has the numbers of other update rules, which say nothing.
        """
        stated = TRAIN.checked(self.values, where)
        return _with_effect(stated) if self.earlier else stated

    def given(self, where):
        """What was given of it, as far as that can be told; see given_in_earlier."""
        stated = self.stated(where)
        return given_in_earlier(stated) if self.earlier else stated


def read_config(path, may_wait=False):
    """The Configuration in a TOML file (a path or a File).

    may_wait: whether it may be a pipe, into which somebody writes.

    A string that is a URI of a file, file:///..., becomes the path: so TOML, which is
    UTF-8, can hold any path.

    Raises
    ------
    RnnlmError : the file cannot be read, or is not TOML.
    """
    try:
        if not may_wait and stat.S_ISFIFO(File.of(path).mode()):  # perhaps nobody ever writes into it
            raise RnnlmError(f"{path} must be the configuration of a run: it is not a regular file")
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
    today = _has_line(text, OF_A_RUN)
    earlier = not today and _is_earlier(text, values)
    if earlier:
        values = from_earlier(values)
    return Configuration({key: _path_of(value) for key, value in values.items()}, today or earlier, earlier)


def _is_earlier(text, values):
    """Whether a file is in the earlier form.

    The comment tells it, or without that the keys: nobody else names every option.
    """
    keys = {key.replace("_", "-") for key in values}
    return _has_line(text, OF_AN_EARLIER_RUN) or keys >= ALWAYS_IN_EARLIER


def _has_line(text, beginning):
    return any(line.strip().startswith(beginning) for line in text.splitlines())


def _with_effect(options):
    """The options, a dict by name, without the numbers that the update rule lacks."""
    resolved = TRAIN.resolved(options)
    idle = {option.name for option in TRAIN.options if option.derived and option.derived(resolved) is None}
    return {name: value for name, value in options.items() if name not in idle}


def given_in_earlier(options):
    """What was probably given of the options that an earlier version wrote.

    It wrote all of them as resolved, a dict by name.  An option that only has the value
    that follows from another one counts as not given: where --optimizer sgd is added,
    the rate of Adam must not stay.
    """
    given = {name: value for name, value in options.items() if value is not None}
    for option in reversed(TRAIN.options):  # what is followed itself stands before what follows it
        if option.derived and option.name in given and option.follows in given:
            without = {name: value for name, value in given.items() if name != option.name}
            if getattr(TRAIN.resolved(without), option.name) in (given[option.name], None):  # None: no such number
                given = without
    return given


def _path_of(value):
    """A string that is a URI of a file as a path, any other value as it is.

    So it is for each string of a list.
    """
    if isinstance(value, list):
        return [*map(_path_of, value)]
    if not isinstance(value, str) or not value.startswith(FILE_URI):
        return value
    from urllib.parse import unquote_to_bytes

    return os.fsdecode(unquote_to_bytes(value.removeprefix("file://")))


def config_text(path, options, began_from=None):
    """The content of config.toml in the run folder ``path``.

    began_from: which model the run began from, a dict with its "sha256"; or None.
    """
    run = of_the_run(options)
    given = {name: value for name, value in run["options"].items() if name in run["given"]}
    others = {name: value for name, value in run["options"].items() if name not in run["given"]}
    comments = "".join(f"# {line.removeprefix('# ')}\n" for line in toml(others).splitlines())
    origin = f"# SHA-256 of the model file it began from: {shown(began_from['sha256'])}\n" if began_from else ""
    return (f"{OF_A_RUN} {str(path)!r}: what was given; rnnlm train --config with this file repeats it\n"
            f"{toml(given)}{origin}\n# What was not given, as the run had it:\n{comments}")


def toml(values):
    """A dict of strings, numbers, booleans and None as TOML.

    None, which TOML lacks, becomes a comment.  A string with bytes that are not UTF-8
    is a path; it becomes a URI, of which read_config makes a path again.
    """
    lines = []
    for name, value in values.items():
        key = name.replace("_", "-")
        value = [*map(_as_unicode, value)] if isinstance(value, list) else _as_unicode(value)
        # JSON writes strings, booleans and finite numbers as TOML does, but for DEL and
        # beyond the 16-bit plane.
        text = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        lines.append(f"# {key} is not set" if value is None else f"{key} = {text}")
    return "\n".join(lines) + "\n"


def _as_unicode(value):
    """A path that is not UTF-8 as a URI, any other value as it is."""
    return Path(os.path.abspath(value)).as_uri() if isinstance(value, str) and not _is_unicode(value) else value


def _is_unicode(text):
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # os.fsdecode keeps such bytes as lone surrogates
        return False
    return True
