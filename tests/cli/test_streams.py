"""Standard streams that are closed, full, gone or not UTF-8.

No traceback, no lost result, and the documented exit code.
"""

import errno
import io
import itertools
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import tomllib

import numpy as np
import pytest
from conftest import REPOSITORY
from training_runs import SMALL, metrics

from rnnlm.cli.screen import show
from rnnlm.cli.signals import StoppedBetweenSteps, stop_on_signal
from rnnlm.errors import RnnlmError
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.text.vocabulary import Vocabulary

NARROW = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "cp437": {"PYTHONIOENCODING": "cp437"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "C locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}
TABLE = (REPOSITORY / "docs/when-things-go-wrong.md").read_text(encoding="utf-8").split("## Standard streams")[1]
ROWS = {"closed": "closed", "full": "on a full disk", "left": "a pipe whose reader left", "gone": "a terminal that",
        **dict.fromkeys(NARROW, "not UTF-8")}
NOT_OURS = ("Traceback", "Exception ignored", "unexpected", "please report")


@pytest.fixture
def places(tmp_path):
    """A folder with a corpus, a text and a model that writes 'ü 語 .' again and again.

    All of them have such names.
    """
    words = ["<eos>", "ü", "語", "."]
    model = LanguageModel(4, 4, 4, rng=np.random.default_rng(0))
    p = model.named_params()
    for name, value in {"embedding/W": 9 * np.eye(4), "rnn1/Wx": np.eye(4), "rnn1/Wh": 0, "rnn1/b": 0, "affine/b": 0,
                        "affine/W": 40 * np.roll(np.eye(4), 1, axis=1)}.items():
        p[name][...] = value
    save_model(tmp_path / "ü.npz", model, Vocabulary(words))
    (tmp_path / "ü.txt").write_text("ü 語 .\n" * 5, encoding="utf-8")
    (tmp_path / "corpus-ü").mkdir()
    for split in ("train", "valid", "test"):
        (tmp_path / "corpus-ü" / f"{split}.txt").write_text("ü 語 . a cat\n" * 30, encoding="utf-8")
    return tmp_path


ARGUMENTS = {
    "train": ["train", "--corpus", "corpus-ü", "--output", "run", *SMALL, "--epochs", "2"],
    "evaluate": ["evaluate", "ü.npz", "ü.txt"],
    "generate": ["generate", "ü.npz", "--temperature", "0.1", "--sentences", "2"],
    "score": ["score", "ü.npz", "ü.txt"],
}


class Streams:
    """The two standard streams of a process, of which some are broken in one way."""

    def __init__(self, kind, broken):
        self.kind, self.broken = kind, broken

    def run(self, arguments, folder):
        """Run ``rnnlm``; returns its exit code, standard output and standard error."""
        closed = {"stdin": "<&-", "stdout": ">&-", "stderr": "2>&-"}
        shell = "exec \"$@\" " + " ".join(closed[name] for name in self.broken if self.kind == "closed")
        command = ["sh", "-c", shell, "sh", sys.executable, "-m", "rnnlm", *arguments]
        ends = {name: self._end(name) for name in ("stdout", "stderr")}
        try:
            done = subprocess.run(command, cwd=folder, env=os.environ | NARROW.get(self.kind, {}), timeout=100, **ends)
        finally:
            for end in ends.values():
                if end != subprocess.PIPE:
                    os.close(end)
        encoding = self.kind if self.kind in ("cp437", "latin-1") else "utf-8"
        return done.returncode, (done.stdout or b"").decode(encoding), (done.stderr or b"").decode(encoding)

    def _end(self, name):
        if name not in self.broken or self.kind == "closed" or self.kind in NARROW:
            return subprocess.PIPE
        if self.kind == "full":
            return os.open("/dev/full", os.O_WRONLY)
        here, there = os.pipe() if self.kind == "left" else pty.openpty()
        os.close(here)
        return there


def check_trained(folder):
    """The run is whole, and nothing but its own lines is in its files."""
    assert [line["epoch"] for line in metrics(folder / "run")] == [1, 2]
    assert (folder / "run/perplexity.png").read_bytes().endswith(b"IEND\xaeB`\x82")
    assert tomllib.loads((folder / "run/config.toml").read_text(encoding="utf-8"))["epochs"] == 2
    with np.load(folder / "run/model.npz") as file:
        assert "vocabulary" in file.files


RESULT = {"train": r"^test perplexity [\d.]+ \([\d.]+ bits per byte\)$",
          "evaluate": r"\n?perplexity [\d.]+, without OOVs",
          "score": r"^1\t2\t(語|\\u8a9e)\t1\t", "generate": r"^(ü|\\xfc) (語|\\u8a9e) \.\n(ü|\\xfc) (語|\\u8a9e) \.\n"}


def documented(command, kind):
    """The documented exit code of a command whose standard output is of a kind."""
    row, = (line for line in TABLE.split("\n## ")[0].splitlines() if line.startswith(f"| {ROWS[kind]}"))
    _, training, others = row.strip("| ").split(" | ")
    return int(re.search(r"exit code (\d)$", training if command == "train" else others)[1])


CASES = [
    *itertools.product(["closed", "full", "gone", "left"], [("stdout",), ("stderr",), ("stdout", "stderr")]),
    ("closed", ("stdin", "stdout", "stderr")), *((kind, ("stdout", "stderr")) for kind in NARROW)]


def looked_at_elsewhere(command, kind, broken):
    """Whether a test below has this case, and looks closer: they write texts."""
    return command == "generate" and (kind in NARROW or (kind == "closed" and len(broken) == 1))


@pytest.mark.slow
@pytest.mark.parametrize(("command", "kind", "broken"), [
    pytest.param(command, kind, broken, id=f"{command}-{kind}-{'+'.join(broken)}")
    for command in ARGUMENTS for kind, broken in CASES if not looked_at_elsewhere(command, kind, broken)])
def test_every_command_with_every_stream(places, monkeypatch, command, kind, broken):
    monkeypatch.setenv("PYTHONUNBUFFERED", "")
    code, out, err = Streams(kind, broken).run(ARGUMENTS[command], places)
    assert code == (documented(command, kind) if "stdout" in broken else 0), err
    assert not [word for word in NOT_OURS if word in out + err]
    if command == "train":
        check_trained(places)
    if kind in NARROW or "stdout" not in broken:
        assert re.search(RESULT[command], out, re.MULTILINE)
        assert "note:" not in out and "error:" not in out
    if kind == "full" and broken == ("stdout",):  # no result is lost, and it is said why it is here
        assert "standard output could not be written: no space left on device" in err
        assert command in ("generate", "score") or re.search(RESULT[command], err, re.MULTILINE)
        assert command != "train" or goes_on_at_standard_error(err)
    if kind == "left" and broken == ("stdout",) and command == "evaluate":
        assert err == ""


def goes_on_at_standard_error(err):
    """Whether training said once that its lines are here now, and all of them are."""
    note = ("note: standard output could not be written: no space left on device; the run continues and prints its "
            "lines here\n")
    lines = "^corpus .*\n(.*\n)*^model: .*\n(.*\n)*^epoch .*\n    1 .*\n    2 .*\n(.*\n)*^test perplexity"
    return err.count(note) == 1 and re.search(lines, err, re.MULTILINE)


@pytest.mark.parametrize("broken", ["stdin", "stdout", "stderr"])
def test_closed_streams_are_the_null_device(places, broken):
    code, out, err = Streams("closed", (broken,)).run(ARGUMENTS["generate"], places)
    assert code == (documented("generate", "closed") if broken == "stdout" else 0)
    assert not [word for word in NOT_OURS if word in err]
    assert out == ("" if broken == "stdout" else "ü 語 .\nü 語 .\n")
    assert ("--seed" in err) == (broken != "stderr")


def test_no_file_gets_the_number_of_a_closed_stream(tmp_path):
    code = ("from rnnlm.cli.start import start; start('rnnlm'); file = open('f', 'w'); import sys; "
            "print('lost'); print('lost', file=sys.stderr); file.write(f'{file.fileno() > 2} {sys.stdin.read()!r}')")
    subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-c", code], cwd=tmp_path, check=True)
    assert (tmp_path / "f").read_text() == "True ''"


class Reluctant(io.RawIOBase):
    """A stream without a buffer that takes a few bytes at a time, and then no more."""

    def __init__(self, room):
        self.taken, self.room = b"", room

    def writable(self):
        return True

    def write(self, data):
        if len(self.taken) >= self.room:
            raise OSError(errno.ENOSPC, "no space left on device")
        self.taken += bytes(data[:3])
        return min(3, len(data))


def test_nothing_is_lost_on_a_stream_without_a_buffer(monkeypatch):
    """As standard output is by PYTHONUNBUFFERED, where the disk is nearly full."""
    for room in (1000, 10):
        raw = Reluctant(room)
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="utf-8", write_through=True))
        if room == 1000:
            show("ü 語 .\n" * 9)
            assert raw.taken.decode() == "ü 語 .\n" * 9
        else:
            with pytest.raises(RnnlmError, match="standard output could not be written: no space left"):
                show("ü 語 .\n" * 9)


