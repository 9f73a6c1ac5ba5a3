"""The rules of ``--minutes``: tables from measured runs, and what lies between them.

The first table is a ladder.  A higher rung is a larger network that reads the text more
often, so it takes longer; the time decides how high a run gets.  The second says how
much oftener a shorter text is read, and how much faster it is learned.  The third says
how much is dropped: more, the more often each number of the model sees the same text.
docs/dial.md has the runs behind each row.
"""

import math
from typing import NamedTuple

from rnnlm.models import UNGATED
from rnnlm.runs.options import AVERAGE_DECAY
from rnnlm.text.batches import SHORTEST


class Rung(NamedTuple):
    """A network, and how it is trained.

    Attributes
    ----------
    hidden_size, wordvec_size : its sizes.
    epochs : over a text of MILLION tokens.
    lr : the learning rate, with such a text.
    """

    hidden_size: float
    wordvec_size: float
    epochs: float
    lr: float


class Length(NamedTuple):
    """What is different with a text of another length.

    Attributes
    ----------
    tokens : of the training text.
    epochs, lr : by how much those of a rung are multiplied.
    strain : the most that a network may have, see Strain.
    """

    tokens: float
    epochs: float
    lr: float
    strain: float


class Strain(NamedTuple):
    """How much is dropped.

    Attributes
    ----------
    strain : parameters times epochs, for each token of the training text.
    input_dropout, dropout, word_dropout, weight_drop : as the options.
    dropout_start : as the option; the others rise from there.
    """

    strain: float
    input_dropout: float
    dropout: float
    word_dropout: float
    weight_drop: float
    dropout_start: float


MILLION = 1_000_000
WORDS = (
    Rung(48, 48, 1, 0.010),
    Rung(208, 100, 2, 0.010),    # lstm-quick
    Rung(344, 152, 4, 0.010),    # lstm-small
    Rung(512, 200, 10, 0.010),   # lstm-medium
    Rung(640, 256, 11, 0.014),   # lstm
    Rung(1000, 320, 20, 0.012),  # not measured
)
CHARACTERS = (
    Rung(64, 24, 2, 0.006),      # not measured
    Rung(256, 48, 6, 0.004),     # not measured
    Rung(512, 64, 11, 0.003),    # char, which has five epochs of five million characters
    Rung(1000, 96, 20, 0.002),   # not measured
)
LENGTHS = (
    Length(11_000, 64, 2, 2400),          # short1 to short4; four times the epochs: short1, short4
    Length(30_000, 6.5, 2, 320),          # p30: the rate
    Length(100_000, 2.2, 1, 150),         # not measured
    Length(MILLION, 1, 1, 150),           # the recipes; no strain above 60 was measured
    Length(100 * MILLION, 0.2, 1, 150),   # not measured
)
OF_CHARACTERS_BY_LENGTH = (
    Length(10_000, 5, 1, 600),            # the strain: 20 kB of the stories
    Length(MILLION, 1, 1, 150),           # char; between the two short5
    Length(100 * MILLION, 0.2, 1, 150),   # not measured
)
DROPPED = (
    Strain(0.5, 0.0, 0.1, 0.0, 0.0, 0.0),          # not measured
    Strain(3, 0.1, 0.2, 0.0, 0.0, 0.0),            # lstm-quick
    Strain(10, 0.2, 0.3, 0.05, 0.1, 0.0),          # lstm-small
    Strain(40, 0.33, 0.44, 0.055, 0.22, 0.1),      # lstm-medium
    Strain(60, 0.33, 0.44, 0.055, 0.22, 0.1),      # lstm
    Strain(105, 0.6, 0.7, 0.15, 0.5, 0.5),         # p30; at 243 to 555 short1 to short4
    Strain(600, 0.65, 0.75, 0.2, 0.6, 0.7),        # short1
)
FEWEST_TO_LEARN = 6     # epochs, whatever the strain
MOST_PARAMETERS = 25    # for each token: short1
SIZE_BY_LENGTH = 0.3    # the largest network of a text a hundredth as long is a quarter as wide: not measured
MOST_STEPS = 300        # of warming up, which takes at most a tenth of the run
LARGE_VOCABULARY = 20_000  # from here on, the softmax is adaptive
LEAST_DROPPED = 0.005
OF_CHARACTERS = 0.7   # the share of it that is dropped for characters: about what char drops

ALWAYS = {
    "optimizer": "adamw", "schedule": "linear", "max_grad": 1.0, "average": "exponential", "average_decay": 0.998,
    "weight_decay": 0.1, "output_start": "frequencies", "dropout_mask": "step", "random_start": True,
    "random_length": True, "on_divergence": "rollback",
}
LEAST_DECAY = 0.5
GATED = {"matrix_lr_factor": 0.5}                                               # as in lstm
WITHOUT_GATES = {"matrix_lr_factor": 0.08, "matrix_weight_decay": 0.5, "eps": 1e-5}  # as in tanh-small
GAIN, GAIN_WITHOUT_GATES = 4.0, 16.0
RATE_WITHOUT_GATES = 0.6  # of the rung's rate
RATE_OF_A_TRAINED_MODEL = 0.25
OF_A_NEW_MODEL = ("cell", "tied", "output_start", "input_gain")
OF_THE_MODEL = ("cell", "tied", "projection", "layers", "hidden_size", "wordvec_size", "softmax", "cutoffs",
                "activation", "level")


