"""What must be known to read the numbers that a command prints."""

from rnnlm import __version__

FIRST_WORD = "scored, after <eos> and from a state of zeros"
REMEMBERED = {"stream": "the state is carried through each text",
              "document": "the state is forgotten at blank lines, which are not scored",
              "sentence": "the state is forgotten at each line end"}


def heading(model, sha256, protocol, base, first_word=FIRST_WORD):
    """A dict of strings, for ``rnnlm.reports.heading.heading_lines`` or JSON.

    Parameters
    ----------
    model : the path as it was given.
    sha256 : of the file that was loaded, as ``load_model_and_sha256`` returns it.
    protocol : when the model's state is forgotten, with its name first.
    base : of the logarithms.
    first_word : what comes before it.
    """
    return {"rnnlm": __version__, "model": str(model), "sha256": sha256, "protocol": protocol, "base": base,
            "first_word": first_word}
