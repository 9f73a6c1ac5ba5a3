"""A probabilistic grammar with memory: draw a text, or compute its exact probability.

A grammar file holds rules.  A header in capitals begins at the margin, and its
alternatives are indented, one a line.  They are equally likely unless a line begins
with its weight (`3* ...`).  Words alone may follow the header instead, each an
alternative (`BLUE = blue green red`).  An alternative is a row of symbols separated by
spaces:

    word      itself
    RULE      one alternative of that rule
    /         the end of a line
    [TABLE]   choose a row of that table and remember it; no text
    -         nothing
    {fact}    what the remembered row says in the column `fact`

A table is a rule whose header names columns (`GENDER: he | was`) and whose rows fill
them, so a choice made once is heard again many sentences later. A line that begins with
`#` is a comment.

Drawing follows one path of choices. Scoring searches all of them in the order of the
text, drops a path at the first word that differs, and adds up the paths that reach the
end: it never looks at how the text was drawn, and a text with two derivations would
still get its exact probability.
"""

import math
import re
from pathlib import Path
from typing import NamedTuple

EOS = "/"  # the end of a line, in the grammar and in the token lists
NOTHING = "-"


class Rule(NamedTuple):
    """A rule's alternatives (lists of symbols), or a table's rows (lists of words)."""

    columns: tuple  # empty for a rule that is no table
    choices: list
    weights: list  # probabilities: they sum to 1


class Score(NamedTuple):
    """A text's exact natural log probability, and in how many ways it is derived."""

    log_prob: float
    derivations: int


class Grammar:
    """Rules by name; `STORY` is where every derivation begins."""

    def __init__(self, rules, start="STORY"):
        self.rules, self.start = rules, start

    @classmethod
    def read(cls, path):
        """Read a grammar file; ValueError names what is wrong with it."""
        return cls(parse(Path(path).read_text(encoding="utf-8")))

    def draw(self, random):
        """One text, as (tokens, log_prob); `random()` gives numbers in [0, 1)."""
        tokens, facts, log_prob = [], {}, 0.0
        pending = [self.start]  # the next symbol is the last
        while pending:
            symbol = pending.pop()
            if not is_command(symbol):
                tokens.append(symbol)
            elif symbol.startswith("{"):
                pending.extend(reversed(facts[symbol[1:-1]]))
            else:
                rule = self.rules[symbol.strip("[]")]
                index = _pick(rule.weights, random())
                log_prob += math.log(rule.weights[index])
                if symbol.startswith("["):
                    facts.update(zip(rule.columns, rule.choices[index], strict=True))
                else:
                    pending.extend(reversed(rule.choices[index]))
        return tokens, log_prob

    def score(self, tokens):
        """The exact probability of the text `tokens`: the sum over its derivations."""
        found = list(self._derivations(tokens))
        top = max(found, default=-math.inf)
        if top == -math.inf:
            return Score(-math.inf, 0)
        return Score(top + math.log(math.fsum(math.exp(x - top) for x in found)), len(found))

    def _derivations(self, tokens):
        """Yield each log probability of a derivation of exactly `tokens`, depth first.

        A path is (symbols still to expand, tokens matched, facts, log probability). The
        symbols are a linked list (first, rest), so that paths share their tails instead
        of copying them.
        """
        paths = [((self.start, None), 0, {}, 0.0)]
        while paths:
            pending, matched, facts, log_prob = paths.pop()
            while pending is not None:
                symbol, pending = pending
                if not is_command(symbol):
                    if matched == len(tokens) or tokens[matched] != symbol:
                        break  # this path says something else
                    matched += 1
                elif symbol.startswith("{"):
                    pending = prepend(facts[symbol[1:-1]], pending)
                else:
                    for expanded, remembered, weight in self.choices(symbol, pending, facts):
                        paths.append((expanded, matched, remembered, log_prob + math.log(weight)))
                    break  # its continuations are on the agenda
            else:
                if matched == len(tokens):
                    yield log_prob

    def choices(self, symbol, rest, facts):
        """Yield (symbols to expand, facts, probability) of every choice at a symbol.

        `symbol` is a RULE or a [TABLE], `rest` are the symbols after it.
        """
        rule = self.rules[symbol.strip("[]")]
        for choice, weight in zip(rule.choices, rule.weights, strict=True):
            if symbol.startswith("["):
                yield rest, facts | dict(zip(rule.columns, choice, strict=True)), weight
            else:
                yield prepend(choice, rest), facts, weight


def parse(text):
    """The rules in a grammar file's text, by name; their weights add up to 1."""
    rules = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if not line[0].isspace():
            name, rule = _header(line)
            if name in rules:
                raise ValueError(f"line {number}: the rule {name} is defined twice")
            rules[name] = rule
        else:
            _add_alternative(rule, line, number)
    for rule in rules.values():
        total = math.fsum(rule.weights)
        rule.weights[:] = [weight / total for weight in rule.weights]
    _check_names(rules)
    return rules


def _header(line):
    head, _, words = line.partition("=")
    name, _, columns = head.partition(":")
    rule = Rule(tuple(columns.replace("|", " ").split()), [], [])
    for word in words.split():
        rule.choices.append([[word]] if rule.columns else [word])
        rule.weights.append(1.0)
    return name.strip(), rule


def _add_alternative(rule, line, number):
    weight, body = re.fullmatch(r"\s+(?:([\d.]+)\*)?(.*)", line).groups()
    cells = [[symbol for symbol in cell.split() if symbol != NOTHING] for cell in body.split("|")]
    if len(cells) != max(1, len(rule.columns)):
        raise ValueError(f"line {number}: a row must fill the columns {rule.columns}, got {len(cells)} cells")
    rule.choices.append(cells if rule.columns else cells[0])
    rule.weights.append(float(weight or 1))


def _check_names(rules):
    facts = {column for rule in rules.values() for column in rule.columns}
    for name, rule in rules.items():
        rows = rule.choices if rule.columns else [rule.choices]
        for symbol in (symbol for row in rows for cell in row for symbol in cell):
            known = facts if symbol.startswith("{") else rules
            if is_command(symbol) and symbol.strip("[]{}") not in known:
                raise ValueError(f"the rule {name} mentions {symbol}, which is not defined")


def is_command(symbol):
    """Whether a symbol stands for something else than itself."""
    return symbol[0] in "[{" or symbol.isupper()


def _pick(weights, u):
    """The index whose share of [0, 1) holds u."""
    for index, weight in enumerate(weights):
        u -= weight
        if u < 0:
            return index
    return len(weights) - 1  # the weights sum to 1 only up to rounding


def prepend(symbols, pending):
    """The linked list (first, rest) with these symbols before it."""
    for symbol in reversed(symbols):
        pending = (symbol, pending)
    return pending
