"""The training command: text in, perplexity falling, a model file out."""

import argparse
import os

from rnnlm.cli.command import add_debug, note, run
from rnnlm.cli.options import (
    HelpFormatter,
    above_one,
    add_threads,
    apply_values,
    at_least,
    below_one,
    between,
    not_empty,
    positive,
    read_config,
)
from rnnlm.cli.place import run_folder
from rnnlm.cli.run_folder import CONFIG, FREE, OF_THE_COMMAND
from rnnlm.cli.session import train
from rnnlm.errors import RnnlmError
from rnnlm.models import MOST_LAYERS
from rnnlm.optimizers import OPTIMIZERS
from rnnlm.places import known_corpora
from rnnlm.text import LEVELS

DEFAULT_LR = {"sgd": 1.0, "momentum": 0.1, "adam": 0.002}


def build_parser(prog=None):
    """All options of the training command; their names are also the keys of --config and config.toml."""
    parser = argparse.ArgumentParser(
        prog=prog, description="Train a recurrent language model; writes a run folder with the best model.",
        formatter_class=HelpFormatter)
    add = parser.add_argument_group("text").add_argument
    add("--corpus", default="stories", metavar="NAME|FOLDER|FILE", help="a known name (stories, ptb), a folder with "
        "train, valid and test texts, or one text file, which is split 90/5/5")
    add("--level", choices=LEVELS, default="word", help="what a token is")
    add("--min-count", type=at_least(1), metavar="K", help="words of the training text seen fewer times become <unk> "
        "(default: 2; 1 for characters and for a text that has <unk> already)")
    add("--max-vocab", type=at_least(3), metavar="K", help="the most entries of the vocabulary (default: no limit)")
    add("--max-tokens", type=at_least(1), metavar="K", help="train on the first K tokens only (default: all)")
    add = parser.add_argument_group("model").add_argument
    add("--layers", type=between(1, MOST_LAYERS), default=1, metavar="L", help="recurrent layers")
    add("--wordvec-size", type=at_least(1), metavar="D", help="size of a word's vector (default: the hidden size)")
    add("--hidden-size", type=at_least(1), default=200, metavar="H", help="size of the hidden state")
    add("--dropout", type=below_one, default=0.5, metavar="P", help="share of the recurrent layers' outputs left out "
        "in training")
    add("--input-dropout", type=below_one, default=0.1, metavar="P", help="share of the word vectors' values left out "
        "in training")
    add = parser.add_argument_group("training").add_argument
    add("--batch-size", type=at_least(1), default=20, metavar="N", help="places in the text read side by side")
    add("--time-size", type=at_least(1), default=35, metavar="T", help="steps the gradient goes back")
    add("--epochs", type=at_least(1), default=40, metavar="E", help="passes over the text at most")
    add("--optimizer", choices=tuple(OPTIMIZERS), default="adam", help="update rule")
    add("--lr", type=positive, help="learning rate (default: " + ", ".join(
        f"{rate:g} for {name}" for name, rate in DEFAULT_LR.items()) + ")")
    add("--lr-factor", type=above_one, default=2.0, metavar="F", help="divide the rate by F after each epoch in "
        "which validation stalled")
    add("--patience", type=at_least(1), default=3, metavar="K", help="stop after K epochs in a row in which "
        "validation stalled")
    add("--max-grad", type=positive, default=0.25, metavar="NORM", help="clip the global norm of the gradient")
    add("--seed", type=at_least(0), default=1, metavar="S", help="seed of everything random")
    add = parser.add_argument_group("run").add_argument
    add("--output", type=not_empty, metavar="FOLDER",
        help="the run folder (default: runs/CORPUS, numbered if that is taken)")
    add("--resume", action="store_true", help="go on with the run in the output folder, by default the newest of "
        "runs/CORPUS, runs/CORPUS-2, ..., with its options; new ones may be given for: " +
        ", ".join("--" + name.replace("_", "-") for name in FREE))
    add("--overwrite", action="store_true", help="replace the run in the output folder or runs/CORPUS")
    add("--checkpoint-minutes", type=positive, default=10.0, metavar="M", help="save a checkpoint after so many "
        "minutes within an epoch, beside the one at its end")
    add("--on-divergence", choices=("stop", "rollback"), default="stop", help="what to do at a loss or gradient that "
        "is not finite: stop, or go back to the last checkpoint and halve the learning rate")
    add_threads(add)
    add("--config", metavar="FILE.toml", help="read options from a file; the command line comes before it")
    add_debug(parser)
    return parser


def main(argv=None, prog=None):
    """The command; returns its exit code."""
    return run(lambda options: _command(options, argv, prog), build_parser(prog), argv)


def _command(options, argv, prog):
    """Find out what is to be done and where, then do it; returns the exit code."""
    config = (read_config(options.config), options.config) if options.config else ({}, "")
    options = _parsed(argv, prog, config)
    with run_folder(options) as folder:
        header = None
        if options.resume:
            header = folder.newest_header()
            saved = _saved_options(folder, header)
            options = _parsed(argv, prog, saved, config)
            if header is None:
                folder.require_nothing_but_options()
                note(f"note: {folder.path} holds no checkpoint yet: the run starts from its beginning, "
                     f"on {options.corpus}")
            else:
                _require_same(options, _parsed([], prog, saved), folder)
        return train(options, folder, header)


def _parsed(argv, prog, *sources):
    """The options: defaults, then each source (values, what to call it), then the command line."""
    parser = build_parser(prog)
    for values, where in sources:
        apply_values(parser, values, where)
    options = parser.parse_args(argv)
    options.wordvec_size = options.wordvec_size or options.hidden_size
    options.lr = options.lr or DEFAULT_LR[options.optimizer]
    if options.corpus not in known_corpora() and os.path.exists(options.corpus):
        options.corpus = os.path.abspath(options.corpus)  # so that the run can be resumed, and repeated, from anywhere
    return options


def _saved_options(folder, header):
    """The options of the run in the folder, and where they were found."""
    if header is not None:
        options, where = header["run"].get("options"), f"the checkpoint in {folder.path}"
        if not isinstance(options, dict):
            raise RnnlmError(f"{where}: options must be a JSON object")
        return options, where
    path = folder.path / CONFIG  # all that a run leaves which is killed before its first checkpoint
    return (read_config(path), str(path)) if path.exists() else ({}, "")


def _require_same(options, saved, folder):
    """RnnlmError if an option on which the training depends is not as it was when the run began."""
    changed = [f"--{name.replace('_', '-')} is {getattr(options, name)}, was {value}"
               for name, value in vars(saved).items()
               if name not in (*FREE, *OF_THE_COMMAND) and getattr(options, name) != value]
    if changed:
        raise RnnlmError(f"the run in {folder.path} cannot go on with other options: {'; '.join(changed)}. "
                         "Leave them out, or train anew with another --output")