def settled_before(given):
    """What does not depend on the text or the time, a dict; given: what was given.

    It is known before the text is read, so that what is given can be checked with it.
    """
    new, characters = "init_from" not in given, given.get("level") == "char"
    gated = given.get("cell", "lstm") not in UNGATED
    chosen = ALWAYS | (GATED if gated else WITHOUT_GATES)
    if given.get("optimizer", "adamw") != "adamw":
        chosen = {name: value for name, value in chosen.items() if name not in ("weight_decay", "eps")}
    if new:
        chosen |= {"cell": "lstm", "tied": not characters, "input_gain": 1.0 if characters else (
            GAIN if gated else GAIN_WITHOUT_GATES)}
    average = given.get("average", "exponential")
    if average != "exponential":
        del chosen["average_decay"]
    chosen["time_size"] = 100 if characters else 35
    if given.get("time_size", SHORTEST) < SHORTEST:
        del chosen["random_length"]
    if not new:
        chosen = {name: value for name, value in chosen.items() if name not in OF_A_NEW_MODEL}
    return chosen | given


def ladder(level):
    """The rungs for a level of text."""
    return CHARACTERS if level == "char" else WORDS


def between(table, name, where):
    """The row of a table at a value of its column ``name``.

    Columns are interpolated on a logarithmic scale, but for those that can be 0.
    """
    rows = sorted(table, key=lambda row: getattr(row, name))
    where = min(max(where, getattr(rows[0], name)), getattr(rows[-1], name))
    upper = next(index for index, row in enumerate(rows) if index and getattr(row, name) >= where)
    low, high = rows[upper - 1], rows[upper]
    share = math.log(where / getattr(low, name)) / math.log(getattr(high, name) / getattr(low, name))
    return type(low)(*(_between(a, b, share) for a, b in zip(low, high, strict=True)))


def _between(a, b, share):
    return a * (b / a) ** share if a and b else a + (b - a) * share


def widest(level, tokens):
    """The largest hidden size for a text of so many tokens."""
    top = ladder(level)[-1].hidden_size * (tokens / MILLION) ** SIZE_BY_LENGTH
    return min(max(top, ladder(level)[0].hidden_size), ladder(level)[-1].hidden_size)


def epochs_for(rung, level, tokens, parameters):
    """How often a text of so many tokens is read, a number of at least 1.

    A network of many ``parameters`` would memorise a short text if it read it oftener.
    """
    epochs = max(1.0, rung.epochs * by_length(level, tokens).epochs)
    return min(epochs, most_epochs(level, tokens, parameters))


def by_length(level, tokens):
    """The Length for so many tokens."""
    return between(OF_CHARACTERS_BY_LENGTH if level == "char" else LENGTHS, "tokens", tokens)


def most_epochs(level, tokens, parameters):
    """How many epochs a network of so many parameters can use of a text."""
    return max(FEWEST_TO_LEARN, by_length(level, tokens).strain * tokens / parameters)


def sizes(rung, projection=None):
    """The sizes of a rung as options, which fast products like in eights.

    projection: False: there is to be none, so the word vectors are as large.
    """
    names = ("hidden_size",) if projection is False else ("hidden_size", "wordvec_size")
    return {name: max(8, 8 * round(getattr(rung, name) / 8)) for name in names}


def batch_size(rung, tokens, time_size):
    """How many streams: 20, with a large network 32, fewer of a short text."""
    least = max(1, min(4, tokens // 2))
    return max(least, min(20 if rung.hidden_size < 400 else 32, tokens // (60 * time_size)))


def dropped(strain, level):
    """The shares that are dropped, a dict."""
    kept = OF_CHARACTERS if level == "char" else 1.0
    _, *shares, start = between(DROPPED, "strain", strain)
    shares = [0.0 if kept * share < LEAST_DROPPED else round(kept * share, 3) for share in shares]
    names = ("input_dropout", "dropout", "word_dropout", "weight_drop")
    return {**dict(zip(names, shares, strict=True)), "dropout_start": round(start, 2)}


def rate(lr, options):
    """The rate of a rung for the cell and the beginning of a run, a dict.

    It is for rules of Adam's kind; others keep their own.
    """
    if options.optimizer not in ("adam", "adamw"):
        return {}
    if options.cell in UNGATED:
        lr *= RATE_WITHOUT_GATES
    if options.init_from:
        lr *= RATE_OF_A_TRAINED_MODEL
    return {"lr": float(f"{lr:.2g}")}


def average(options, steps):
    """The decay rate of an exponential average in a run of so many steps, a dict.

    A larger one would change nothing in so short a run; in the shortest none would, and
    it stays at its default.
    """
    if options.average != "exponential":
        return {}
    decay = min(ALWAYS["average_decay"], 1 - 11 / max(steps, 1))
    return {"average_decay": round(decay, 4) if decay >= LEAST_DECAY else AVERAGE_DECAY}


def parameters(options, vocab_size):
    """How many numbers a model with these options learns, about."""
    H, D = options.hidden_size, options.wordvec_size
    gates = 1 if options.cell in UNGATED else 3 if options.cell.startswith("gru") else 4
    recurrent = gates * H * (H + D) + (options.layers - 1) * gates * 2 * H * H
    out = (H * D if H != D else 0) if options.tied else H * vocab_size
    return recurrent + out + D * vocab_size
