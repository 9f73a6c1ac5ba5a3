"""The options of the training command, and what follows from them."""

import argparse

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
from rnnlm.cli.run_options import FREE
from rnnlm.errors import RnnlmError
from rnnlm.models import CELLS, MOST_LAYERS, RNN_ACTIVATIONS, UNGATED
from rnnlm.models.initializers import RECURRENT
from rnnlm.text.batches import SHORTEST
from rnnlm.text.tokenizer import LEVELS
from rnnlm.training.optimizers import OPTIMIZERS
from rnnlm.training.schedules import SCHEDULES

AVERAGE_DECAY = 0.999
SWITCH = argparse.BooleanOptionalAction
DEFAULT_LR = {rule: kind.default_lr for rule, kind in OPTIMIZERS.items()}
OF_THE_RULE = {rule: kind.constants() for rule, kind in OPTIMIZERS.items()}  # the constants each has, their defaults
NUMBERS = tuple(dict.fromkeys(name for constants in OF_THE_RULE.values() for name in constants))


def build_parser(prog=None):
    """All options of the training command; their names are also the keys of --config and config.toml."""
    parser = Parser(prog, "Train a recurrent language model; writes a run folder with the best model.")
    for name, add_group in (("text", _add_text), ("model", _add_model), ("regularisation", _add_regularisation),
                            ("training", _add_training), ("run", _add_run)):
        add_group(parser.add_argument_group(name).add_argument)
    add_debug(parser)
    return parser


def _add_text(add):
    add("--corpus", type=not_empty, default="stories", metavar="NAME|FOLDER|FILE",
        help="a known name (stories, ptb), a folder with train, valid and test texts, or one text file, which is split "
        "90/5/5")
    add("--level", choices=LEVELS, default="word", help="unit of the text: words or characters")
    add("--min-count", type=at_least(1), metavar="K", help="training words seen fewer than K times become <unk> "
        "(default: 2; 1 for characters and for a text that already contains <unk>)")
    add("--max-vocab", type=at_least(3), metavar="K", help="largest size of the vocabulary (default: no limit)")
    add("--max-tokens", type=at_least(1), metavar="K", help="train on the first K tokens only (default: all)")


def _add_model(add):
    ungated = " and ".join(UNGATED)
    add("--cell", choices=tuple(CELLS), default="rnn", help="kind of recurrent layer; mrnn: a multiplicative RNN, in "
        "which each input rescales what the previous state contributes; gru-textbook: a GRU that resets its state "
        "before the matrix product, not after it as PyTorch, Keras and gru do")
    add("--activation", choices=RNN_ACTIVATIONS, default="tanh", help=f"activation of the cells {ungated}")
    add("--layers", type=between(1, MOST_LAYERS), default=1, metavar="L", help="number of recurrent layers")
    add("--wordvec-size", type=size, metavar="D", help="size of the word vectors (default: the hidden size)")
    add("--hidden-size", type=size, default=200, metavar="H", help="size of the hidden state")
    add("--tied", action=SWITCH, default=False, help="use the word vectors as output weights")
    add("--projection", action=SWITCH, default=False, help="add a linear layer before the output, from the hidden "
        "size to the size of the word vectors (--tied adds it where the two sizes differ)")
    add("--recurrent-start", choices=("time-scales", *RECURRENT), help="initial recurrent weights (default: "
        f"time-scales for {ungated}, orthogonal for the others)")
    add("--recurrent-gain", type=gain, default=1.0, metavar="G", help="factor on the initial recurrent weights (with "
        "time-scales: on their random part only)")
    add("--slowest", type=below_one, default=0.95, metavar="SHARE", help="time-scales: share of its state that the "
        "slowest unit keeps at each step")
    add("--input-gain", type=gain, default=1.0, metavar="G", help="factor on the initial input weights of the first "
        "layer")
    add("--output-start", choices=("zeros", "frequencies"), default="zeros", help="initial output biases: zeros, or "
        "the logarithms of the word frequencies")


def _add_regularisation(add):
    add("--dropout", type=ratio, default=0.5, metavar="P", help="share of the recurrent layers' outputs dropped in "
        "training")
    add("--output-dropout", type=ratio, metavar="P", help="share of the last recurrent layer's outputs dropped in "
        "training (default: as --dropout)")
    add("--input-dropout", type=ratio, default=0.1, metavar="P", help="share of the word-vector values dropped in "
        "training")
    add("--dropout-mask", choices=("step", "window"), default="step", help="draw a new dropout mask at every step, or "
        "one for each window (variational dropout)")
    add("--word-dropout", type=ratio, default=0.0, metavar="P", help="share of the distinct words dropped in each "
        "window, wherever they occur")
    add("--noising", type=below_one, default=0.0, metavar="G", help="replace training words at random (bigram "
        "Kneser-Ney noising); G is the probability for a word that a different word follows each time, other words "
        "are replaced less often")
    add("--weight-drop", type=ratio, default=0.0, metavar="P", help="share of the recurrent weights dropped in each "
        "window")
    add("--dropout-start", type=from_zero_to_one, default=1.0, metavar="X", help="start the dropouts and the weight "
        "drop at X times their values, and raise them evenly to these values over all --epochs (default: 1, constant)")
    add("--activation-penalty", type=not_negative, default=0.0, metavar="A", help="add A times the mean square of the "
        "last layer's outputs to the loss")
    add("--slowness-penalty", type=not_negative, default=0.0, metavar="B", help="add B times the mean square of the "
        "step-to-step changes of the last layer's outputs to the loss")
    add("--weight-decay", type=not_negative, metavar="W", help="each step shrinks the weights by the share W times the "
        f"learning rate, except biases and the diagonal of the recurrent weights of {' and '.join(UNGATED)} (default: "
        "0; 0.01 for adamw)")
    add("--matrix-weight-decay", type=not_negative, metavar="W", help="weight decay of the recurrent layers' matrices "
        "and the projection (default: as --weight-decay)")


