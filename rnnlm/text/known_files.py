"""What is remembered of a file with a text, so that it need not be read again.

That is the SHA-256 of the text, together with the file's size, times and inode: it is
known while these stay the same.  The text of a compressed file is what it decompresses
to.
"""

import hashlib
import json
import os
import stat
from pathlib import Path

from rnnlm.errors import RnnlmError
from rnnlm.files.cache import cache_folder, read_json
from rnnlm.files.whole import write_text
from rnnlm.text.decompressing import CHUNK
from rnnlm.text.sources import compression, opened


def encoded_folder():
    """The folder of the cache for these records and for texts as numbers."""
    return cache_folder() / "encoded"


class TextFile:
    """A regular file with a text: what is remembered about it, and where."""

    def __init__(self, path, status):
        self.path, self.status, self.compressed = Path(path), status, compression(path) is not None
        self.identity = file_identity(path, status)
        self.digest = None  # the SHA-256 of the text, once it is known

    @property
    def record(self):
        """The path of what is remembered of the file."""
        return encoded_folder() / f"{hashlib.sha256(os.fsencode(self.identity[0])).hexdigest()[:32]}.json"

    def remember(self, sha256):
        """Keep the SHA-256 of the text for the next run."""
        write_text(self.record, json.dumps({"file": self.identity, "sha256": sha256}))

    def is_known(self):
        """Whether the record is of this file as it is now.

        Then ``digest`` is the SHA-256 of its text.  Where only the inode was touched,
        as by chmod or a link, the content is compared: encoding it takes longer.
        """
        known = read_json(self.record)
        if not isinstance(known, dict):
            return False
        self.digest, recorded, now = known.get("sha256"), known.get("file"), self.identity
        if recorded == now:
            return True
        if not isinstance(recorded, list) or [*recorded[:3], *recorded[4:]] != [*now[:3], *now[4:]]:
            return False
        return _text_digest(self.path) == self.digest

    def require_unchanged(self):
        """RnnlmError if the file is not as it was before it was read."""
        try:
            now = os.stat(self.path)
        except OSError:  # it was removed, after it had been read to its end
            return
        if stat.S_ISREG(now.st_mode) and _identity(now) != _identity(self.status):
            raise RnnlmError(f"{self.path} changed while it was read: start again when it is complete")


def _identity(status):
    """What changes with a file's content: a tool may keep mtime, but not ctime."""
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def file_identity(path, status):
    """What changes with a file's name or content, a list for JSON."""
    return [os.path.realpath(path), *_identity(status)]


def _text_digest(path):
    """The SHA-256 of a text's bytes, decompressed.

    None if it cannot be read: the error from encoding it tells more.
    """
    hasher = hashlib.sha256()
    try:
        with opened(path) as source:
            while block := source.read(CHUNK):
                hasher.update(block)
    except (OSError, RnnlmError):
        return None
    return hasher.hexdigest()
