"""Files that appear whole or not at all, and folders that one process has for itself."""

import errno
import os
import re
import secrets
from contextlib import contextmanager, suppress
from pathlib import Path

from rnnlm.errors import RnnlmError, one_line

LOCK_NAME = ".rnnlm.lock"


@contextmanager
def whole_file(path):
    """Open a binary file that replaces ``path`` only when the block ends without an error.

    A temporary file in the same folder is written, flushed, synced and renamed, and the folder is
    synced, so that a crash at any moment leaves the old file or the new one.  A symbolic link is
    followed; a target that is not a regular file is refused with RnnlmError.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        raise RnnlmError(f"{path} is not a regular file and is not replaced: choose another name")
    with written(path), new_file(path.parent, path.name) as (file, settle):
        yield file
        settle(path)


@contextmanager
def written(path):
    """A block that writes, renames or removes ``path``: an OSError in it is one RnnlmError that says what to do."""
    try:
        yield
    except OSError as error:
        raise RnnlmError(f"{path} could not be written: {reason(error)}; {remedy(error)}") from error


@contextmanager
def new_file(folder, name=""):
    """Open a binary file whose name is only known at the end: yields (file, settle).

    settle(path), a path in the same folder, syncs the file and gives it its name.  A file without one is
    removed.  OSError as it comes.
    """
    temporary = folder / f".{name}.{secrets.token_hex(4)}.tmp"

    def settle(path):
        file.flush()
        os.fsync(file.fileno())
        file.close()  # Windows renames no open file
        os.replace(temporary, path)
        sync_folder(folder)

    try:
        # Mode 0o666 lets the umask decide the permissions; "x" never opens a file that is there.
        with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, 0o666)) as file:
            yield file, settle
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path, text):
    """Write ``text`` to ``path`` as UTF-8, whole or not at all; bytes of a file name that are no UTF-8 become "?"."""
    with whole_file(path) as file:
        file.write(text.encode("utf-8", "replace"))


def cache_folder():
    """Where fetched and encoded texts are kept: $RNNLM_CACHE, or rnnlm in $XDG_CACHE_HOME or ~/.cache."""
    if os.environ.get("RNNLM_CACHE"):
        return Path(os.environ["RNNLM_CACHE"])
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rnnlm"
    except RuntimeError as error:
        raise RnnlmError("there is no home folder for the cache: set RNNLM_CACHE to a folder with room") from error


def sync_folder(folder):
    """Make a rename in ``folder`` last through a power cut, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(folder):
    """A block in which this process alone has ``folder``; the lock goes with the process, however it ends.

    RnnlmError while another process has it; OSError as it comes.  On Windows and on file systems without locks
    nothing is locked.
    """
    if os.name != "posix":
        yield
        return
    import fcntl

    path = folder / LOCK_NAME  # a file and not the folder itself: NFS locks only what is open for writing
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 100).decode("utf-8", "replace").strip() or "another process"
            os.close(descriptor)
            raise RnnlmError(f"{folder} is in use by {one_line(owner)}: wait for its end, or choose another "
                             "folder") from None
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                os.close(descriptor)
                raise
        if _is_at(descriptor, path):
            break
        os.close(descriptor)  # the owner before removed it between our two calls
    try:
        with suppress(OSError):  # only for the message of others
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"process {os.getpid()} on {os.uname().nodename}\n".encode())
        yield
    finally:
        try:
            with suppress(OSError):
                path.unlink()
        finally:
            os.close(descriptor)


def _is_at(descriptor, path):
    """Whether the open file is the one that ``path`` names now."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def sweep(folder, names):
    """Remove what killed processes left half-written of files with these names, in a folder that is ours alone."""
    half_written = re.compile(rf"\.({'|'.join(map(re.escape, names))})\.[0-9a-f]{{8}}\.tmp")
    for path in folder.iterdir():
        if half_written.fullmatch(path.name):
            path.unlink(missing_ok=True)


def remedy(error):
    """What to do about an OSError at a write."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "make room first"
    if error.errno == errno.EFBIG:
        return "raise the limit to the size of files first (ulimit -f)"
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return "choose a folder that may be written to"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return "the folder is not there: make it, or choose another"
    return "see to the disk first"


def reason(error):
    """The few words of an OSError a user can act on, without the errno and the name."""
    return (error.strerror or str(error)).lower()
