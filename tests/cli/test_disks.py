"""A full disk, a vanished folder, a read-only mount: no write loses a good file."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from training_runs import SMALL, without_times

from rnnlm.formats.checkpoint import read_checkpoint_header
from rnnlm.formats.model_file import load_model
from rnnlm.training.trainer import Trainer

pytestmark = pytest.mark.slow

EPOCHS = ["--epochs", "3"]
STEPS = 35  # of an epoch of the small corpus

# The training command, with a limit to the size of the files it writes.
LIMITED = """
import resource, sys
from rnnlm.cli.train import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), -1))
sys.exit(main(sys.argv[2:]))
"""


@pytest.fixture
def begun(run, tmp_path):
    """A run stopped in its second epoch, and the same run to its end: run, whole."""
    run(*EPOCHS, output="whole")
    assert run.stopped_at(STEPS + 9, signal.SIGINT, *EPOCHS)[0] == 130
    return tmp_path / "run", tmp_path / "whole"


def is_whole(folder):
    """Every file of the run that is there can be read; assertions say which cannot."""
    assert not [path for path in folder.iterdir() if path.name.endswith(".tmp")]
    load_model(folder)
    assert [read_checkpoint_header(path) for path in folder.glob("checkpoint*.npz")]
    content = (folder / "metrics.jsonl").read_bytes()
    assert content.endswith(b"\n")
    assert len(without_times(folder)) in (1, 2, 3)
    if (folder / "perplexity.png").exists():
        assert (folder / "perplexity.png").read_bytes().endswith(b"IEND\xaeB`\x82")


def goes_on(run, folder, whole):
    """With the trouble gone, the run ends where it would have ended."""
    assert run(*EPOCHS, "--resume", output=str(folder))[0] == 0
    assert (folder / "model.npz").read_bytes() == (whole / "model.npz").read_bytes()
    assert without_times(folder) == without_times(whole)


def one_line(err, *words):
    """The error, after all notes."""
    *notes, last = err.splitlines()
    assert all(line.startswith("note: ") for line in notes), err
    assert "error: " in last
    for word in words:
        assert word in last
    return last


class FailingCall:
    """Stands for a function of os: its K-th call fails."""

    def __init__(self, at, code):
        self.left, self.code, self.plain = at, code, {}

    def put_in_place(self, patch):
        for name in ("open", "replace", "fsync", "unlink"):
            self.plain[name] = getattr(os, name)
            patch.setattr(os, name, lambda *arguments, name=name, **options: self.call(name, *arguments, **options))

    def call(self, name, *arguments, **options):
        self.left -= 1
        if self.left == 0:
            raise OSError(self.code, os.strerror(self.code))
        return self.plain[name](*arguments, **options)


@pytest.mark.parametrize(("code", "stride"), [(errno.ENOSPC, 1), (errno.EROFS, 4), (errno.EIO, 4)])
def test_whichever_call_to_the_disk_fails_nothing_good_is_lost(run, begun, tmp_path, code, stride):
    folder, whole = begun
    failed = 0
    for at in range(1, 1000, stride):
        trial = tmp_path / "trial"
        shutil.copytree(folder, trial)
        failing = FailingCall(at, code)
        with run.monkeypatch.context() as patch:
            failing.put_in_place(patch)
            exit_code, _, err = run(*EPOCHS, "--resume", output="trial")
        if failing.left > 0:
            break
        is_whole(trial)
        if exit_code:
            last = one_line(err, "could not be", os.strerror(code).lower())
            assert "; " in last or "could not be read" in last  # what to do
            failed += 1
        goes_on(run, trial, whole)
        shutil.rmtree(trial)
    assert 15 < failed * stride < at < 200  # a few calls may fail without harm: the line that says who has the lock


@pytest.mark.parametrize("what", ["overwriting", "damaged"])
def test_files_that_cannot_be_removed_or_put_aside_are_one_line(run, begun, tmp_path, what):
    folder, _ = begun
    if what == "damaged":
        data = (folder / "checkpoint.npz").read_bytes()
        (folder / "checkpoint.npz").write_bytes(data[:-100])
    name = {"overwriting": "unlink", "damaged": "replace"}[what]
    plain = getattr(os, name)

    def fails(path, *others, **options):
        if Path(path).name == "checkpoint.npz":
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        return plain(path, *others, **options)

    with run.monkeypatch.context() as patch:
        patch.setattr(os, name, fails)
        code, _, err = run(*EPOCHS, {"overwriting": "--overwrite", "damaged": "--resume"}[what])
    assert code == 1
    one_line(err, "could not be written: permission denied; choose a writable folder")
    load_model(folder)


def sizes(folder):
    """One byte less than each file of a run has; enough for all."""
    found = {path.stat().st_size for path in folder.iterdir()}
    return sorted({size - 1 for size in found} | {1 << 30})


def limited(size, *arguments, cwd):
    command = [sys.executable, "-c", LIMITED, str(size), *arguments, *SMALL, *EPOCHS]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


@pytest.mark.skipif(os.name != "posix", reason="the limit is one of POSIX systems")
def test_with_a_limit_to_the_size_of_files_no_good_file_is_lost(run, begun, small_corpus, tmp_path):
    folder, whole = begun
    assert limited(1 << 30, "--corpus", str(small_corpus), "--output", "drawn", cwd=tmp_path).returncode == 0
    codes = []
    for size in sizes(tmp_path / "drawn"):  # a process of its own draws the real picture
        trial = tmp_path / "trial"
        shutil.copytree(folder, trial)
        done = limited(size, "--corpus", str(small_corpus), "--output", "trial", "--resume", cwd=tmp_path)
        codes.append(done.returncode)
        is_whole(trial)
        if done.returncode:
            one_line(done.stderr, "could not be written: file too large; raise the limit on the size of files first")
        goes_on(run, trial, whole)
        shutil.rmtree(trial)
    assert set(codes) == {0, 1}
    assert codes == sorted(codes, reverse=True)


@pytest.mark.skipif(os.name != "posix", reason="the limit is one of POSIX systems")
def test_a_run_that_cannot_be_begun_leaves_what_was_there(run, begun, small_corpus, tmp_path):
    _, whole = begun
    for size in (0, 100, 8192):
        done = limited(size, "--corpus", str(small_corpus), "--output", f"new-{size}", cwd=tmp_path)
        assert done.returncode == 1
        one_line(done.stderr, "file too large")
        assert not list((tmp_path / f"new-{size}").glob("*.npz"))
    before = {path.name: path.read_bytes() for path in whole.iterdir()}
    done = limited(100, "--corpus", str(small_corpus), "--output", "whole", cwd=tmp_path)
    assert "already holds a run" in done.stderr
    assert {path.name: path.read_bytes() for path in whole.iterdir()} == before


@pytest.fixture
def mounted(tmp_path):
    """A function that mounts a small file system; skipped where that is not allowed."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(*options):
        done = subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", place], capture_output=True)
        if done.returncode:
            pytest.skip("mounting is not allowed here")
        return place

    yield mount
    subprocess.run(["umount", place], capture_output=True)


