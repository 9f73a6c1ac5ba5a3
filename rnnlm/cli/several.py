"""Commands that several processes carry out together, and what they cannot share.

Each process reads the same texts, computes its part of the scores, and gets those of
the others.  The first one prints.
"""

from rnnlm.compute.processes import processes
from rnnlm.errors import RnnlmError
from rnnlm.models import LanguageModel
from rnnlm.text.sources import STANDARD_INPUT

WRITTEN = ("chart", "save_adapted", "states")  # options that name a file, which all processes would write
REMEDY = "start the command without mpiexec"


def sharing(command):
    """A command, a function of options, as several processes carry it out."""

    def shared(options):
        with processes().together(()):
            if processes().size > 1:
                _require_shared(options)
            return command(options)

    return shared


def _require_shared(options):
    """RnnlmError for what several processes cannot share."""
    for name in WRITTEN:
        if getattr(options, name, None):
            raise RnnlmError(f"--{name.replace('_', '-')} is written by one process: {REMEDY}")
    if STANDARD_INPUT in (getattr(options, "texts", None) or getattr(options, "files", None) or ()):
        raise RnnlmError(f"standard input (-) reaches one process only: give a file, or {REMEDY}")
    if getattr(options, "protocol", None) == "stream":
        raise RnnlmError(f"--protocol stream is read by one process, from the first word to the last: {REMEDY}, or "
                         "give --protocol sentence or document")


def share_model(model):
    """Let the processes share what the model scores.

    RnnlmError if there are several, and it is not a network alone.
    """
    if processes().size > 1:
        if not isinstance(model, LanguageModel):
            raise RnnlmError(f"several processes share what a network scores, got a {type(model).__name__}: {REMEDY}")
        model.processes = processes()
    return model
