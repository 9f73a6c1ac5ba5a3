"""The training command: text in, perplexity falling, a model file out."""

from rnnlm.cli.arguments import Parser
from rnnlm.cli.command import run
from rnnlm.cli.screen import show
from rnnlm.cli.signals import StoppedBetweenSteps, stop_on_signal
from rnnlm.errors import RnnlmError
from rnnlm.runs import recipes
from rnnlm.runs.options import TRAIN


def build_parser(prog=None):
    """The reader of the training command's line."""
    return Parser(prog, "Train a recurrent language model; writes a run folder with the best model.", TRAIN,
                  {"recipes": lambda: show(recipes.described())})


def main(argv=None, prog=None):
    """The command; returns its exit code."""
    return run(_command, build_parser(prog), argv)


def _command(options):
    """Train until the run ends or a signal stops it; returns the exit code."""
    from rnnlm.cli.seeds_screen import SeedsScreen  # --help and a wrong line need none of these
    from rnnlm.runs.request import Request
    from rnnlm.runs.run import Seeds, carry_out

    try:
        ended = carry_out(Request(options.line), SeedsScreen(), lambda: stop_on_signal("stopping after this step"))
    except StoppedBetweenSteps as stopped:
        return 128 + stopped.signum
    if isinstance(ended, Seeds) and ended.failed:
        raise RnnlmError(ended.failure)
    return 0
