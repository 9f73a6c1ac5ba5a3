"""The training command: text in, perplexity falling, a model file out."""

from rnnlm.cli.arguments import Parser
from rnnlm.cli.command import run
from rnnlm.cli.place import run_folder
from rnnlm.cli.screen import note, show
from rnnlm.cli.session import train
from rnnlm.runs import recipes
from rnnlm.runs.options import TRAIN
from rnnlm.runs.request import Request


def build_parser(prog=None):
    """The options of the training command; their names are also the keys of --config and config.toml."""
    return Parser(prog, "Train a recurrent language model; writes a run folder with the best model.", TRAIN,
                  {"recipes": lambda: show(recipes.described())})


def main(argv=None, prog=None):
    """The command; returns its exit code."""
    return run(_command, build_parser(prog), argv)


def _command(options):
    """Find out what is to be done and where, then do it; returns the exit code."""
    request = Request(options.line)
    options = request.options
    for line in [] if options.resume else request.require_possible():
        note(f"note: {line}")
    with run_folder(options, request.corpora) as folder:
        header = None
        if options.resume:
            header = folder.newest_header()
            options = request.resumed(folder, header)
            if header is None:
                note(f"note: {folder.path} holds no checkpoint yet: training starts from the beginning, on "
                     f"{options.corpus}")
        return train(options, folder, header)