def test_a_signal_that_comes_while_a_line_is_written_ends_nothing(monkeypatch):
    """The handler's note meets a stream in mid-write, as of a bar on a slow screen."""
    class Busy(io.StringIO):
        def write(self, text):
            raise RuntimeError("reentrant call inside <_io.BufferedWriter name='<stderr>'>")

    monkeypatch.setattr(sys, "stderr", Busy())
    with stop_on_signal("stopping") as check:
        signal.raise_signal(signal.SIGTERM)
    with pytest.raises(StoppedBetweenSteps) as stopped:
        check()
    assert stopped.value.signum == signal.SIGTERM


@pytest.mark.slow
def test_training_without_a_buffer_goes_on_where_standard_output_is_full(places, monkeypatch):
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    code, _, err = Streams("full", ("stdout",)).run(ARGUMENTS["train"], places)
    assert code == 0
    assert goes_on_at_standard_error(err), err
    check_trained(places)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["train", "--help"], ["train", "--recipes"],
                                       ["generate", "--help"]])
def test_what_is_asked_for_and_cannot_be_shown_is_an_error(tmp_path, arguments):
    code, _, err = Streams("full", ("stdout",)).run(arguments, tmp_path)
    assert code == 1
    assert re.fullmatch("rnnlm( train| generate)?: error: standard output could not be written: no space left on "
                        "device; free some disk space, or redirect it elsewhere\n", err)


