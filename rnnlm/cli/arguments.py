"""The command line, read once by the command's table into what was given.

argparse reads it and writes the help, from what the table says of each option.
"""

import argparse
import os
import shutil
import sys
import textwrap
from types import SimpleNamespace

from rnnlm.cli.screen import note, show
from rnnlm.cli.words import UNKNOWN, Words, unmarked
from rnnlm.errors import one_line, quoted
from rnnlm.runs.checks import WrongValue
from rnnlm.runs.option import SWITCH

NARROWEST = 40  # columns that a help can be read in
COLUMN = 24  # where the text on an option begins, at most
UNCOLOURED = {"color": False} if sys.version_info >= (3, 14) else {}  # before, nothing was coloured


class Parser(argparse.ArgumentParser):
    """Reads the line of one command.

    Parameters
    ----------
    prog : the command's name in messages; None: that of the program.
    about : what the command does, for the help.
    table : its options, a Table.
    actions : a dict of functions by the name of an option.  When the option is met, the
        function is called instead of the command; --help is such an option.
    """

    def __init__(self, prog, about, table, actions=None):
        usage = [_usage(option) for option in table.options if option.argument]
        super().__init__(
            prog=prog or os.path.basename(sys.argv[0]), usage=" ".join(["%(prog)s", *usage, "[options]"]),
            description=_wrapped(about), formatter_class=argparse.RawTextHelpFormatter, add_help=False,
            allow_abbrev=False, argument_default=argparse.SUPPRESS, **UNCOLOURED)  # defaults: see Table.resolved
        self.about, self.table = about, table
        self.actions = {f"--{name}": action for name, action in (actions or {}).items()}
        flags = {f"--{key}": option for key, option in table.by_key.items()}
        flags |= {f"--no-{option.key}": option for option in table.options if option.check == SWITCH}
        self.words = Words(flags, ["-h", "--help", *self.actions], self.error,
                           several=not usage)
        self.names = self.words.names
        self._add_options()

    def _add_options(self):
        """Tell argparse all that the table says."""
        arguments = self.add_argument_group("arguments")
        for title, options in self.table.groups.items():
            group = self.add_argument_group(title)
            either = {}  # two of which one excludes the other
            for option in options:
                if option.excludes:
                    either[option.name] = either[option.excludes] = group.add_mutually_exclusive_group()
            for option in options:
                if option.argument:
                    arguments.add_argument(option.name, nargs=_count(option), **_described(option))
                else:
                    self._add_option(either.get(option.name, group), option)
        group.add_argument("-h", "--help", action=_Instead, function=self.print_help,
                           help=_wrapped("show this help and exit", COLUMN))

    def _add_option(self, group, option):
        """Tell argparse one option; the help has its other names in the sentence."""
        how = {"dest": option.name, **_described(option)}
        if option.flag in self.actions:
            how |= {"action": _Instead, "function": self.actions[option.flag]}
        elif not option.takes_a_value:
            how |= {"action": argparse.BooleanOptionalAction if option.check == SWITCH else "store_true"}
        elif option.can_be_repeated:
            how |= {"action": "append"}
        group.add_argument(option.flag, **how)
        for alias in option.aliases.split():
            group.add_argument(f"--{alias}", **how | {"help": argparse.SUPPRESS})

    def parse_args(self, argv=None):
        """All options as attributes; ``line`` has those that are on the line, by name.

        Raises
        ------
        SystemExit : wrong usage, after one line on standard error; or the end of an
            action such as --help.
        """
        given = self.given(sys.argv[1:] if argv is None else argv)
        return SimpleNamespace(**vars(self.table.resolved(given)), line=given)

    def given(self, argv):
        """What stands on the line, a dict by name.  SystemExit as in parse_args."""
        given, left = self.parse_known_intermixed_args(self.words.marked(argv))
        if left:
            self.error(f"unrecognized arguments: {' '.join(map(unmarked, left))}{self._meant(left)}")
        return vars(given)

    def _meant(self, left):
        """What was meant by words that nothing takes, a question, or nothing."""
        options = [unmarked(word) for word in left if word.startswith(UNKNOWN)]
        if (word := unmarked(left[0])) not in options and "corpus" in self.table.by_name and os.path.exists(word):
            return f": did you mean --corpus {quoted(word)}?"
        return self.table.meant(options[0].split("=")[0]) if options else ""

    def error(self, message):
        """End the command with one line and exit code 2."""
        note(f"{self.prog}: error: {one_line(message)} (--help shows all options)")
        raise SystemExit(2)

    def print_help(self, file=None):
        """All options on standard output, or an error that says why not."""
        show(self.format_help())


class _Instead(argparse.Action):
    """An option whose ``function`` is called instead of the command."""

    def __init__(self, option_strings, dest, function, **how):
        super().__init__(option_strings, dest, nargs=0, **how)
        self.function = function

    def __call__(self, parser, namespace, values, option_string=None):
        self.function()
        parser.exit()


def sentence(option):
    """What an option does, its default, other names, and whether it can be repeated."""
    default = [f"default: {option.default_in_words}"] if option.default_in_words else []
    others = [f"also {' and '.join(f'--{alias}' for alias in option.aliases.split())}"] if option.aliases else []
    repeated = ["may be given several times"] if option.can_be_repeated else []
    said = [*default, *others, *repeated]
    return option.help + (f" ({'; '.join(said)})" if said else "")


def _usage(option):
    if option.optional:
        return f"[{option.metavar} ...]"
    return f"{option.metavar} [{option.metavar} ...]" if option.many else option.metavar


def _count(option):
    """How many words an argument is, as argparse calls it."""
    if option.many:
        return "*" if option.optional else "+"
    return None


def _described(option):
    """What argparse is told of an option, whatever its kind."""
    how = {"help": _wrapped(sentence(option), COLUMN).replace("%", "%%")}
    return how | {"metavar": option.value_in_words, "type": _type(option)} if option.takes_a_value else how


def _type(option):
    """The option's check, as argparse calls it."""

    def check(word):
        try:
            return option.check(unmarked(word))
        except WrongValue as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return check


def _wrapped(text, column=0):
    """The text as lines; argparse would break names of options at their hyphens."""
    width = max(NARROWEST, shutil.get_terminal_size().columns - 2) - column
    return "\n".join(textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False))
