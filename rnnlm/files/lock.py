"""A folder that one process has for itself, and that it reaches by an open descriptor.

Somebody may remove the folder, move it, or put another one in its place while the
process works or sleeps.  That changes what the folder's name means, but not what the
descriptor means: nothing is written into the other one.
"""

import errno
import os
import re
from contextlib import contextmanager, suppress

from rnnlm.errors import RnnlmError, one_line
from rnnlm.files.whole import HAS_DIR_FD, File

LOCK_NAME = ".rnnlm.lock"
CLOSED = -1  # no descriptor, and what the system refuses as one
NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)  # what a file system without locks answers


@contextmanager
def held(path):
    """A block in which only this process has the folder ``path``; yields a HeldFolder.

    The lock ends with the process.  On Windows and on file systems without locks
    nothing is locked.

    Raises
    ------
    RnnlmError : another run has the folder.
    OSError : from the system, unchanged.
    """
    folder = HeldFolder(path)
    try:
        folder.take()
        yield folder
    finally:
        try:
            folder.release()
        finally:
            folder.release()  # an interrupt may have cut the first one short


class OpenFolder:
    """A folder that is reached by an open descriptor.

    Where the system has no descriptors of folders (Windows), it is None, and the files
    are reached by their paths.

    Attributes
    ----------
    path : Path, for messages.
    """

    def __init__(self, path, descriptor):
        self.path, self._descriptor = path, descriptor

    def file(self, name):
        """The File of this name in the folder."""
        return File(self.path / name, self._descriptor)

    def names(self):
        """The names in the folder, a list."""
        return os.listdir(self.path if self._descriptor is None else self._descriptor)


class HeldFolder(OpenFolder):
    """A folder that is held open from ``take`` to ``release``.

    Attributes
    ----------
    path : Path, for messages.
    lost : bool, whether the folder was found to be no longer this process's own.
    """

    def __init__(self, path):
        super().__init__(path, CLOSED if HAS_DIR_FD else None)
        self.lost, self._lock = False, None

    def make_inside(self, name):
        """Make a folder in this one, if there is none of this name."""
        with suppress(FileExistsError):
            if self._descriptor is None:
                os.mkdir(self.path / name)
            else:
                os.mkdir(name, dir_fd=self._descriptor)
                os.fsync(self._descriptor)

    def remove_inside(self, name):
        """Remove a folder in this one, if it is there and empty."""
        with suppress(OSError):
            if self._descriptor is None:
                os.rmdir(self.path / name)
            else:
                os.rmdir(name, dir_fd=self._descriptor)

    @contextmanager
    def inside(self, name):
        """A block with the OpenFolder of this name in this one."""
        path = self.path / name
        if self._descriptor is None:
            yield OpenFolder(path, None)
            return
        descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._descriptor)
        try:
            yield OpenFolder(path, descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def writing(self):
        """A block that writes into the folder.

        RnnlmError before the block if the folder's lock is gone.  RnnlmError after the
        block also if the folder no longer has its name: a folder that was moved then
        holds everything.
        """
        self._require(self.has_its_name() if self._descriptor is None else self._has_lock())
        try:
            yield
        except Exception:
            self.require_own()
            raise
        self.require_own()

    def require_own(self):
        """RnnlmError if the folder no longer has its name, or its lock."""
        self._require(self.has_its_name() and (self._descriptor is None or self._has_lock()))

    def _require(self, holds):
        if not holds:
            self.lost = True
            raise RnnlmError(f"{self.path} was removed, emptied, moved or replaced while this run was working in it, "
                             "so the run ends: if the folder was moved, resume with --resume --output and its new name")

    def has_its_name(self):
        """Whether the path still leads to this folder."""
        return _is_at(self._identity, self.path)

    def take(self):
        """Open and lock the folder and a file in it; RnnlmError if another run has one.

        The folder, so that nobody else gets it when somebody removes the file.  The
        file, because NFS locks only what is open for writing.
        """
        if self._descriptor is None:
            self._identity = os.stat(self.path)
            return
        self._descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        self._identity = os.fstat(self._descriptor)
        with suppress(OSError):
            self._lock_open(self._descriptor)
        while not self._has_lock():  # the owner before removed it between our two calls
            self._close_lock()
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
            self._lock = os.open(LOCK_NAME, flags, 0o666, dir_fd=self._descriptor)
            try:
                self._lock_open(self._lock)
            except BaseException as error:
                if getattr(error, "errno", None) not in NO_LOCKS:
                    self._close_lock()  # it is not ours to remove
                    raise
        if not self.has_its_name():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        with suppress(OSError):  # only for the message of others
            os.ftruncate(self._lock, 0)
            os.write(self._lock, f"{_this_process()}\n".encode())

    def _lock_open(self, descriptor):
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RnnlmError(f"{self.path} is in use by {self._owner()}: wait until it ends, or choose another "
                             "folder") from None

    def _owner(self):
        with suppress(OSError), self.file(LOCK_NAME).open("rb") as file:
            owner = one_line(file.read(100).decode("utf-8", "replace").strip())
            return "another run of this process" if owner == _this_process() else owner or "another process"
        return "another process"

    def _has_lock(self):
        """Whether the lock file in the folder is the one that is locked here."""
        return self._lock is not None and _is_at(os.fstat(self._lock), LOCK_NAME, dir_fd=self._descriptor)

    def release(self):
        """Remove the lock file, if it is our own, and close the folder; repeatable."""
        try:
            with suppress(OSError):
                if self._has_lock():
                    self.file(LOCK_NAME).unlink()
        finally:
            try:
                self._close_lock()
            finally:
                self._close_folder()

    # Forgotten first, closed second: no interrupt comes between the two, and a number
    # that is closed twice may by then be another thread's.

    def _close_lock(self):
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def _close_folder(self):
        if self._descriptor not in (None, CLOSED):
            descriptor, self._descriptor = self._descriptor, CLOSED
            os.close(descriptor)


def _this_process():
    """What the lock file says of its owner."""
    return f"process {os.getpid()} on {os.uname().nodename}"


def _is_at(identity, path, dir_fd=None):
    """Whether a path leads to the file or folder with this os.stat_result."""
    try:
        return os.path.samestat(identity, os.stat(path, dir_fd=dir_fd))
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # cannot be told; if it is no passing trouble, the next write meets it, too
        return True


def sweep(folder, names):
    """Remove what killed processes left half-written in an OpenFolder.

    names: those of the files that they were to become.
    """
    half_written = re.compile(rf"\.({'|'.join(map(re.escape, names))})\.[0-9a-f]{{8}}\.tmp")
    for name in folder.names():
        if half_written.fullmatch(name):
            folder.file(name).unlink(missing_ok=True)