def test_a_disk_that_is_full(run, begun, mounted):
    folder, whole = begun
    disk = mounted("-o", "size=2m")
    shutil.copytree(folder, disk / "run")
    with open(disk / "filler", "wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1000))
    code, _, err = run(*EPOCHS, "--resume", output=str(disk / "run"))
    assert code == 1
    one_line(err, "MB are free: free some disk space")
    run.monkeypatch.setattr("rnnlm.runs.run_folder.RunFolder.require_space", lambda *sizes: None)
    code, _, err = run(*EPOCHS, "--resume", output=str(disk / "run"))
    assert code == 1
    one_line(err, "no space left on device; free some disk space first")
    is_whole(disk / "run")
    (disk / "filler").unlink()
    goes_on(run, disk / "run", whole)


def test_a_disk_that_may_only_be_read(run, begun, mounted):
    folder, whole = begun
    disk = mounted("-o", "size=2m")
    shutil.copytree(folder, disk / "run")
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    for arguments in (["--resume"], ["--overwrite"]):
        code, out, err = run(*EPOCHS, *arguments, output=str(disk / "run"))
        assert (code, out) == (1, "")
        one_line(err, "could not be prepared: read-only file system; choose a writable folder")
    code, _, err = run(*EPOCHS, output=str(disk / "new"))
    one_line(err, "could not be prepared: read-only file system")
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    is_whole(disk / "run")
    goes_on(run, disk / "run", whole)


def test_a_folder_that_vanishes(run, tmp_path, monkeypatch):
    plain = Trainer.step

    def vanish(trainer, xs, ts):
        if trainer.iteration == STEPS + 5:
            shutil.rmtree(tmp_path / "run")
        return plain(trainer, xs, ts)

    monkeypatch.setattr(Trainer, "step", vanish)
    code, _, err = run(*EPOCHS)
    assert code == 1
    one_line(err, "run was removed, emptied, moved or replaced while this run was working in it, so the run ends")
    assert not Path("run").exists()


def test_notes_that_nobody_can_read_end_no_run(small_corpus, tmp_path):
    command = [sys.executable, "-m", "rnnlm", "train", "--corpus", str(small_corpus), "--output", "run", *SMALL,
               "--epochs", "1", "--overwrite"]
    for unbuffered in ("", "1"):  # with a buffer, Python tries once more at its end
        with open("/dev/full", "w") as full:
            done = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=full, text=True,
                                  env=os.environ | {"PYTHONUNBUFFERED": unbuffered})
        assert done.returncode == 0
        assert "test perplexity" in done.stdout
