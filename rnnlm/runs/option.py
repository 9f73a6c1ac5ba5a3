"""An option of a command is one record, from which everything else is read.

The parser, the checks of values, the help, the page of options, the keys of TOML files,
what follows from what, and what a resumed run may change: none of them says it again.
"""

from collections.abc import Callable
from dataclasses import dataclass

from rnnlm.errors import RnnlmError, quoted, shown
from rnnlm.runs.checks import (
    LARGEST_SEED,
    Names,
    OneOf,
    RefusedInNewRuns,
    WholeNumbers,
    WrongValue,
    any_text,
    file_path,
    not_empty,
    threads,
)
from rnnlm.runs.marks import marks

SWITCH, FLAG = "switch", "flag"  # options without a value: --name and --no-name, or --name alone
OF_THE_RUN, OF_THE_COMMAND, OF_THE_LINE = "run", "command", "line"  # where an option counts


@dataclass(frozen=True, eq=False)
class Option:
    """One option.

    Parameters
    ----------
    name : as an attribute; ``wordvec_size`` is --wordvec-size, and wordvec-size in a
        file.
    check : function from the text of a value to the value (see rnnlm.runs.checks); or
        SWITCH, for --name and --no-name; or FLAG, for --name alone.
    help : what the option does, in words that can be read alone, without the default.
    default : the value where nothing is given.
    metavar : what the help writes for a value.
    follows : the option from which the default follows.
    derived : function of the resolved options: that default.
    default_text : the default in words, where the value does not say it.
    acts : function of the resolved options: whether the option does anything.
    acts_with : in words, with which other options it does.
    may_change : whether a resumed run may have another value.
    fixed_where : function of a run's options, a dict: whether it may not, all the same.
    fixed_with : in words, with which other options that is.
    aliases : names that are taken for it, with spaces between them.
    meant_by : names that lead to a "did you mean", with spaces between them.
    scope : OF_THE_RUN: a checkpoint keeps it; OF_THE_COMMAND: a file may hold it, but
        no checkpoint keeps it; OF_THE_LINE: it has a meaning on the command line only.
    excludes : an option that cannot be given with it.
    argument : whether it is a word without a name.
    optional : whether an argument may be left out.
    many : whether it is one or more of them; with a name it may be given several times,
        or have several values, and its value is the list of all values.
    """

    name: str
    check: Callable | str
    help: str
    default: object = None
    metavar: str = ""
    follows: str = ""
    derived: Callable | None = None
    default_text: str = ""
    acts: Callable | None = None
    acts_with: str = ""
    may_change: bool = False
    fixed_where: Callable | None = None
    fixed_with: str = ""
    aliases: str = ""
    meant_by: str = ""
    scope: str = OF_THE_RUN
    excludes: str = ""
    argument: bool = False
    optional: bool = False
    many: bool = False

    @property
    def key(self):
        """The name in a file: wordvec-size."""
        return self.name.replace("_", "-")

    @property
    def flag(self):
        """The name on the command line: --wordvec-size."""
        return f"--{self.key}"

    @property
    def takes_a_value(self):
        """Whether a value follows the name."""
        return callable(self.check)

    @property
    def can_be_repeated(self):
        """Whether it may be given several times."""
        return self.many and not self.argument

    @property
    def takes_any_text(self):
        """Whether nearly every word is a value of it."""
        return self.check in (any_text, not_empty, file_path) or isinstance(self.check, Names)

    @property
    def value_in_words(self):
        """What the help writes for a value: H, or {word,char}; "" without one."""
        if not self.takes_a_value:
            return ""
        if isinstance(self.check, OneOf):
            return f"{{{','.join(self.check.choices)}}}"
        return self.metavar or self.name.upper()

    @property
    def default_in_words(self):
        """The default as the help tells it; "" where there is nothing to tell."""
        if self.default_text or self.default is None or self.default == "" or self.default is False:
            return self.default_text
        return f"{self.default:g}" if isinstance(self.default, float) else str(self.default)

    @property
    def takes_a_list(self):
        """Whether Python and files may give a list for what has commas otherwise."""
        return isinstance(self.check, WholeNumbers | Names) or self.check is marks

    def as_typed(self, value):
        """The option with a value as on the command line."""
        if self.check == SWITCH:
            return self.flag if value else f"--no-{self.key}"
        if isinstance(value, list):
            if self.many:
                return " ".join([self.flag, *(shown(quoted(str(one))) for one in value)])
            value = with_commas(value)
        return f"{self.flag} {shown(quoted(value)) if isinstance(value, str) else value_shown(value)}"

    def may_change_in(self, options):
        """Whether a run with these options, a dict, may change it on resume."""
        return self.may_change and not (self.fixed_where and self.fixed_where(options))

    def in_a_file(self, value, where, began=False):
        """A value of a TOML file or a checkpoint, checked.

        Parameters
        ----------
        where : what to call the value in a message.
        began : whether a run began with it, and so may keep what a new one may not
            have.

        Raises
        ------
        RnnlmError : the option does not take the value.
        """
        if not self.takes_a_value:
            return _switched(value, where)
        if self.takes_a_list and isinstance(value, list | tuple):
            value = with_commas(value)
        if self.many and isinstance(value, list):
            if not value:
                raise RnnlmError(f"{where} must not be an empty list")
            return [self._one_in_a_file(one, where, began) for one in value]
        return self._one_in_a_file(value, where, began)

    def _one_in_a_file(self, value, where, began):
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise RnnlmError(f"{where} {self._wrong_kind(value)}")
        if isinstance(value, int) and abs(value) > LARGEST_SEED:  # which may have too many digits to be written
            raise RnnlmError(f"{where} must be a number of at most {LARGEST_SEED.bit_length()} bits, got one of "
                             f"{value.bit_length()}")
        if isinstance(value, str) and "\0" in value:
            raise RnnlmError(f"{where} must not hold the character NUL, got {shown(repr(value))}")
        try:
            return self.check(str(value))
        except RefusedInNewRuns as error:
            if began:
                return error.value
            raise RnnlmError(f"{where} {error}") from None
        except WrongValue as error:
            raise RnnlmError(f"{where} {error}") from None


    def _wrong_kind(self, value):
        """What is wrong with a value that is neither a number nor a string."""
        try:
            self.check(_AsItIs(value_shown(value)))
        except WrongValue as error:  # the option's own rule says more than one about kinds
            return str(error)
        several = ", or a list of strings" if self.many or self.takes_a_list else ""
        return f"must be a string{several}, got {value_shown(value)}"


