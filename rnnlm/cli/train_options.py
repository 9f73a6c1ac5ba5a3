"""The options of the training command, and what follows from them."""

import argparse
import inspect

import numpy as np

from rnnlm.batches import MORE, SHORTEST
from rnnlm.cli.command import add_debug
from rnnlm.cli.options import (
    LARGEST_SEED,
    Parser,
    above_one,
    add_threads,
    at_least,
    below_one,
    between,
    from_zero_to_one,
    gain,
    not_empty,
    not_negative,
    number,
    positive,
    ratio,
    size,
)
from rnnlm.cli.recipes import ListRecipes
from rnnlm.cli.run_folder import FREE
from rnnlm.errors import RnnlmError
from rnnlm.initializers import RECURRENT
from rnnlm.models import CELLS, MOST_LAYERS, RNN_ACTIVATIONS, UNGATED
from rnnlm.optimizers import OPTIMIZERS
from rnnlm.schedules import SCHEDULES
from rnnlm.text import LEVELS

SMALLEST_NORMAL = float(np.finfo(np.float32).tiny)
SMALLEST_CHANGE = 3e-8  # of 1 in 32 bits: a little more than half of what the next smaller number is away
AVERAGE_DECAY = 0.999
SWITCH = argparse.BooleanOptionalAction
DEFAULT_LR = {"sgd": 1.0, "momentum": 0.1, "adagrad": 0.05, "rmsprop": 0.001, "adam": 0.002, "adamw": 0.002}
NUMBERS = ("momentum", "alpha", "beta1", "beta2", "eps")  # of the update rules
OF_THE_RULE = {rule: {name: parameter.default for name, parameter in inspect.signature(kind).parameters.items()
                      if name in NUMBERS} for rule, kind in OPTIMIZERS.items()}  # which each has, and their defaults


def build_parser(prog=None):
    """All options of the training command; their names are also the keys of --config and config.toml."""
    parser = Parser(prog, "Train a recurrent language model; writes a run folder with the best model.")
    for name, add_group in (("text", _add_text), ("model", _add_model), ("regularisation", _add_regularisation),
                            ("training", _add_training), ("run", _add_run)):
        add_group(parser.add_argument_group(name).add_argument)
    add_debug(parser)
    return parser


def _add_text(add):
    add("--corpus", default="stories", metavar="NAME|FOLDER|FILE", help="a known name (stories, ptb), a folder with "
        "train, valid and test texts, or one text file, which is split 90/5/5")
    add("--level", choices=LEVELS, default="word", help="what a token is")
    add("--min-count", type=at_least(1), metavar="K", help="words of the training text seen fewer times become <unk> "
        "(default: 2; 1 for characters and for a text that has <unk> already)")
    add("--max-vocab", type=at_least(3), metavar="K", help="the most entries of the vocabulary (default: no limit)")
    add("--max-tokens", type=at_least(1), metavar="K", help="train on the first K tokens only (default: all)")


def _add_model(add):
    add("--cell", choices=tuple(CELLS), default="rnn", help="the recurrent layers; mrnn: a multiplicative RNN, "
        "whose input scales what is let in of the past")
    add("--activation", choices=RNN_ACTIVATIONS, default="tanh", help="of the cells " + " and ".join(UNGATED))
    add("--layers", type=between(1, MOST_LAYERS), default=1, metavar="L", help="recurrent layers")
    add("--wordvec-size", type=size, metavar="D", help="size of a word's vector (default: the hidden size)")
    add("--hidden-size", type=size, default=200, metavar="H", help="size of the hidden state")
    add("--tied", action=SWITCH, default=False, help="the output weights are the word vectors")
    add("--projection", action=SWITCH, default=False, help="a linear layer to the size of a word's vector before the "
        "output; --tied brings it where the sizes differ")
    add("--recurrent-start", choices=("time-scales", *RECURRENT), help="first recurrent weights (default: time-scales "
        f"for {' and '.join(UNGATED)}, orthogonal for the others)")
    add("--recurrent-gain", type=gain, default=1.0, metavar="G", help="what they are multiplied by (time-scales: "
        "what is random in them)")
    add("--slowest", type=below_one, default=0.95, metavar="SHARE", help="time-scales: the share of its state that the "
        "slowest unit keeps at each step")
    add("--input-gain", type=gain, default=1.0, metavar="G", help="what the first input weights of the first layer "
        "are multiplied by")
    add("--output-start", choices=("zeros", "frequencies"), default="zeros", help="first output biases: zeros, or the "
        "logarithms of the words' frequencies")


