"""Text and data as they may stand in a page, whatever they contain.

A page shows words of strangers.  None of them may become markup, end a script, load
anything, or change the order in which the reader sees what is around it.
"""

import hashlib
import html
import json
from base64 import b64encode

from rnnlm.errors import UNSEEN


def visible(text: str) -> str:
    """The text with escapes (\\u202e) for what is not seen or moves the rest."""
    return UNSEEN.sub(lambda match: ascii(match[0])[1:-1], text)


def escaped(text: str) -> str:
    """The text as it may stand in an element or in a quoted attribute."""
    return html.escape(visible(text))


def shortened(text: str, longest: int) -> str:
    """The text with at most so many characters."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def as_data(value: object) -> str:
    """JSON that may stand in a script element: ASCII, without <, > and &."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def policy(style: str, script: str) -> str:
    """The content-security policy that allows this style and this script alone.

    Nothing is loaded, no other script runs, no form is sent.
    """
    return (f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
            "base-uri 'none'; form-action 'none'")


def _digest(text):
    return f"sha256-{b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode()}"
