"""``rnnlm train | evaluate | score | ...``: the commands under one name, one row each.

Only what starts a process is loaded here; the command that runs brings the rest.
"""
import os
import sys
from importlib import import_module

from rnnlm.cli.start import start

COMMANDS = {  # the module rnnlm.cli.NAME has the ``main`` of each
    "train": "train a language model on text",
    "evaluate": "compute the perplexity of texts under a trained model",
    "compare": "compare training runs in a table and a picture",
    "score": "print the surprisal of every word of a text",
    "page": "show a text with the surprisal of every word, as one HTML file",
    "pairs": "find out which sentence of minimal pairs a trained model prefers",
    "rescore": "choose the best sentence of each n-best list",
    "generate": "write text with a trained model",
    "ngram": "train an n-gram model on text",
    "export": "write a model for PyTorch, ONNX, Hugging Face or the classic toolkit",
    "import": "make a model of what was trained in PyTorch, or of an export",
}
SHARED = ("train", "evaluate", "score", "pairs")  # what several processes do together

_ROWS = "\n".join(f"  {name:9}  {about}" for name, about in COMMANDS.items())
USAGE = f"""usage: rnnlm COMMAND [options]

Train recurrent-network language models on text, then score texts and write with them.

{_ROWS}

A MODEL is a run folder, which train makes, a model file in it, or an ARPA file, which
ngram makes. For example:

  rnnlm train --corpus stories --output runs/stories
  rnnlm score runs/stories my_text.txt

rnnlm COMMAND --help shows a command's options; rnnlm --version shows the version.
The documents are in docs/ of the repository; README.md has the first steps."""


def main(argv=None):
    """Run the command named by the first argument; returns its exit code.

    Without ``argv`` the command line is that of the process, which is made ready first.
    """
    if argv is None:
        start("rnnlm")
        argv = sys.argv[1:]
    name, *rest = argv or ["--help"]
    if name in ("-h", "--help"):
        return _tell(USAGE)
    if name == "--version":
        from rnnlm import __version__

        return _tell(f"rnnlm {__version__}")
    if name not in COMMANDS:
        from rnnlm.cli.screen import note
        from rnnlm.errors import shown

        note(f"rnnlm: no command {shown(repr(name))}: it must be {_all_commands()}{_meant(name)}")
        return 2
    return _refused(name, f"rnnlm {name}") or _command(name)(rest, prog=f"rnnlm {name}")


def script(name):
    """Run one command as a script, with the process's line; returns its exit code."""
    prog = os.path.basename(sys.argv[0])
    start(prog)
    return _refused(name, prog) or _command(name)()


def _refused(name, prog):
    """1 for a command that several processes were started for and cannot share."""
    from rnnlm.compute.launcher import launched

    if name in SHARED or launched()[1] == 1:
        return 0
    from rnnlm.cli.screen import note

    note(f"{prog}: error: several processes cannot share this command: start it without mpiexec")
    return 1


def _command(name):
    """The main function of a command."""
    return import_module(f"rnnlm.cli.{name}").main


def _all_commands():
    *others, last = COMMANDS
    return f"{', '.join(others)} or {last}"


def _meant(name):
    """What was meant by a command that is not there, a question, or nothing."""
    from rnnlm.errors import did_you_mean, quoted

    if os.path.exists(name):
        return f": did you mean rnnlm train --corpus {quoted(name)}?"
    return did_you_mean(name, COMMANDS)


def _tell(text):
    """Show what was asked for; returns the exit code."""
    from rnnlm.cli.screen import note, show, silence
    from rnnlm.errors import RnnlmError

    try:
        show(f"{text}\n")
    except BrokenPipeError:
        silence()
        return 1
    except RnnlmError as error:
        note(f"rnnlm: error: {error}")
        return 1
    return 0