@pytest.mark.parametrize(("kind", "text"), [("ascii", r"\xfc \u8a9e"), ("cp437", r"ü \u8a9e"),
                                            ("latin-1", r"ü \u8a9e"), ("C locale", r"\xfc \u8a9e")])
def test_what_an_encoding_lacks_is_written_as_escapes(places, kind, text):
    code, out, err = Streams(kind, ()).run([*ARGUMENTS["generate"], "--prompt", "ü"], places)
    assert (code, out) == (0, f"{text} .\n" * 2), err
    assert not [word for word in NOT_OURS if word in err]


@pytest.mark.slow
@pytest.mark.parametrize("kind", NARROW)
def test_no_score_is_lost_to_the_encoding_of_a_name(places, kind):
    code, out, _ = Streams(kind, ()).run([*ARGUMENTS["evaluate"], "--json"], places)
    assert code == 0
    assert os.fsencode(json.loads(out)["file"]) == "ü.txt".encode()
    assert json.loads(out)["targets"] == 20


@pytest.mark.slow
def test_the_bar_of_a_terminal_that_is_not_utf_8_is_ascii(places, on_terminal, monkeypatch):
    (places / "ü.txt").write_text("ü 語 .\n" * 4000, encoding="utf-8")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    seen = on_terminal([*ARGUMENTS["evaluate"], "--time-size", "1"], places, 100)
    assert re.search(r"scoring \\xfc.txt: +[1-9]\d*%\|[#0-9 ]+\| \S+ left", seen)
    assert seen.isascii()


@pytest.mark.slow
def test_a_terminal_that_goes_away_ends_no_run_that_ignores_it(places):
    """As after disown, or setsid, when the connection drops.

    Bar, rows and notes meet EIO from then on.
    """
    main, other = pty.openpty()
    termios.tcsetwinsize(main, (24, 100))
    arguments = [*ARGUMENTS["train"][:-1], "80", "--patience", "80"]
    with subprocess.Popen([sys.executable, "-m", "rnnlm", *arguments], cwd=places, stdin=other, stdout=other,
                          stderr=other) as process:
        os.close(other)
        seen = b""
        while b" left" not in seen or not re.search(rb"[\r\n]    2 ", seen):  # the bar is there, and two rows
            seen += os.read(main, 1 << 16)
        written = len(metrics(places / "run"))
        os.close(main)
        assert process.wait() == 0
    assert written < 80
    assert len(metrics(places / "run")) == 80


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize(("end", "expected"), [("let_go()", 0), ("pass", 120)])
def test_what_a_gone_terminal_has_not_taken_does_not_change_the_exit_code(stream, end, expected):
    """Python flushes at its end, and 120 says that it could not."""
    main, other = pty.openpty()
    code = (f"import sys; from rnnlm.cli.screen import let_go; print('begun', flush=True); sys.stdin.read(1); "
            f"sys.{stream}.write('held'); {end}")
    streams = {"stdout": subprocess.PIPE, stream: other} if stream == "stderr" else {"stdout": other}
    buffered = os.environ | {"PYTHONUNBUFFERED": ""}
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, env=buffered, **streams) as process:
        os.close(other)
        assert b"begun" in (process.stdout.readline() if stream == "stderr" else os.read(main, 100))
        os.close(main)
        process.stdin.write(b"x")
        process.stdin.close()
        assert process.wait() == expected
