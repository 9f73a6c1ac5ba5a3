"""What several tests share."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from training_runs import QuickPicture, Runs

REPOSITORY = Path(__file__).parent.parent


def pytest_configure():
    """Signals ignored when pytest started (nohup, background) reach the programs."""
    for signum, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(signum) is signal.SIG_IGN:
            signal.signal(signum, usual)


@pytest.fixture
def rng():
    """A generator with a fixed seed."""
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def golden():
    """Numbers of an independent implementation; see golden/make_golden.py."""
    return json.loads((Path(__file__).parent / "golden/golden.json").read_text(encoding="utf-8"))


@pytest.fixture
def small_corpus(tmp_path):
    """A corpus folder: a few repeated sentences, learnt in seconds by a small model."""
    folder = tmp_path / "small"
    folder.mkdir()
    cycle = "the cat sat on the mat .\nthe dog ran to the door .\na bird sang in the tree .\n"
    for split, text in (("train", cycle * 40), ("valid", cycle * 4), ("test", cycle * 3 + "the dog sat .\n")):
        (folder / f"{split}.txt").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def run(small_corpus, tmp_path, capsys, monkeypatch):
    """Train on the small corpus into tmp_path/run: see training_runs.Runs.

    With a quick picture in the place of the real one, which is looked at in
    test_plotting.py and drawn by the runs that are processes of their own.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("rnnlm.reports.curves.perplexity_figure", QuickPicture)
    return Runs(small_corpus, capsys, monkeypatch)


@pytest.fixture
def on_terminal():
    """A function (arguments, folder, columns) that runs ``rnnlm`` there.

    It returns what a terminal of that width is sent.
    """
    import fcntl
    import pty
    import struct
    import termios

    def start(arguments, folder, columns):
        main, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
        with subprocess.Popen([sys.executable, "-m", "rnnlm", *arguments], cwd=folder, stdout=subprocess.DEVNULL,
                              stderr=other) as process:
            os.close(other)
            seen = b""
            try:
                while block := os.read(main, 1 << 16):
                    seen += block
            except OSError:  # the terminal closes when the process ends
                pass
            process.wait()
        os.close(main)
        assert process.returncode == 0, seen
        return seen.decode(errors="replace")

    return start
