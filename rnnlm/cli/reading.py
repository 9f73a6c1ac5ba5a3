"""Reading what a command's MODEL names, with what a user should know of it."""

from rnnlm.cli.screen import note
from rnnlm.formats.predictors import load_predictor
from rnnlm.text.sources import called


def noted_predictor(path, workers=None):
    """What ``load_predictor`` gives; the notes on an n-gram model are printed."""
    found = load_predictor(path, workers)
    for line in getattr(found[0], "notes", ()):
        note(f"note: {called(path)}: {line}")
    return found
