"""A table of one command's options, in groups: what was given, and what follows.

Options come to a run from a file and from the command line; both are merged once, as a
dict of what was given, by name.  ``resolved`` adds the defaults, and what follows from
other options.
"""

from types import SimpleNamespace

from rnnlm.errors import RnnlmError, nearest, shown
from rnnlm.runs.option import OF_THE_LINE


class Table:
    """The options of a command.

    groups: dict from a title to the Options of that group, the most used first.
    """

    def __init__(self, groups):
        self.groups = groups
        self.options = [option for options in groups.values() for option in options]
        self.by_name = {option.name: option for option in self.options}
        self.by_key = {option.key: option for option in self.options if not option.argument}
        self.by_key |= {alias: option for option in self.options for alias in option.aliases.split()}

    def resolved(self, given):
        """All options, as attributes: those given, the defaults, and what follows.

        ``given``: a dict by name; None is the same as nothing.  The result's ``given``:
        the names of those that were given, in the table's order.  An option that
        follows from another one comes after it in the table.
        """
        given = {name: value for name, value in given.items() if value is not None}
        options = SimpleNamespace(**{option.name: option.default for option in self.options} | given)
        for option in self.options:
            if option.derived and option.name not in given:
                setattr(options, option.name, option.derived(options))
        options.given = [name for name in self.by_name if name in given]
        return options

    def checked(self, values, where, began=False):
        """What a file says, its values checked: a dict by the options' names.

        Parameters
        ----------
        values : the file's content; its keys may be aliases and have hyphens or
            underscores.
        where : what a message calls the file.
        began : see Option.in_a_file.

        Raises
        ------
        RnnlmError : an unknown option, one that is there twice, or a value that it does
            not take.
        """
        given = {}
        for name, (key, value) in self.by_option(values, where).items():
            option = self.by_name.get(name)
            if option is None or option.scope == OF_THE_LINE:
                raise RnnlmError(f"{where}: unknown option {shown(repr(key))}{self.meant(key, in_a_file=True)}")
            if value is not None:
                given[name] = option.in_a_file(value, f"{where}: {shown(key)}", began)
        return given

    def by_option(self, values, where):
        """Pairs of a file: the option's name, or an unknown one's key, and the value.

        RnnlmError if an option is there twice.
        """
        found = {}
        for key, value in values.items():
            option = self.by_key.get(key.replace("_", "-"))
            name = option.name if option else key.replace("-", "_")
            if name in found:
                raise RnnlmError(f"{where}: {shown(found[name][0])} and {shown(key)} are the same option: remove one")
            found[name] = key, value
        return found

    def meant(self, word, in_a_file=False):
        """The end of a message about an unknown option.

        A question if one of the table is probably meant, otherwise "".
        """
        word = str(word).lstrip("-").replace("_", "-").lower()
        known = {key: option for key, option in self.by_key.items() if not in_a_file or option.scope != OF_THE_LINE}
        for option in self.options:
            if word in option.meant_by.split() and option in known.values():
                return f": did you mean {option.key if in_a_file else option.flag}?"
        near = known.get(word) or known.get(nearest(word, known))
        return f": did you mean {near.key if in_a_file else near.flag}?" if near else ""
