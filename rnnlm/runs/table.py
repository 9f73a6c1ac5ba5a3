"""A table of options: those of one command, what was given, and what follows from that.

Options come to a run from a file and from the command line.  Both are merged once, as a
dict of what was given, by name; ``resolved`` adds the defaults, and what follows.
"""

from types import SimpleNamespace

from rnnlm.errors import RnnlmError, nearest, shown
from rnnlm.runs.option import OF_THE_LINE


class Table:
    """The options of a command.

    groups : a dict from a title to the Options of that group, the most used first.
    """

    def __init__(self, groups):
        self.groups = groups
        self.options = [option for options in groups.values() for option in options]
        self.by_name = {option.name: option for option in self.options}
        self.by_key = {option.key: option for option in self.options if not option.argument}
        self.by_key |= {alias: option for option in self.options for alias in option.aliases.split()}

    def resolved(self, given):
        """All options as attributes: given (a dict), by default, or following.

        None is the same as not given.  ``given`` of the result has the names of those
        that were given, in the table's order.
        """
        given = {name: value for name, value in given.items() if value is not None}
        options = SimpleNamespace(**{option.name: option.default for option in self.options} | given)
        for option in self.options:  # an option stands behind the one that it follows from
            if option.derived and option.name not in given:
                setattr(options, option.name, option.derived(options))
        options.given = [name for name in self.by_name if name in given]
        return options

    def checked(self, values, where, began=False):
        """What a file says, its values checked, a dict by the options' names.

        Parameters
        ----------
        values : the content; keys may be aliases, with hyphens or underscores.
        where : what to call the file in a message.
        began : see Option.in_a_file.

        Raises
        ------
        RnnlmError : an unknown option, one that is there twice, or a wrong value.
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
        """The keys and values of a file, a dict of pairs by the option's name.

        An unknown key is its own name.  RnnlmError if an option is there twice.
        """
        found = {}
        for key, value in values.items():
            option = self.by_key.get(key.replace("_", "-"))
            name = option.name if option else key.replace("-", "_")
            if name in found:
                raise RnnlmError(f"{where}: {shown(found[name][0])} and {shown(key)} are the same option: remove one")
            found[name] = key, value
        return found

    def meant(self, word, in_a_file=False, also=()):
        """What an unknown option probably means: the end of a message, or "".

        also : names of options of the line that a file may have all the same.
        """
        word = str(word).lstrip("-").replace("_", "-").lower()
        known = {key: option for key, option in self.by_key.items()
                 if not in_a_file or option.scope != OF_THE_LINE or option.name in also}
        for option in self.options:
            if word in option.meant_by.split() and option in known.values():
                return f": did you mean {option.key if in_a_file else option.flag}?"
        near = known.get(word) or known.get(nearest(word, known))
        return f": did you mean {near.key if in_a_file else near.flag}?" if near else ""
