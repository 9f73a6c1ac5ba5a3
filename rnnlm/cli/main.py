"""``rnnlm train | evaluate | generate``: the three commands under one name."""

import os
import sys

from rnnlm.cli.command import note, say
from rnnlm.errors import did_you_mean, quoted, shown

NAMES = ("train", "evaluate", "generate")

USAGE = """usage: rnnlm COMMAND [options]

  train      train a language model on text
  evaluate   perplexity of texts under a trained model
  generate   write text with a trained model

rnnlm COMMAND --help shows a command's options; rnnlm --version the version."""


def main(argv=None):
    """Run the command named by the first argument; returns its exit code."""
    name, *rest = (sys.argv[1:] if argv is None else argv) or ["--help"]
    if name in ("-h", "--help"):
        say(USAGE)
        return 0
    if name == "--version":
        from rnnlm import __version__

        say(f"rnnlm {__version__}")
        return 0
    # Only the command that runs is imported.
    if name == "train":
        from rnnlm.cli.train import main as command
    elif name == "evaluate":
        from rnnlm.cli.evaluate import main as command
    elif name == "generate":
        from rnnlm.cli.generate import main as command
    else:
        note(f"rnnlm: no command {shown(repr(name))}: it must be train, evaluate or generate{_meant(name)}")
        return 2
    return command(rest, prog=f"rnnlm {name}")


def _meant(name):
    """What was meant by a command that is not there, a question, or nothing."""
    if os.path.exists(name):
        return f": did you mean rnnlm train --corpus {quoted(name)}?"
    return did_you_mean(name, NAMES)
