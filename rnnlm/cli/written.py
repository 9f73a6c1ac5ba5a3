"""Texts that a model wrote, as a person and as a program reads them."""

import json
import math

from rnnlm.errors import counted

LEGEND = ("# ln p: natural logarithm of the model's own probability of what was written, line ends included, whatever "
          "the temperature and the other options\n")


def shown_as_text(written, kind, unit, legend=False):
    """A line that begins with #, then the text, which ends with a line end.

    The line says how many lines of text follow, so that nothing in them can be taken
    for another such line.

    Parameters
    ----------
    written : a Written.
    kind : what to call it.
    unit : what to call a token, "word" or "character".
    legend : whether to say first what ln p is.
    """
    text = written.text if written.text.endswith("\n") else written.text + "\n"
    said = [counted(text.count("\n"), "line"), f"{counted(written.words, unit)} written"]
    if written.log_prob is not None:
        said += [f"ln p {written.log_prob:.4f}", f"perplexity {written.perplexity:.6g}"]
    if written.stopped:
        said.append("cut short")
    return f"{LEGEND * legend}# {kind} {written.number}: {', '.join(said)}\n{text}"


def shown_as_json(written):
    """One line: an object with all that is known of the text."""
    values = {"number": written.number, "prompt": written.prompt, "written": written.written, "words": written.words,
              "complete": not written.stopped}
    if written.log_prob is not None:
        values |= {"targets": len(written.tokens), "log_prob": written.log_prob,
                   "perplexity": written.perplexity if math.isfinite(written.perplexity) else None,
                   "tokens": written.tokens, "log_probs": written.log_probs}
    return json.dumps(values, allow_nan=False) + "\n"
