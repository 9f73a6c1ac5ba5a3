"""Fetching a file that is known by address, size and SHA-256: it arrives as recorded, or not at all."""

import hashlib
import urllib.error
import urllib.request
from http.client import HTTPException

from rnnlm.errors import RnnlmError
from rnnlm.files import whole_file

TIMEOUT = 30  # seconds without a byte


def is_intact(path, size, sha256):
    """Whether the file at ``path`` is there with this size (bytes) and SHA-256 (hex)."""
    if not path.is_file() or path.stat().st_size != size:
        return False
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def fetch(url, path, size, sha256, on_bytes=None):
    """Fetch ``url`` into ``path``; certificates are checked, and so are size and SHA-256.

    ``on_bytes(n)`` is called after each n bytes.  RnnlmError says what went wrong; then nothing is left at ``path``
    that was not there before.
    """
    remedy = f"try again, or put the file there by hand: {path}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file, urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
            received, digest = _copy(answer, file, size, on_bytes)
            if received != size:
                rule = "the connection was cut" if received < size else "the file is longer than recorded"
                raise RnnlmError(f"{url}: {rule} (received {received} of {size} bytes); {remedy}")
            if digest != sha256:
                raise RnnlmError(
                    f"{url}: the file does not have the recorded SHA-256 (got {digest[:12]}…, expected "
                    f"{sha256[:12]}…), so it was not kept; {remedy}"
                )
    except urllib.error.HTTPError as error:
        raise RnnlmError(f"{url}: the server answered {error.code} {error.reason}; {remedy}") from error
    except (OSError, HTTPException) as error:  # URLError, time-outs and TLS errors are OSErrors
        raise RnnlmError(f"{url} could not be reached ({getattr(error, 'reason', error)}); {remedy}") from error


def _copy(answer, file, size, on_bytes):
    """Copy the answer's body, at most a block more than ``size`` bytes; return its length and SHA-256."""
    digest, received = hashlib.sha256(), 0
    while received <= size and (block := answer.read(1 << 16)):
        file.write(block)
        digest.update(block)
        received += len(block)
        if on_bytes:
            on_bytes(len(block))
    return received, digest.hexdigest()
