"""A folder that is held: whatever becomes of its name, the files are its own."""

import errno
import fcntl
import os
import shutil
import stat

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.files.lock import LOCK_NAME, HeldFolder, held, sweep
from rnnlm.files.whole import HAS_DIR_FD, File, write_text

pytestmark = pytest.mark.skipif(not HAS_DIR_FD, reason="the system has no descriptors of folders")

LOST = "was removed, emptied, moved or replaced while this run was working in it"


@pytest.fixture
def path(tmp_path):
    """A folder."""
    (tmp_path / "mine").mkdir()
    return tmp_path / "mine"


def replaced(path):
    """Another folder in its place; returns where the first one is now."""
    moved = path.with_name("moved")
    path.rename(moved)
    path.mkdir()
    return moved


def test_files_are_those_of_the_folder_that_is_open_not_of_its_name(path):
    (path / "old").write_text("x")
    with held(path) as folder:
        moved = replaced(path)
        file = folder.file("old")
        with file.open("rb") as stream:
            assert stream.read() == b"x"
        assert file.exists()
        write_text(folder.file("new"), "y")
        file.replace(folder.file("newer"))
        with folder.file("more").open("ab") as stream:
            stream.write(b"z")
        folder.file("more").unlink()
        folder.file("more").unlink(missing_ok=True)
        assert sorted(folder.names()) == sorted([LOCK_NAME, "new", "newer"])
        assert os.listdir(path) == []
        assert str(folder.file("new")) == str(path / "new")
    assert sorted(os.listdir(moved)) == ["new", "newer"]


def test_a_file_of_a_held_folder_is_no_path(path):
    """Otherwise open() or Path() would reach it by name, and nobody would notice."""
    with held(path) as folder:
        with pytest.raises(TypeError):
            os.stat(folder.file("a"))
        with pytest.raises(TypeError):
            path / folder.file("a")


def test_what_is_written_into_a_moved_folder_is_whole_before_it_is_said(path):
    with held(path) as folder:
        with folder.writing():
            write_text(folder.file("a"), "1")
        moved = replaced(path)
        with pytest.raises(RnnlmError, match=LOST), folder.writing():
            write_text(folder.file("a"), "2")
        assert folder.lost
    assert (moved / "a").read_text() == "2"
    assert os.listdir(path) == []


def test_a_folder_that_is_gone_is_said_rather_than_the_error_it_causes(path):
    with held(path) as folder:
        shutil.rmtree(path)
        with pytest.raises(RnnlmError, match=LOST), folder.writing():
            write_text(folder.file("a"), "1")


def test_nothing_is_written_once_the_lock_is_gone(path):
    with held(path) as folder:
        (path / LOCK_NAME).unlink()
        (path / LOCK_NAME).write_text("another's")
        with pytest.raises(RnnlmError, match=LOST), folder.writing():
            write_text(folder.file("a"), "1")
        assert os.listdir(path) == [LOCK_NAME]
    assert (path / LOCK_NAME).read_text() == "another's"  # and it is not ours to remove


def test_a_folder_that_is_emptied_while_it_is_written_is_said_rather_than_the_error_it_causes(path):
    with held(path) as folder, pytest.raises(RnnlmError, match=LOST), folder.writing():
        with folder.file("a").open("xb"):
            for name in os.listdir(path):
                (path / name).unlink()
        folder.file("a").replace(folder.file("b"))


def test_any_other_error_stays_as_it_is(path):
    with held(path) as folder:
        with pytest.raises(ZeroDivisionError), folder.writing():
            raise ZeroDivisionError
        assert not folder.lost


def test_who_removes_the_lock_file_does_not_get_the_folder(path):
    with held(path):
        with pytest.raises(RnnlmError, match="mine is in use by another run of this process: wait"), held(path):
            pass
        (path / LOCK_NAME).unlink()
        with pytest.raises(RnnlmError, match="mine is in use by another process"), held(path):
            pass
        assert os.listdir(path) == []
    with held(path):
        pass
    assert os.listdir(path) == []


