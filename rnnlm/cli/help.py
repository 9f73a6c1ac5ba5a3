"""The help of a command: how it is called, what it does, and its options."""

import shutil
import textwrap

from rnnlm.runs.option import SWITCH

COLUMN = 24  # where the help of an option begins
NARROWEST = 40  # columns that a help can be read in


def help_text(prog, about, table):
    """The help, as wide as the terminal."""
    width = max(NARROWEST, shutil.get_terminal_size().columns - 2)
    arguments = [option for option in table.options if option.argument]
    lines = [f"usage: {' '.join([prog, *map(_usage, arguments), '[options]'])}", "", *textwrap.wrap(about, width)]
    for title, options in {"arguments": arguments, **table.groups}.items():
        options = [option for option in options if not option.argument or title == "arguments"]
        if options:
            lines += ["", f"{title}:"]
        for option in options:
            lines += _entry(names(option), sentence(option), width)
    return "\n".join([*lines, *_entry("-h, --help", "show this help and exit", width)]) + "\n"


def _usage(option):
    return f"{option.metavar} [{option.metavar} ...]" if option.many else option.metavar


def names(option):
    """An option as it is written, with the name of its value."""
    if option.argument:
        return option.metavar
    if option.check == SWITCH:
        return f"{option.flag}, --no-{option.key}"
    return f"{option.flag} {option.value_in_words}".rstrip()


def sentence(option):
    """What an option does, its default, and other names that it has."""
    default = [f"default: {option.default_in_words}"] if option.default_in_words else []
    others = [f"also {' and '.join(f'--{alias}' for alias in option.aliases.split())}"] if option.aliases else []
    return option.help + (f" ({'; '.join([*default, *others])})" if default or others else "")


def _entry(name, text, width):
    """The name in a column of its own, or above the text where it is too long."""
    lines = textwrap.wrap(text, width - COLUMN, break_long_words=False, break_on_hyphens=False)
    if len(name) + 4 > COLUMN:
        return [f"  {name}", *(" " * COLUMN + line for line in lines)]
    return [f"  {name}".ljust(COLUMN) + lines[0], *(" " * COLUMN + line for line in lines[1:])]