def _add_regularisation(add):
    add("--dropout", type=ratio, default=0.5, metavar="P", help="share of the recurrent layers' outputs left out "
        "in training")
    add("--output-dropout", type=ratio, metavar="P", help="the same for the last layer (default: as --dropout)")
    add("--input-dropout", type=ratio, default=0.1, metavar="P", help="share of the word vectors' values left out "
        "in training")
    add("--dropout-mask", choices=("step", "window"), default="step", help="whether what is left out changes with "
        "every step or with every window (variational dropout)")
    add("--word-dropout", type=ratio, default=0.0, metavar="P", help="share of the words left out of a window, "
        "each wherever it stands")
    add("--noising", type=below_one, default=0.0, metavar="G", help="replace words of the training text by others, a "
        "word that stands in many contexts more often (bigram Kneser-Ney noising); G: the probability for a word that "
        "is followed by another one each time, less for the others")
    add("--weight-drop", type=ratio, default=0.0, metavar="P", help="share of the recurrent weights left out of a "
        "window")
    add("--dropout-start", type=from_zero_to_one, default=1.0, metavar="X",
        help="the dropouts and the weight drop start at X times what is given, and rise evenly to the whole over all "
        "--epochs (default: 1, the whole from the start)")
    add("--activation-penalty", type=not_negative, default=0.0, metavar="A", help="A times the mean square of the last "
        "layer's outputs, added to the loss")
    add("--slowness-penalty", type=not_negative, default=0.0, metavar="B", help="B times the mean square of their "
        "changes from step to step, added to the loss")
    add("--weight-decay", type=not_negative, metavar="W", help="each step takes this share times the learning rate "
        f"off every weight, not off biases and not off the diagonal of the recurrent weights of "
        f"{' and '.join(UNGATED)} (default: 0; 0.01 for adamw)")
    add("--matrix-weight-decay", type=not_negative, metavar="W", help="the same for the matrices of the recurrent "
        "layers and the projection (default: as --weight-decay)")


def _add_training(add):
    add("--batch-size", type=size, default=20, metavar="N", help="places in the text read side by side")
    add("--time-size", type=size, default=35, metavar="T", help="steps the gradient goes back")
    add("--random-start", action=SWITCH, default=False, help="begin each epoch at a random place of the text, taken "
        "as a ring")
    add("--random-length", action=SWITCH, default=False, help="vary the steps the gradient goes back")
    add("--epochs", type=at_least(1), default=40, metavar="E", help="passes over the text at most")
    add("--optimizer", choices=tuple(OPTIMIZERS), default="adam", help="update rule")
    add("--lr", type=positive, help="learning rate (default: " + ", ".join(
        f"{rate:g} for {name}" for name, rate in DEFAULT_LR.items()) + ")")
    add("--momentum", type=below_one, default=OF_THE_RULE["momentum"]["momentum"], metavar="M",
        help="momentum: the share of its movement that a weight keeps at each step")
    add("--alpha", type=below_one, default=OF_THE_RULE["rmsprop"]["alpha"], metavar="A",
        help="rmsprop: the weight of a step over that of the next in the mean of the squares of the gradients")
    add("--beta1", type=below_one, default=OF_THE_RULE["adam"]["beta1"], metavar="B",
        help="adam, adamw: the weight of a step over that of the next in the mean of the gradients")
    add("--beta2", type=below_one, default=OF_THE_RULE["adam"]["beta2"], metavar="B",
        help="adam, adamw: the same in the mean of their squares")
    add("--eps", type=number(float, "a number of at least 1e-30", lambda value: value >= 1e-30), metavar="E",
        help="what is added to the root that a step is divided by; a large one slows the weights that seldom move "
        "(default: " + ", ".join(f"{numbers['eps']:g} for {rule}" for rule, numbers in OF_THE_RULE.items()
                                 if "eps" in numbers) + ")")
    add("--matrix-lr-factor", type=positive, default=1.0, metavar="F", help="what the rate is multiplied by for the "
        "matrices of the recurrent layers and the projection")
    add("--schedule", choices=tuple(SCHEDULES), default="plateau", help="how the rate goes on: divided when validation "
        "stalls, constant, or to 0 over all epochs in a straight line or along a cosine")
    add("--warm-up", type=at_least(0), default=0, metavar="STEPS", help="steps over which the rate rises at first")
    add("--lr-factor", type=above_one, default=2.0, metavar="F", help="plateau: divide the rate by F after each epoch "
        "in which validation stalled")
    add("--patience", type=at_least(1), default=3, metavar="K", help="plateau, constant: stop after K epochs in a row "
        "in which validation stalled (never with a tail average)")
    add("--average", choices=("none", "tail", "exponential"), default="none", help="validate and save an average of "
        "the weights: over the last steps, or with weights that fall towards the past")
    add("--average-from", type=below_one, default=0.85, metavar="SHARE", help="tail: the share of all epochs after "
        "which it begins")
    add("--average-decay", type=below_one, default=AVERAGE_DECAY, metavar="D", help="exponential: the weight of a "
        "step over that of the next")
    add("--max-grad", type=not_negative, default=0.25, metavar="NORM", help="clip the global norm of the gradient; 0: "
        "do not")
    add("--seed", type=at_least(0, LARGEST_SEED), default=1, metavar="S", help="seed of everything random")


