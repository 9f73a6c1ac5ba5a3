"""Files that appear whole or not at all."""

import errno
import os
import stat
from contextlib import contextmanager, suppress
from pathlib import Path

from rnnlm.errors import RnnlmError

HAS_DIR_FD = {os.open, os.stat, os.unlink, os.rename, os.mkdir, os.rmdir} <= os.supports_dir_fd  # not on Windows


class File:
    """A file by its path, or by its name in a folder that is held open.

    In an open folder the folder's own name does not matter.  It is not an os.PathLike,
    on purpose: code that would reach the file by its path alone cannot take it by
    mistake.
    """

    def __init__(self, path, descriptor=None):
        self.path, self._folder = Path(path), descriptor
        self._name = self.path if descriptor is None else self.path.name

    @classmethod
    def of(cls, path):
        """A File from a path; a File is returned as it is."""
        return path if isinstance(path, cls) else cls(path)

    def __str__(self):
        return str(self.path)

    def beside(self, name):
        """A file of the same folder."""
        return File(self.path.with_name(name), self._folder)

    def stat(self, follow_symlinks=True):
        """Its os.stat_result."""
        return os.stat(self._name, dir_fd=self._folder, follow_symlinks=follow_symlinks)

    def mode(self):
        """The mode, which tells the kind of file; 0 where there is none."""
        with suppress(FileNotFoundError, NotADirectoryError):
            return self.stat().st_mode
        return 0

    def exists(self):
        """Whether there is anything of this name."""
        return self.mode() != 0

    def open(self, mode, **options):
        """Open it as the built-in does; the umask decides a new file's permissions."""
        return open(self._name, mode, opener=self._open, **options)

    def _open(self, name, flags):
        return os.open(name, flags, 0o666, dir_fd=self._folder)

    def replace(self, target):
        """Give it the name of another File."""
        os.replace(self._name, target._name, src_dir_fd=self._folder, dst_dir_fd=target._folder)

    def unlink(self, missing_ok=False):
        """Remove it."""
        with suppress(*[FileNotFoundError] if missing_ok else []):
            os.unlink(self._name, dir_fd=self._folder)

    def sync_folder(self):
        """Make a change of names in its folder survive a power cut, where possible."""
        if self._folder is None:
            sync_folder(self.path.parent)
        else:
            os.fsync(self._folder)

    def followed(self):
        """The file behind symbolic links; a link's target is reached by its path."""
        if self._folder is None:
            return File(os.path.realpath(self.path))
        try:
            target = os.readlink(self._name, dir_fd=self._folder)
        except OSError:  # no link, or nothing
            return self
        return File(os.path.realpath(self.path.parent / target))


@contextmanager
def whole_file(path):
    """Open a binary file that replaces ``path`` when the block ends without an error.

    A temporary file in the same folder is written, flushed, synced and renamed, and the
    folder is synced.  So a crash at any moment leaves the old file or the new one.  A
    symbolic link is followed.  path: a path or a File.

    Raises
    ------
    RnnlmError : the target is not a regular file, or cannot be written.
    """
    target = File.of(path).followed()
    with written(target):
        mode = target.mode()
    if mode and not stat.S_ISREG(mode):
        raise RnnlmError(f"{target} is not a regular file, so it is not replaced: choose another name")
    with written(target), _half_written(target.beside(_temporary(target.path.name))) as (file, settle):
        yield file
        settle(target)


def require_replaceable(path, is_earlier, what, remedy="choose another name"):
    """RnnlmError unless a file can be written there without losing another one.

    Parameters
    ----------
    path : of the file.
    is_earlier : function of an open binary file: whether it is an earlier file of the
        kind that will be written, which may be replaced.
    what, remedy : such a file, and what to do if it is another, for the message.
    """
    if str(path) == "-":
        raise RnnlmError("- is not the name of a file to write: choose a name, or give ./-")
    with written(path):
        target = File.of(path).followed()
        mode = target.mode()
        if not mode:
            os.stat(os.path.join(target.path.absolute().parent, ""))  # the slash asks for a folder
            return
        if not stat.S_ISREG(mode):
            raise RnnlmError(f"{path} is not a regular file, so it is not replaced: choose another name")
        with target.open("rb") as file:
            if is_earlier(file):
                return
    raise RnnlmError(f"{path} exists and is not {what}, so it is not replaced: {remedy}")


@contextmanager
def written(path):
    """A block that writes, renames or removes ``path``.

    An OSError in it becomes an RnnlmError that says what to do.
    """
    try:
        yield
    except OSError as error:
        raise RnnlmError(f"{path} could not be written: {reason(error)}; {remedy(error)}") from error


def new_file(folder, name=""):
    """A block with a binary file whose name is only known at the end.

    Yields (file, settle).  settle(path), a path in the same folder, syncs the file and
    gives it that name.  A file without a name is removed.  An OSError comes unchanged.
    """
    return _half_written(File(folder / _temporary(name)))


def _temporary(name):
    return f".{name}.{os.urandom(4).hex()}.tmp"


@contextmanager
def _half_written(temporary):
    def settle(path):
        file.flush()
        os.fsync(file.fileno())
        file.close()  # Windows renames no open file
        target = File.of(path)
        temporary.replace(target)
        target.sync_folder()

    try:
        with temporary.open("xb") as file:  # "x" never opens a file that is there
            yield file, settle
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path, text):
    """Write ``text`` to ``path`` as UTF-8, whole or not at all."""
    with whole_file(path) as file:
        file.write(text.encode("utf-8"))


def sync_folder(folder):
    """Make a rename in ``folder`` survive a power cut, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_denied(path):
    """Whether nobody can tell what is there: a folder on the way is not searchable."""
    try:
        os.stat(path)
    except PermissionError:
        return True
    except OSError:
        pass
    return False


def remedy(error):
    """What to do about an OSError at a write."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free some disk space first"
    if error.errno == errno.EFBIG:
        return "raise the limit on the size of files first (ulimit -f)"
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return "choose a writable folder"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return "the folder does not exist: create it, or choose another"
    if error.errno == errno.ENAMETOOLONG:
        return "choose a shorter name"
    if error.errno == errno.ELOOP:
        return "choose another name"
    return "check the disk first"


def reason(error):
    """The words of an OSError that help a user, without the errno and the name."""
    return (error.strerror or str(error)).lower()
