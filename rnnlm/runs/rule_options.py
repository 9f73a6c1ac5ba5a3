"""Options of the update rules: their constants, and defaults that each rule has.

Whoever adds a constant that no other rule has adds a record to CONSTANTS.
"""

from rnnlm.runs.checks import below_one, number_from
from rnnlm.runs.option import Option
from rnnlm.training.optimizers import OPTIMIZERS

OF_THE_RULE = {rule: kind.constants() for rule, kind in OPTIMIZERS.items()}  # the constants each has, their defaults


def in_words(attribute):
    """A default of the update rules, in words: "0.002 for adam and adamw; ...".

    Rules in which it is None or 0 are left out.
    """
    return _by_rule({rule: value for rule, kind in OPTIMIZERS.items() if (value := getattr(kind, attribute))})


def _enumerated(names, word):
    """Names in a sentence: "adam", "adam or sgd", "adam, adamw or sgd"."""
    return f" {word} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _by_rule(numbers):
    """Numbers, a dict by update rule, in words: rules with the same number together."""
    rules = {number: [rule for rule in numbers if numbers[rule] == number] for number in numbers.values()}
    return "; ".join(f"{number:g} for {_enumerated(names, 'and')}" for number, names in rules.items())


def _number_of_the_rule(name, check, help, **more):
    """The record of a constant of some update rules, each with its own default."""
    rules = [rule for rule, numbers in OF_THE_RULE.items() if name in numbers]
    with_rules = f"--optimizer {_enumerated(rules, 'or')}"
    defaults = {rule: OF_THE_RULE[rule][name] for rule in rules}
    default = _by_rule(defaults) if len(set(defaults.values())) > 1 else f"{defaults[rules[0]]:g}"
    return Option(name, check, f"{help}, with {with_rules}", default_text=default,
                  follows="optimizer", derived=lambda o: OF_THE_RULE[o.optimizer].get(name),
                  acts=lambda o: name in OF_THE_RULE[o.optimizer], acts_with=with_rules, **more)


CONSTANTS = (
    _number_of_the_rule("momentum", below_one, "share of its movement that a weight keeps at each step", metavar="M"),
    _number_of_the_rule("alpha", below_one, "decay rate of the running mean of the squared gradients", metavar="A"),
    _number_of_the_rule("beta1", below_one, "decay rate of the running mean of the gradients", metavar="B"),
    _number_of_the_rule("beta2", below_one, "decay rate of the running mean of the squared gradients", metavar="B"),
    _number_of_the_rule("eps", number_from(1e-30), "number added to the root that divides a step (a large one slows "
                        "the weights whose gradients are small)", metavar="E"),
)
