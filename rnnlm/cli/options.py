"""Options of the commands: the parser, and the types of their values."""

import argparse
import math
import os
import re
import sys

import numpy as np

from rnnlm.cli.arguments import meant, with_values_joined
from rnnlm.cli.screen import note, show
from rnnlm.errors import one_line, quoted, shown
from rnnlm.models.start import LARGEST as LARGEST_GAIN
from rnnlm.models.start import SMALLEST as SMALLEST_GAIN


class Parser(argparse.ArgumentParser):
    """The parser of a command: wrong usage is one line, like all errors."""

    def __init__(self, prog, description):
        super().__init__(prog=prog, description=description, formatter_class=HelpFormatter)

    def parse_args(self, args=None, namespace=None):
        """The options; a value may begin with a dash. What is left over is wrong usage."""
        arguments = with_values_joined(sys.argv[1:] if args is None else args, self._option_string_actions)
        options, left = self.parse_known_args(arguments, namespace)
        if left:
            self.error(f"unrecognized arguments: {' '.join(left)}{self._meant(left)}")
        return options

    def _get_values(self, action, arg_strings):
        """The value of an option; argparse would take two dashes, ``--prompt=--``, away and leave an empty list."""
        if action.option_strings and action.nargs is None and arg_strings == ["--"]:
            value = self._get_value(action, "--")
            self._check_value(action, value)
            return value
        return super()._get_values(action, arg_strings)

    def _meant(self, words):
        """What was meant by words that nothing takes, a question, or nothing."""
        option = next((word for word in words if word.startswith("-")), None)
        if words[0] != option and "--corpus" in self._option_string_actions and os.path.exists(words[0]):
            return f": did you mean --corpus {quoted(words[0])}?"
        return meant(option.split("=")[0], self._option_string_actions) if option else ""

    def error(self, message):
        """Say what is wrong, without all options before it, and exit with 2."""
        alone = re.fullmatch("argument (.*/)?(--[^ /]+): expected one argument", message)
        if alone and self._option_string_actions[alone[2]].type in (None, not_empty):
            message += f"; write a value that looks like an option as {alone[2]}=VALUE"
        self.exit(2, f"{self.prog}: error: {one_line(message)} (--help shows all options)\n")

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

    def add_usage(self, usage, actions, groups, prefix=None):
        """One line; the options, some of which are many, are listed below it."""
        words = [self._format_args(action, action.dest) for action in actions if not action.option_strings]
        super().add_usage(" ".join(["%(prog)s", *words, "[options]"]), actions, groups, prefix)


LARGEST = 10**14  # of a whole number: far beyond what can be counted, and no more than the library takes
LARGEST_SIZE = 10**6  # the square of which is still a number of bytes that a system can refuse
LARGEST_SEED = 2**128 - 1
MOST_THREADS = 1024
SMALLEST_RATIO = 1e-5  # a mask is drawn from 16 random bits a value: less than half of 1 / 65536 would be 0


class RefusedInNewRuns(argparse.ArgumentTypeError):
    """``value`` is possible but a slip, or without effect; a run that began with it before that was refused resumes."""

    def __init__(self, message, value):
        super().__init__(message)
        self.value = value


def number(kind, rule, holds):
    """An argparse type: a finite ``kind`` (int or float) for which ``holds``; ``rule`` says it in words.

    It must hold for a float in 32 bits, too, as that is what the models compute with.
    """

    def convert(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or value in (math.inf, -math.inf) or not holds(value):
            raise argparse.ArgumentTypeError(f"must be {rule}, got {shown(repr(text))}")
        if kind is float:
            _require_in_32_bits(text, value, rule, holds)
        return value

    return convert


def _require_in_32_bits(text, value, rule, holds):
    with np.errstate(all="ignore"):
        rounded = float(np.float32(value))
    if math.isinf(rounded) or (rounded == 0) != (value == 0) or not holds(rounded):
        raise RefusedInNewRuns(f"must be {rule}, got {shown(repr(text))}, which is {rounded:g} in 32-bit numbers",
                               value)


def at_least(smallest, largest=LARGEST):
    """A whole number from ``smallest`` on; beyond ``largest`` it is taken for a slip."""
    convert = number(int, f"a whole number of at least {smallest}", lambda value: value >= smallest)

    def bounded(text):
        value = convert(text)
        if value > largest:
            raise argparse.ArgumentTypeError(f"must be at most {largest:,}, got {shown(repr(text))}")
        return value

    return bounded


def between(smallest, largest):
    """A whole number from ``smallest`` to ``largest``."""
    return number(int, f"a whole number from {smallest} to {largest}", lambda value: smallest <= value <= largest)


def not_empty(text):
    """A name of a file: an empty one would mean the current folder, and none has a NUL."""
    if not text:
        raise argparse.ArgumentTypeError("must not be empty")
    if "\0" in text:
        raise argparse.ArgumentTypeError(f"must not hold the character NUL, got {shown(repr(text))}")
    return text


positive = number(float, "a number above 0", lambda value: value > 0)
not_negative = number(float, "a number of at least 0", lambda value: value >= 0)
above_one = number(float, "a number above 1", lambda value: value > 1)
below_one = number(float, "a number of at least 0 and below 1", lambda value: 0 <= value < 1)
from_zero_to_one = number(float, "a number from 0 to 1", lambda value: 0 <= value <= 1)
share = number(float, "a number above 0 and at most 1", lambda value: 0 < value <= 1)


def size(text):
    """A size of arrays."""
    value = number(int, "a whole number of at least 1", lambda value: value >= 1)(text)
    if value > LARGEST_SIZE:
        raise RefusedInNewRuns(f"must be at most {LARGEST_SIZE:,}, got {shown(repr(text))}", value)
    return value


def gain(text):
    """A factor on initial weights."""
    value = positive(text)
    if not SMALLEST_GAIN <= value <= LARGEST_GAIN:
        raise RefusedInNewRuns(f"must be a number from {SMALLEST_GAIN:g} to {LARGEST_GAIN:g}, got {shown(repr(text))}",
                               value)
    return value


def ratio(text):
    """The share of a dropout: 0, or enough to leave anything out."""
    value = below_one(text)
    if 0 < value < SMALLEST_RATIO:
        raise RefusedInNewRuns(f"must be 0 or at least {SMALLEST_RATIO:g}, because less drops nothing, got "
                               f"{shown(repr(text))}", value)
    return value


def add_threads(add):
    """The option of every command that computes; ``add`` is an add_argument."""
    add("--threads", type=at_least(1, MOST_THREADS), metavar="K",
        help="number of threads to compute with (default: one for each core this process may use)")


def given(parser, argv):
    """The options that stand on the command line, by name, with their values.  Takes the parser's defaults away."""
    for action in parser._actions:
        action.default = argparse.SUPPRESS
    return vars(parser.parse_args(argv))
