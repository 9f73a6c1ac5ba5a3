"""Fetching a file of known size and SHA-256: it arrives as recorded, or not at all."""

import hashlib
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.client import HTTPException

from rnnlm.errors import RnnlmError
from rnnlm.files.whole import reason, whole_file

TIMEOUT = 30  # seconds without a byte


def is_intact(path, sha256):
    """Whether the file at ``path`` has this SHA-256 (hex)."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


def fetch(url, path, size, sha256, on_bytes=None, remedy="try again"):
    """Fetch ``url`` into ``path``; certificates, size and SHA-256 are checked.

    Parameters
    ----------
    url : str, the address.
    path : Path of the file to write.
    size : int, bytes that the file must have.
    sha256 : str (hex), the digest that it must have.
    on_bytes : function, called as on_bytes(n) after each n bytes; None: no progress.
    remedy : str, the end of error messages: what the user can do.

    Raises
    ------
    RnnlmError : what went wrong, and ``remedy``; ``path`` is then as it was before.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RnnlmError(f"{path.parent} could not be created: {reason(error)}; set RNNLM_CACHE to a folder") from error
    with _asked(url, remedy):
        answer = urllib.request.urlopen(url, timeout=TIMEOUT)
    with answer, whole_file(path) as file:
        received, digest = 0, hashlib.sha256()
        while received <= size:
            with _asked(url, remedy):
                block = answer.read(1 << 16)
            if not block:
                break
            file.write(block)
            digest.update(block)
            received += len(block)
            if on_bytes:
                on_bytes(len(block))
        if received != size:
            rule = "the connection ended early" if received < size else "the file is longer than recorded"
            raise RnnlmError(f"{url}: {rule} (received {received} of {size} bytes); {remedy}")
        if digest.hexdigest() != sha256:
            raise RnnlmError(f"{url}: the file does not have the recorded SHA-256, so it was not kept; {remedy}")


@contextmanager
def _asked(url, remedy):
    """A block that talks to the server: whatever goes wrong in it is one RnnlmError."""
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        raise RnnlmError(f"{url}: the server answered {error.code} {error.reason}; {remedy}") from error
    except (OSError, HTTPException, ValueError) as error:  # URLError, time-outs and TLS errors are OSErrors
        raise RnnlmError(f"{url} could not be reached ({_words(error)}); {remedy}") from error


def _words(error):
    """What the system says of a failed connection, without the number."""
    error = getattr(error, "reason", error)  # an URLError wraps the cause
    return reason(error) if isinstance(error, OSError) else error
