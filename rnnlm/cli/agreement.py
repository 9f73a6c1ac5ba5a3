"""What a checkpoint and the run that resumes from it must agree in: the model and the texts."""

from rnnlm.cli.assembly import architecture_of
from rnnlm.cli.screen import note
from rnnlm.errors import RnnlmError, shown
from rnnlm.formats.checkpoint import versions


def require_architecture(header, options, vocab_size, folder):
    """RnnlmError if the options ask for another model than the one that the checkpoint declares, and so holds."""
    expected = architecture_of(options, vocab_size)
    found = header["architecture"]
    differing = [f"{key} is {shown(found.get(key))} in its model and {value} in its options"
                 for key, value in expected.items() if found.get(key) != value]
    if found != expected:
        raise RnnlmError(f"the checkpoint in {folder.path} contradicts itself: {', '.join(differing)}; start a new "
                         "run with another --output")


def require_same_texts(header, run, options, folder):
    """RnnlmError if the run in the folder read other texts; a note if the last bits of its end may differ."""
    before = header["run"]
    if before.get("corpus") != run["corpus"]:
        raise RnnlmError(f"the run in {folder.path} was trained on different text from {options.corpus}: pass its "
                         "original --corpus, or start a new run with another --output")
    then = {"threads": before.get("threads"), **header["made_by"]}
    now = {"threads": run["threads"], **versions()}
    changed = [f"{name} {shown(then.get(name))} before, {value} now" for name, value in now.items()
               if then.get(name) != value]
    if changed:
        note(f"note: {', '.join(changed)}: the result will be close to that of an uninterrupted run, but not bit "
             "for bit the same")
