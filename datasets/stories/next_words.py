"""The true distribution of the next word, given everything before it.

`Grammar.score` looks at a whole story. `NextWords` reads word by word, and keeps every
path of choices that agrees with the words so far, with its probability given them (its
posterior). A path stops before its next word. So the probability of a next word is the
sum over the paths that stop before it: no path is dropped that could still come true.

The text is an endless row of independent stories. Where a path reaches the end of its
story, the next story begins. A story that ends in `today .` ends in no other way, so
all paths reach that border together, and nothing from before it matters after it.
"""

import math

from grammar import is_command, prepend  # the file next to this one


class NextWords:
    """Reads a text word by word; `distribution` is what the next word may be."""

    def __init__(self, grammar):
        self.grammar = grammar
        self._stop_at_words([(None, {}, 1.0)])

    def read(self, word):
        """Go on past `word`; ValueError if it is impossible here."""
        if word not in self.distribution:
            raise ValueError(f"{word} is impossible here: possible are {', '.join(sorted(self.distribution))}")
        p = self.distribution[word]
        self._stop_at_words([(rest, facts, q / p) for first, rest, facts, q in self._paths if first == word])

    def _stop_at_words(self, agenda):
        """Follow all choices up to the next word; the rest is left for later.

        A path on the agenda is (symbols still to expand, facts, probability). One that
        has stopped is (word, symbols after it, facts, probability).
        """
        self._paths = []
        while agenda:
            pending, facts, p = agenda.pop()
            if pending is None:  # the story is over, and another begins
                pending, facts = (self.grammar.start, None), {}
            symbol, rest = pending
            if not is_command(symbol):
                self._paths.append((symbol, rest, facts, p))
            elif symbol.startswith("{"):
                agenda.append((prepend(facts[symbol[1:-1]], rest), facts, p))
            else:
                agenda.extend((pending, facts, p * weight)
                              for pending, facts, weight in self.grammar.choices(symbol, rest, facts))
        self.distribution = _sums(self._paths)


def _sums(paths):
    """Probabilities by word."""
    shares = {}
    for word, _, _, p in paths:
        shares.setdefault(word, []).append(p)
    return {word: math.fsum(ps) for word, ps in shares.items()}


def surprisal(distribution, word):
    """-log2 p(word), bits."""
    return -math.log2(distribution[word])


def entropy(distribution):
    """The expected surprisal, bits."""
    return math.fsum(p * surprisal(distribution, word) for word, p in distribution.items())
