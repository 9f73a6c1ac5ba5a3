"""The words of a command line, read once by the command's table into what was given.

The standard library's argparse is not used.  It takes the beginning of an option for
the option, and it misreads values that begin with a dash.
"""

import os
import sys
from types import SimpleNamespace

from rnnlm.cli.help import help_text
from rnnlm.cli.screen import note, show
from rnnlm.errors import nearest, one_line, quoted, shown
from rnnlm.runs.checks import WrongValue
from rnnlm.runs.option import SWITCH


class UsageError(Exception):
    """A line that the command does not take; the message says why."""


class Parser:
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
        self.prog = prog or os.path.basename(sys.argv[0])
        self.about, self.table = about, table
        self.flags = {f"--{key}": (option, True) for key, option in table.by_key.items()}
        self.flags |= {f"--no-{option.key}": (option, False) for option in table.options if option.check == SWITCH}
        self.actions = {"-h": self.print_help, "--help": self.print_help}
        self.actions |= {f"--{name}": action for name, action in (actions or {}).items()}
        self.names = [*self.flags, "-h", "--help"]

    def parse_args(self, argv=None):
        """All options as attributes; ``line`` has those that are on the line, by name.

        Raises
        ------
        SystemExit : wrong usage, after one line on standard error; or the end of an
            action such as --help.
        """
        try:
            given = self.given(sys.argv[1:] if argv is None else argv)
        except UsageError as error:
            note(f"{self.prog}: error: {one_line(str(error))} (--help shows all options)")
            raise SystemExit(2) from None
        return SimpleNamespace(**vars(self.table.resolved(given)), line=given)

    def given(self, argv):
        """What stands on the line, a dict by name.  UsageError if the line is wrong."""
        given, rest = {}, list(argv)
        loose = []  # words that belong to no option, each with whether it looks like one
        while rest:
            word = rest.pop(0)
            if word == "--":
                loose, rest = [*loose, *((word, False) for word in rest)], []
            elif word in self.actions:
                self.actions[word]()
                raise SystemExit(0)
            elif word.split("=")[0] in self.flags:
                self._take(word, rest, given)
            else:
                loose.append((word, word.startswith("-") and len(word) > 1 and " " not in word))
        if left := self._take_arguments(loose, given):
            raise UsageError(f"unrecognized arguments: {' '.join(word for word, _ in left)}{self._meant(left)}")
        return given

    def _take(self, word, rest, given):
        """An option and, if it takes one, its value."""
        flag, equals, value = word.partition("=")
        option, switched = self.flags[flag]
        for other in map(self.table.by_name.get, given):
            if other.excludes == option.name or option.excludes == other.name:
                raise UsageError(f"argument {flag}: not allowed with argument {other.flag}")
        if not option.takes_a_value:
            if equals:
                raise UsageError(f"argument {flag}: takes no value, got {shown(repr(value))}")
            given[option.name] = switched
            return
        if not equals:
            if not rest or self._looks_like_an_option(rest[0]):
                hint = f"; write a value that looks like an option as {flag}=VALUE" if option.takes_any_text else ""
                raise UsageError(f"argument {flag}: expected one argument{hint}")
            value = rest.pop(0)
        given[option.name] = _checked(option, value, flag)

    def _take_arguments(self, loose, given):
        """Take the command's arguments from the loose words; returns the rest."""
        wanted, left = [option for option in self.table.options if option.argument], []
        for word, dashed in loose:
            if dashed or not wanted:
                left.append((word, dashed))
                continue
            option = wanted[0]
            value = _checked(option, word, option.metavar)
            if option.many:
                given.setdefault(option.name, []).append(value)
            else:
                given[option.name] = value
                del wanted[0]
        if missing := [option.metavar for option in wanted if option.name not in given]:
            raise UsageError(f"the following arguments are required: {', '.join(missing)}")
        return left

    def _looks_like_an_option(self, word):
        """Whether a word is an option, the beginning of one or a misspelt one."""
        flag = word.split("=")[0]
        if flag in self.names or word == "--":
            return True
        if not word.startswith("--") or " " in flag:
            return False
        return any(name.startswith(flag) for name in self.names) or nearest(flag, self.names, 0.8) is not None

    def _meant(self, left):
        """What was meant by words that nothing takes, a question, or nothing."""
        word, dashed = left[0]
        if not dashed and "corpus" in self.table.by_name and os.path.exists(word):
            return f": did you mean --corpus {quoted(word)}?"
        option = next((word for word, dashed in left if dashed), None)
        return self.table.meant(option.split("=")[0]) if option else ""

    def print_help(self):
        """All options on standard output, or an error that says why not."""
        show(help_text(self.prog, self.about, self.table))


def _checked(option, value, name):
    try:
        return option.check(value)
    except WrongValue as error:
        raise UsageError(f"argument {name}: {error}") from None
