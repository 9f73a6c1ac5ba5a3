"""The words of a command line, made so that argparse cannot misread them.

It takes a word that begins with a dash for an option, -1 for a number, -hx for -h and
-x, and two dashes for nothing; versions of Python differ in it.  But Penn Treebank's
brackets are written -lrb-, and a text may be called anything.  So each value is joined
to its option, and every word that is no option gets a mark before it.
"""

from rnnlm.errors import nearest, shown

MARK = ":"  # before values and arguments
UNKNOWN = "--:"  # before words that look like options, which no option begins with


class Words:
    """Marks the words of one command's lines.

    Parameters
    ----------
    flags : the command's Options, a dict by what is typed for each.
    ends : the names of what is done instead of the command, such as --help.
    error : function of a message that does not return, for a wrong line.
    several : whether words after the value of an option that may be repeated are more
        values of it: not where they may be arguments.
    """

    def __init__(self, flags, ends, error, several=False):
        self.flags, self.ends, self.error, self.several = flags, ends, error, several
        self.names = [*flags, *(name for name in ends if name not in flags)]

    def marked(self, argv):
        """The words for argparse.  An error if a value is missing or too many."""
        words, rest = [], list(argv)
        while rest:
            word = rest.pop(0)
            flag, equals, value = word.partition("=")
            if word == "--":
                return [*words, *(MARK + word for word in rest)]
            if word in self.ends:  # what follows does not matter
                return [*words, word]
            if flag not in self.flags:
                words.append(UNKNOWN + word if _dashed(word) else MARK + word)
            elif self.flags[flag].takes_a_value:
                words.append(f"{flag}={MARK}{value if equals else self._value(flag, rest)}")
                while self._is_more(flag, rest):
                    words.append(f"{flag}={MARK}{rest.pop(0)}")
            elif equals:
                self.error(f"argument {flag}: takes no value, got {shown(repr(value))}")
            else:
                words.append(word)
        return words

    def _value(self, flag, rest):
        """The value of an option, taken from the words that follow it."""
        if not rest or self._looks_like_an_option(rest[0]):
            any_text = self.flags[flag].takes_any_text
            hint = f"; write a value that looks like an option as {flag}=VALUE" if any_text else ""
            self.error(f"argument {flag}: expected one argument{hint}")
        return rest.pop(0)

    def _is_more(self, flag, rest):
        """Whether the next word is one more value of an option, as of ``*.txt``."""
        return self.several and self.flags[flag].can_be_repeated and rest and not (
            rest[0] in self.ends or _dashed(rest[0]))

    def _looks_like_an_option(self, word):
        """Whether a word is an option, the beginning of one or a misspelt one."""
        flag = word.split("=")[0]
        if flag in self.names or word == "--":
            return True
        if not word.startswith("--") or " " in flag:
            return False
        return any(name.startswith(flag) for name in self.names) or nearest(flag, self.names, 0.8) is not None


def unmarked(word):
    """The word as it was typed."""
    return word.partition(MARK)[2]


def _dashed(word):
    return word.startswith("-") and len(word) > 1 and " " not in word
