"""The training command: text in, perplexity falling, a model file out."""

from rnnlm.cli.arguments import Parser
from rnnlm.cli.command import run
from rnnlm.cli.progress import Screen
from rnnlm.cli.screen import show
from rnnlm.cli.signals import StoppedBetweenSteps, stop_on_signal
from rnnlm.runs import recipes
from rnnlm.runs.choose_folder import run_folder
from rnnlm.runs.options import TRAIN
from rnnlm.runs.request import Request
from rnnlm.runs.session import train


def build_parser(prog=None):
    """The options of the training command; their names are also the keys of --config and config.toml."""
    return Parser(prog, "Train a recurrent language model; writes a run folder with the best model.", TRAIN,
                  {"recipes": lambda: show(recipes.described())})


def main(argv=None, prog=None):
    """The command; returns its exit code."""
    return run(_command, build_parser(prog), argv)


def _command(options):
    """Find out what is to be done and where, then do it; returns the exit code."""
    screen, request, header = Screen(), Request(options.line), None
    options = request.options
    for note in [] if options.resume else request.require_possible():
        screen.on_note(note)
    with run_folder(options, request.corpora, screen) as folder:
        if options.resume:
            header = folder.newest_header()
            options = request.resumed(folder, header)
            if header is None:
                screen.on_note(f"{folder.path} holds no checkpoint yet: training starts from the beginning, on "
                               f"{options.corpus}")
        return _train(options, folder, screen, header)


def _train(options, folder, screen, header):
    """Train until the run ends or a signal comes; returns the exit code."""
    try:
        train(options, folder, screen, lambda: stop_on_signal("stopping after this step"), header)
    except StoppedBetweenSteps as stopped:
        return 128 + stopped.signum
    return 0
