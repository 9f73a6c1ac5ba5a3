"""What must be known to read the numbers that a command prints."""

from rnnlm import __version__
from rnnlm.text.sources import called

REMEMBERED = {"stream": "the state is carried through each text",
              "document": "the state is forgotten at blank lines, which are not scored",
              "sentence": "the state is forgotten at each line end"}
OF_LINES = "an n-gram model's history begins anew at every line end"


def protocol_in_words(protocol, *models, said=None):
    """When predictors forget what they read, with the protocol's name first.

    said: what it means for the state of a network; None: that of ``REMEMBERED``.
    """
    has_state, forgets_lines = _memories_of(models)
    blank = ["blank lines are not scored"] if protocol == "document" and not (has_state or said) else []
    return f"{protocol}: " + "; ".join([*[said or REMEMBERED[protocol]] * has_state, *blank,
                                        *[OF_LINES] * forgets_lines])


def first_word(*models, state="a state of zeros"):
    """What comes before the first word; state: that of a network."""
    has_state, _ = _memories_of(models)
    return f"scored, after <eos> and from {state}" if has_state else "scored, after <eos>"


def _memories(model):
    """Whether some part of a predictor has a state, and whether one forgets lines."""
    if getattr(model, "forgets_lines", False):
        return False, True
    inside = getattr(model, "model", None)  # of a cache
    parts = getattr(model, "parts", None) or ([] if inside is None else [inside])  # of a mixture
    return _memories_of(parts) if parts else (True, False)


def _memories_of(models):
    found = [_memories(model) for model in models]
    return any(has_state for has_state, _ in found), any(forgets_lines for _, forgets_lines in found)


def heading(model, sha256, protocol, base, first_word):
    """A dict of strings, for ``rnnlm.reports.heading.heading_lines`` or JSON.

    Parameters
    ----------
    model : the path as it was given.
    sha256 : of the file that was loaded, as ``load_model_and_sha256`` returns it.
    protocol : when the model's state is forgotten, with its name first.
    base : of the logarithms.
    first_word : what comes before it.
    """
    return {"rnnlm": __version__, "model": str(called(model)), "sha256": sha256, "protocol": protocol, "base": base,
            "first_word": first_word}