def _add_training(add):
    add("--batch-size", type=size, default=20, metavar="N", help="number of streams into which the text is cut, and "
        "which are read in parallel")
    add("--time-size", type=size, default=35, metavar="T", help="length of a window: the steps that the gradient flows "
        "back")
    add("--random-start", action=SWITCH, default=False, help="begin each epoch at a random position of the text, and "
        "continue from its end to its start")
    add("--random-length", action=SWITCH, default=False, help="vary the length of the windows at random")
    add("--epochs", type=at_least(1), default=40, metavar="E", help="largest number of passes over the text")
    add("--optimizer", choices=tuple(OPTIMIZERS), default="adam", help="update rule")
    add("--lr", type=positive, help="learning rate (default: " + ", ".join(
        f"{rate:g} for {name}" for name, rate in DEFAULT_LR.items()) + ")")
    add("--momentum", type=below_one, default=OF_THE_RULE["momentum"]["momentum"], metavar="M",
        help="momentum: share of its movement that a weight keeps at each step")
    add("--alpha", type=below_one, default=OF_THE_RULE["rmsprop"]["alpha"], metavar="A",
        help="rmsprop: decay rate of the running mean of the squared gradients")
    add("--beta1", type=below_one, default=OF_THE_RULE["adam"]["beta1"], metavar="B",
        help="adam, adamw: decay rate of the running mean of the gradients")
    add("--beta2", type=below_one, default=OF_THE_RULE["adam"]["beta2"], metavar="B",
        help="adam, adamw: decay rate of the running mean of the squared gradients")
    add("--eps", type=number(float, "a number of at least 1e-30", lambda value: value >= 1e-30), metavar="E",
        help="number added to the root that divides a step; a large one slows the weights whose gradients are small "
        "(default: " + ", ".join(f"{numbers['eps']:g} for {rule}" for rule, numbers in OF_THE_RULE.items()
                                 if "eps" in numbers) + ")")
    add("--matrix-lr-factor", type=positive, default=1.0, metavar="F", help="factor on the learning rate of the "
        "recurrent layers' matrices and the projection")
    add("--schedule", choices=tuple(SCHEDULES), default="plateau", help="learning rate over time: divided when "
        "validation stalls, constant, or falling to 0 over all epochs in a straight line or along a cosine")
    add("--warm-up", type=at_least(0), default=0, metavar="STEPS", help="number of steps over which the learning rate "
        "first rises")
    add("--lr-factor", type=above_one, default=2.0, metavar="F", help="plateau: divide the learning rate by F after "
        "each epoch in which validation stalls")
    add("--patience", type=at_least(1), default=3, metavar="K", help="plateau, constant: stop after K epochs in a row "
        "in which validation stalls (not with --average tail)")
    add("--average", choices=("none", "tail", "exponential"), default="none", help="validate and save an average of "
        "the weights: over the last steps, or over all with a weight that decays into the past")
    add("--average-from", type=below_one, default=0.85, metavar="SHARE", help="tail: share of all epochs after which "
        "averaging begins")
    add("--average-decay", type=below_one, default=AVERAGE_DECAY, metavar="D", help="exponential: decay rate of the "
        "average, which looks back about 1 / (1 - D) steps")
    add("--max-grad", type=not_negative, default=0.25, metavar="NORM", help="clip the gradient to this global norm; 0: "
        "do not clip")
    add("--seed", type=at_least(0, LARGEST_SEED), default=1, metavar="S", help="seed of all random numbers")


def _add_run(add):
    add("--output", type=not_empty, metavar="FOLDER",
        help="the run folder (default: runs/CORPUS, numbered if that is taken)")
    add("--resume", action="store_true", help="continue the run in the output folder with its own options, by default "
        "the newest run in runs/, or with --corpus the newest on that corpus; these options may change: " +
        ", ".join("--" + name.replace("_", "-") for name in FREE) + " (--epochs not with a linear or cosine "
        "schedule, a tail average or a --dropout-start)")
    add("--overwrite", action="store_true", help="replace the run in the output folder or runs/CORPUS")
    add("--checkpoint-minutes", type=positive, default=10.0, metavar="M", help="save a checkpoint every M minutes "
        "within an epoch, in addition to the one at its end")
    add("--on-divergence", choices=("stop", "rollback"), default="stop", help="what to do when a loss or gradient is "
        "not finite: stop, or return to the last checkpoint and halve the learning rate")
    add_threads(add)
    add("--config", type=not_empty, metavar="FILE|RUN|RECIPE", help="read options from a TOML file, a run folder or a "
        "shipped recipe; command-line options override them")
    add("--recipes", action=ListRecipes, help="list the recipes and exit")


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
                                 f"leave it out, or give {option} {instead} if a file sets it")


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