def _add_run(add):
    add("--output", type=not_empty, metavar="FOLDER",
        help="the run folder (default: runs/CORPUS, numbered if that is taken)")
    add("--resume", action="store_true", help="go on with the run in the output folder, by default the newest of "
        "runs/CORPUS, runs/CORPUS-2, ..., with its options; new ones may be given for: " +
        ", ".join("--" + name.replace("_", "-") for name in FREE) + " (--epochs not with a linear or cosine "
        "schedule, a tail average or a --dropout-start)")
    add("--overwrite", action="store_true", help="replace the run in the output folder or runs/CORPUS")
    add("--checkpoint-minutes", type=positive, default=10.0, metavar="M", help="save a checkpoint after so many "
        "minutes within an epoch, beside the one at its end")
    add("--on-divergence", choices=("stop", "rollback"), default="stop", help="what to do at a loss or gradient that "
        "is not finite: stop, or go back to the last checkpoint and halve the learning rate")
    add_threads(add)
    add("--config", type=not_empty, metavar="FILE.toml|RECIPE", help="read options from a file, or from a recipe that "
        "is shipped; the command line comes before it")
    add("--recipes", action=ListRecipes, help="list the recipes, and exit")


def complete(options):
    """Fill in what depends on other options. RnnlmError where two of them do not go together."""
    derive(options)
    if options.random_length and options.time_size < SHORTEST:
        raise RnnlmError(f"--random-length needs a --time-size of at least {SHORTEST}, got {options.time_size}")
    if options.cell not in UNGATED:
        for name, value, instead in (("activation", "relu", "tanh"), ("recurrent_start", "time-scales", "orthogonal")):
            if getattr(options, name) == value:
                option = f"--{name.replace('_', '-')}"
                raise RnnlmError(f"{option} {value} is for --cell {' or '.join(UNGATED)}, not for {options.cell}: "
                                 f"leave it out, or give {option} {instead} where a file says otherwise")


# Each option that follows from another one, and that one; last those that are followed themselves.
DERIVED = {"matrix_weight_decay": "weight_decay", "weight_decay": "optimizer", "output_dropout": "dropout",
           "lr": "optimizer", "eps": "optimizer", "wordvec_size": "hidden_size"}


def derive(options):
    """Fill in the options of DERIVED that are not given (None) from those that they follow."""
    options.wordvec_size = options.wordvec_size or options.hidden_size
    options.lr = options.lr or DEFAULT_LR[options.optimizer]
    options.eps = options.eps or OF_THE_RULE[options.optimizer].get("eps")
    if options.weight_decay is None:
        options.weight_decay = OPTIMIZERS[options.optimizer].weight_decay
    if options.matrix_weight_decay is None:
        options.matrix_weight_decay = options.weight_decay
    if options.output_dropout is None:
        options.output_dropout = options.dropout


def let_follow(parser, values):
    """Forget what a file (``values``) says of an option where it only says what follows from another one in it.

    The config.toml of a run has every option as resolved; with --optimizer sgd beside it the rate of Adam that stands
    in it must not stay.
    """
    said = {key.replace("-", "_") for key in values}
    for name, followed in DERIVED.items():
        if not {name, followed} <= said:
            continue
        options = parser.parse_args([])
        value = getattr(options, name)
        setattr(options, name, None)
        derive(options)
        if value == getattr(options, name):
            parser.set_defaults(**{name: None})


def require_possible_rates(options):
    """RnnlmError if a rate is no number of 32 bits, or a decay takes all of a weight in one step, or nothing."""
    matrix_rate = options.lr * options.matrix_lr_factor
    if not SMALLEST_NORMAL < matrix_rate < 1 / SMALLEST_NORMAL:
        raise RnnlmError(f"--lr times --matrix-lr-factor must be a number of 32 bits, got {matrix_rate:g}: give others")
    longest = 1 + MORE / options.time_size if options.random_length else 1
    for name, rate in (("weight_decay", options.lr), ("matrix_weight_decay", matrix_rate)):
        _require_possible_decay(name, getattr(options, name), rate * longest,
                                ", that of the longest window" if options.random_length else "")


def _require_possible_decay(name, decay, rate, which):
    product = f"--{name.replace('_', '-')} times the rate"
    if decay * rate >= 1:
        raise RnnlmError(f"{product} must be below 1, as each step takes that share off the weights, got {decay:g} "
                         f"times {rate:g}{which}: give a lower decay or --lr")
    if decay and np.float32(1 - decay * rate) == 1:
        raise RnnlmError(f"{product} must be 0 or at least {SMALLEST_CHANGE:g}, as less changes no weight of 32 bits, "
                         f"got {decay:g} times {rate:g}{which}: give 0 or at least {SMALLEST_CHANGE / rate:.2g}")