@pytest.mark.parametrize("code", [errno.EBADF, errno.ENOLCK])
def test_where_folders_cannot_be_locked_the_file_still_is(path, monkeypatch, code):
    """As on NFS, which locks only what is open for writing."""
    plain = fcntl.flock

    def flock(descriptor, operation):
        if os.path.samestat(os.fstat(descriptor), os.stat(path)):
            raise OSError(code, os.strerror(code))
        plain(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    with held(path):
        with pytest.raises(RnnlmError, match="in use by another run of this process"), held(path):
            pass
        assert (path / LOCK_NAME).exists()
    assert os.listdir(path) == []


def test_without_any_locks_the_folder_can_be_held(path, monkeypatch):
    def flock(descriptor, operation):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    with held(path) as folder, folder.writing():
        write_text(folder.file("a"), "1")
    assert os.listdir(path) == ["a"]


def test_a_folder_that_vanishes_while_it_is_locked_is_not_there(path, monkeypatch):
    plain = fcntl.flock

    def flock(descriptor, operation):
        if path.exists():
            path.rename(path.with_name("moved"))
        plain(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(FileNotFoundError), held(path):
        pass


def test_links_in_a_held_folder_are_followed(path, tmp_path):
    (tmp_path / "models").mkdir()
    (path / "link").symlink_to("../models/real")
    with held(path) as folder:
        write_text(folder.file("link"), "x")
        (path / "link").unlink()
        (path / "link").symlink_to(tmp_path / "models")
        with pytest.raises(RnnlmError, match="models is not a regular file"):
            write_text(folder.file("link"), "x")
    assert (tmp_path / "models/real").read_text() == "x"


def test_half_written_files_are_swept_from_the_folder_that_is_open(path):
    with held(path) as folder:
        for place in (path, replaced(path)):
            (place / ".a.0a1b2c3d.tmp").write_text("x")
        sweep(folder, ["a"])
    assert os.listdir(path) == [".a.0a1b2c3d.tmp"]
    assert os.listdir(path.with_name("moved")) == []


def test_without_descriptors_the_name_is_looked_at_before_anything_is_written(path, monkeypatch):
    """As on Windows."""
    monkeypatch.setattr("rnnlm.files.lock.HAS_DIR_FD", False)
    with held(path) as folder:
        with folder.writing():
            write_text(folder.file("a"), "1")
        replaced(path)
        with pytest.raises(RnnlmError, match=LOST), folder.writing():
            write_text(folder.file("a"), "2")
    assert os.listdir(path) == []


def interrupting(monkeypatch, owner, name, before):
    """The next call of owner.name is interrupted: before it does its work, or after."""
    plain = getattr(owner, name)

    def interrupted(*arguments, **options):
        monkeypatch.setattr(owner, name, plain)
        if not before:
            plain(*arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, name, interrupted)


STEPS = {"release": HeldFolder, "_has_lock": HeldFolder, "unlink": File, "_close_lock": HeldFolder,
         "_close_folder": HeldFolder}


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("step", STEPS)
def test_a_release_that_is_interrupted_lets_go_of_the_folder_all_the_same(path, monkeypatch, step, before):
    descriptors = len(os.listdir("/dev/fd"))
    with pytest.raises(KeyboardInterrupt), held(path):
        interrupting(monkeypatch, STEPS[step], step, before)
    assert len(os.listdir("/dev/fd")) == descriptors
    with held(path) as folder, folder.writing():
        write_text(folder.file("a"), "1")
    assert os.listdir(path) == ["a"]


def test_a_closed_descriptor_is_not_closed_again(path, monkeypatch):
    """Its number may be another file's by then."""
    with pytest.raises(KeyboardInterrupt), held(path):
        interrupting(monkeypatch, os, "close", before=False)
    with held(path):
        pass


@pytest.mark.parametrize(("owner", "step"), [(os, "fstat"), (fcntl, "flock"), (os, "ftruncate")])
def test_a_folder_is_free_when_an_interrupt_comes_while_it_is_taken(path, monkeypatch, owner, step):
    descriptors = len(os.listdir("/dev/fd"))
    interrupting(monkeypatch, owner, step, before=False)
    with pytest.raises(KeyboardInterrupt), held(path):
        pass
    assert len(os.listdir("/dev/fd")) == descriptors
    with held(path):
        pass


def test_an_interrupt_before_the_lock_is_ours_leaves_the_lock_file_of_its_owner(path, monkeypatch):
    """Where only the file is locked, as on NFS."""
    plain = fcntl.flock

    def flock(descriptor, operation):
        if os.path.samestat(os.fstat(descriptor), os.stat(path)):
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
        plain(descriptor, operation)

    def interrupted_flock(descriptor, operation):
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise KeyboardInterrupt
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    with held(path) as folder:
        monkeypatch.setattr(fcntl, "flock", interrupted_flock)
        with pytest.raises(KeyboardInterrupt), held(path):
            pass
        folder.require_own()


def test_a_folder_that_was_let_go_of_is_no_longer_written_into(path):
    with held(path) as folder:
        pass
    folder.release()
    with pytest.raises(RnnlmError, match=LOST), folder.writing():
        pass
    with pytest.raises(OSError, match="Bad file descriptor"):
        folder.file("a").open("xb")


def test_a_folder_inside_is_that_of_the_folder_that_is_open_not_of_its_name(path):
    with held(path) as folder:
        moved = replaced(path)
        folder.make_inside("kept")
        folder.make_inside("kept")  # it is there
        with folder.inside("kept") as inside:
            write_text(inside.file("new"), "y")
            assert inside.names() == ["new"]
            assert str(inside.file("new")) == str(path / "kept/new")
        folder.remove_inside("kept")  # not empty
        assert os.listdir(path) == []
        assert (moved / "kept/new").read_text() == "y"
        with folder.inside("kept") as inside:
            inside.file("new").unlink()
        folder.remove_inside("kept")
        folder.remove_inside("kept")  # not there
        assert sorted(os.listdir(moved)) == [LOCK_NAME]
        with pytest.raises(FileNotFoundError), folder.inside("kept"):
            pass
