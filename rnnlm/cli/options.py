"""Options: the types of their values, and the TOML files that can hold them."""

import argparse
import json
import math
import re
import tomllib

from rnnlm.cli.screen import note, show
from rnnlm.errors import RnnlmError, did_you_mean, one_line, shown
from rnnlm.files import reason

LARGEST_CONFIG = 1 << 20  # bytes


class Parser(argparse.ArgumentParser):
    """The parser of a command: wrong usage is one line, like all errors."""

    def __init__(self, prog, description):
        super().__init__(prog=prog, description=description, formatter_class=HelpFormatter)

    def error(self, message):
        """Say what is wrong, without all options before it, and exit with 2."""
        unknown = re.search("^unrecognized arguments: .*?(--[^ =]+)", message)
        near = did_you_mean(unknown[1], self._option_string_actions) if unknown else ""
        self.exit(2, f"{self.prog}: error: {one_line(message)}{near} (--help shows all options)\n")

    def print_help(self, file=None):
        """All options on standard output, or an error that says why not; argparse would ignore it."""
        if file is not None:
            super().print_help(file)
        else:
            show(self.format_help())

    def exit(self, status=0, message=None):
        """End the command, with one line on standard error if there is a message."""
        if message:
            note(message.rstrip("\n"))
        super().exit(status)


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the default of every option that has one and whose help does not speak of it itself."""

    def _get_help_string(self, action):
        if action.default is False or action.default in (None, "") or "default" in action.help:
            return action.help
        return super()._get_help_string(action)


def number(kind, rule, holds):
    """An argparse type: a finite ``kind`` (int or float) for which ``holds``; ``rule`` says it in words."""

    def convert(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or value in (math.inf, -math.inf) or not holds(value):
            raise argparse.ArgumentTypeError(f"must be {rule}, got {text!r}")
        return value

    return convert


def at_least(smallest):
    """A whole number from ``smallest`` on."""
    return number(int, f"a whole number of at least {smallest}", lambda value: value >= smallest)


def between(smallest, largest):
    """A whole number from ``smallest`` to ``largest``."""
    return number(int, f"a whole number from {smallest} to {largest}", lambda value: smallest <= value <= largest)


def not_empty(text):
    """A string that is not empty: an empty name would mean the current folder."""
    if not text:
        raise argparse.ArgumentTypeError("must not be empty")
    return text


positive = number(float, "a number above 0", lambda value: value > 0)
not_negative = number(float, "a number of at least 0", lambda value: value >= 0)
above_one = number(float, "a number above 1", lambda value: value > 1)
below_one = number(float, "a number of at least 0 and below 1", lambda value: 0 <= value < 1)
from_zero_to_one = number(float, "a number from 0 to 1", lambda value: 0 <= value <= 1)
share = number(float, "a number above 0 and at most 1", lambda value: 0 < value <= 1)


def add_threads(add):
    """The option of every command that computes; ``add`` is an add_argument."""
    add("--threads", type=at_least(1), metavar="K",
        help="threads to compute on (default: one for each core this process may use)")


def read_config(path):
    """The content of a TOML file, a dict. RnnlmError: not readable, not TOML."""
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST_CONFIG + 1)  # a device never ends
        if len(content) > LARGEST_CONFIG:
            raise RnnlmError(f"{path} must be a configuration of at most {LARGEST_CONFIG:,} bytes, it has more")
        return tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise RnnlmError(f"{path} could not be read: {reason(error)}") from error
    except (ValueError, RecursionError) as error:  # TOML or UTF-8
        raise RnnlmError(f"{path} must be TOML: {shown(str(error))}") from error


def apply_values(parser, values, where):
    """Make the values, a dict by option name, the parser's defaults: the command line still comes before them.

    None leaves an option as it is.  where: what to call their source in a message.  RnnlmError: an unknown option,
    a value the option does not take.
    """
    of_the_command_line = ("help", "config", "recipes", "debug")
    actions = {action.dest: action for action in parser._actions if action.dest not in of_the_command_line}
    for key, value in values.items():
        name = key.replace("-", "_")
        if name not in actions:
            raise RnnlmError(f"{where}: unknown option {shown(repr(key))}{did_you_mean(name, actions)}")
        if value is not None:
            parser.set_defaults(**{name: _converted(actions[name], value, f"{where}: {key}")})


def given(parser, argv):
    """The options that stand on the command line, by name, with their values.  Takes the parser's defaults away."""
    for action in parser._actions:
        action.default = argparse.SUPPRESS
    return vars(parser.parse_args(argv))


def _converted(action, value, where):
    """A TOML value as the option's own type, by the option's own rule."""
    if isinstance(action, argparse._StoreTrueAction | argparse.BooleanOptionalAction):
        if not isinstance(value, bool):
            raise RnnlmError(f"{where} must be true or false, got {shown(value)}")
        return value
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise RnnlmError(f"{where} must be one number or string, got {shown(value)}")
    try:
        value = action.type(str(value)) if action.type else str(value)
    except argparse.ArgumentTypeError as error:
        raise RnnlmError(f"{where} {error}") from None
    if action.choices and value not in action.choices:
        raise RnnlmError(f"{where} must be one of {', '.join(map(str, action.choices))}, got {shown(repr(value))}")
    return value


def toml(values):
    """A dict of strings, numbers, booleans and None as TOML; None, which TOML lacks, becomes a comment."""
    lines = []
    for name, value in values.items():
        key = name.replace("_", "-")
        # JSON writes strings, booleans and finite numbers as TOML does, but for DEL and beyond the 16-bit plane.
        text = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        lines.append(f"# {key} is not set" if value is None else f"{key} = {text}")
    return "\n".join(lines) + "\n"