class _AsItIs(str):
    """What is no string, for a check: its message shows it without quotation marks."""

    def __repr__(self):
        return str(self)


def require_acting(table, options):
    """RnnlmError for a given option of the records ``table`` that does nothing here."""
    for option in table:
        if option.name in options.given and option.acts and not option.acts(options):
            raise RnnlmError(f"{option.flag} needs {option.acts_with}: give that as well, or leave {option.flag} out")


def with_commas(values):
    """The values of a list with commas between them, as on the command line."""
    return ",".join(hex(value) if isinstance(value, int) and value.bit_length() > 128 else str(value)
                    for value in values)


def value_shown(value):
    """A value of an option in a message, as Python and TOML write it.

    Python refuses to write whole numbers of many digits, but in base 16.
    """
    if isinstance(value, int) and value.bit_length() > 128:
        return shown(hex(value))
    try:
        return shown(repr(value))
    except ValueError:  # there is one in it
        return f"a {type(value).__name__} with a number of thousands of digits"


def _switched(value, where):
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        raise RnnlmError(f'{where} must be true or false, got the string "{value}": write {value} without quotation '
                         "marks")
    raise RnnlmError(f"{where} must be true or false, got {value_shown(value)}")


# Options of every command that computes.
CHARGE_UNKNOWN = Option(
    "charge_unknown", FLAG, "count in bits per byte how unknown words are spelled, by a small model of the spelling of "
    "the vocabulary's words", False, meant_by="spelling")
THREADS = Option("threads", threads, "number of threads to compute with", metavar="K", may_change=True,
                 default_text="one for each core this process may use",
                 meant_by="cores cpus jobs n-jobs n-threads num-threads workers")
DEBUG = Option("debug", FLAG, "show the traceback of an error", False, scope=OF_THE_LINE)
