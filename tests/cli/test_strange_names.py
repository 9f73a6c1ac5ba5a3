"""Names and words with control characters: a terminal is never sent one of them."""

import errno
import io
import os
import pty
import shutil
import subprocess
import sys

import numpy as np
import pytest
from training_runs import SMALL

from rnnlm.cli.evaluate import main as evaluate
from rnnlm.cli.generate import main as generate
from rnnlm.cli.main import main
from rnnlm.cli.screen import file_bar
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.text.vocabulary import Vocabulary

STRANGE = "\x1b[2J\r\x9b31m\x7f\nrnnlm"  # clears a screen, overwrites the line, colours in eight bits, forges a line
LINE_END = "\n"
ESCAPED = r"\x1b[2J\r\x9b31m\x7f\nrnnlm"


def controls(text):
    """The control characters that a terminal would obey."""
    return {char for char in text.replace("\n", "").replace("\t", "") if char < " " or "\x7f" <= char <= "\x9f"}


@pytest.fixture
def model(tmp_path):
    """A model that writes the strange word again and again, one a line."""
    word = STRANGE.replace("\r", "").replace("\n", "")
    model = LanguageModel(2, 3, 3, rng=np.random.default_rng(0))
    save_model(tmp_path / "model.npz", model, Vocabulary(["<eos>", word]))
    return tmp_path / "model.npz", word


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_files_name_cannot_forge_a_result(model, tmp_path, capsys, form):
    text = tmp_path / f"{STRANGE}: 1 sentences"
    text.write_text("a\n")
    assert evaluate([str(model[0]), str(text), *form]) == 0
    out, _ = capsys.readouterr()
    assert not controls(out)
    assert len(out.splitlines()) == (1 if form else 3)
    assert (r"\u001b[2J\r\u009b31m\u007f\nrnnlm" if form else ESCAPED) in out


def seen_on_a_terminal(arguments, folder):
    """What a terminal is sent that is both standard streams."""
    main, other = pty.openpty()
    with subprocess.Popen([sys.executable, "-m", "rnnlm", *arguments], cwd=folder, stdout=other, stderr=other):
        os.close(other)
        seen = b""
        try:
            while block := os.read(main, 1 << 16):
                seen += block
        except OSError:  # the terminal closes when the process ends
            pass
    os.close(main)
    return seen.decode().replace("\r\n", "\n")


def test_a_strangers_words_are_escaped_on_a_terminal_and_bytes_in_a_pipe(model, tmp_path, capfd):
    path, word = model
    arguments = [str(path), "--length", "9", "--seed", "1", "--prompt", f"\t{word}"]
    on_terminal = seen_on_a_terminal(["generate", *arguments], tmp_path)
    assert not controls(on_terminal)
    assert on_terminal.count(r"\x1b[2J\x9b31m\x7frnnlm") == 10
    assert generate(arguments) == 0
    assert capfd.readouterr().out.count(word) == 10


def test_the_bar_for_a_strange_file_is_escaped(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    file_bar("fetching")(STRANGE, 10)(10)
    assert f"fetching {ESCAPED}: " in sys.stderr.getvalue()
    assert controls(sys.stderr.getvalue()) <= {"\r"}


def test_the_traceback_of_debug_is_escaped(tmp_path):
    seen = seen_on_a_terminal(["generate", f"{STRANGE}.npz", "--debug"], tmp_path)
    assert "Traceback" in seen and r"\x1b[2J" in seen
    assert not controls(seen)


def test_no_message_of_a_training_run_moves_the_cursor(run, small_corpus, tmp_path, monkeypatch):
    """Every note and error that names a folder or a file, with strange names."""
    monkeypatch.setattr("rnnlm.text.numbered_cache.LONG", 10)
    monkeypatch.setenv("RNNLM_CACHE", str(tmp_path / "cache"))
    corpus = small_corpus.rename(tmp_path / STRANGE)
    text = (corpus / "train.txt").rename(corpus / f"{STRANGE.replace(LINE_END, '')}.train.txt")
    folder = tmp_path / "runs" / STRANGE
    one = ["--corpus", str(corpus), *SMALL, "--epochs", "1"]
    resume = ["--resume", "--output", str(folder)]
    told = [run.bare(*one), run.bare(*one), run.bare(*one, "--resume", "--output", f"{folder}-new"),
            run.bare(*one, "--output", str(folder)), run.bare(*resume, "--seed", "7"), run.bare("--corpus", "\x1b[2J"),
            run.bare(*one, "--config", "\x1b[2J"), run.bare(*one, "--output", str(text))]
    shutil.copy(folder / "checkpoint.npz", folder / "checkpoint-previous.npz")  # as before the run ended
    for damaged in (["checkpoint.npz"], ["checkpoint.npz", "checkpoint-previous.npz"]):
        for name in damaged:
            (folder / name).write_bytes(b"x")
        told.append(run.bare(*resume))
    assert [code for code, *_ in told] == [0, 0, 0, 1, 1, 1, 1, 1, 0, 1]
    everything = "".join(out + err for _, out, err in told)
    for message in ("already exists", "holds no checkpoint yet", "already holds a run", "kept as", "is long"):
        assert message in everything
    assert not controls(everything)
    assert ESCAPED in everything
    assert not [line for line in everything.splitlines() if line.startswith("rnnlm")]


@pytest.mark.parametrize("length", [300, 5000])
@pytest.mark.parametrize("arguments", [["generate", "{}"], ["evaluate", "{}", "model.npz"],
                                       ["evaluate", "model.npz", "{}"], ["train", "--output", "{}"],
                                       ["train", "--config", "{}.toml"], ["train", "--resume", "--output", "{}"],
                                       ["train", "--corpus", "{}"]])
def test_a_name_that_is_too_long_is_a_bounded_line(model, monkeypatch, tmp_path, capsys, arguments, length):
    monkeypatch.chdir(tmp_path)
    assert main([word.format("x" * length) for word in arguments]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert len(err) < 3100
    assert "file name too long" in err or "no corpus 'xxx" in err
    assert not any(words in err for words in ("Errno", "check the disk", "unexpected"))
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("name", ["...txt", "..txt", "..x"])
def test_no_name_of_a_corpus_leads_out_of_the_folder_of_runs(run, small_corpus, tmp_path, name):
    """Without ending, ``...txt`` is the folder above: --overwrite would replace it."""
    (tmp_path / "model.npz").write_text("mine")
    (tmp_path / name).write_text((small_corpus / "train.txt").read_text())
    code, _, err = run.bare("--corpus", name, "--overwrite", *SMALL, "--epochs", "1")
    assert (code, (tmp_path / "model.npz").read_text()) == (0, "mine"), err
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [name]


@pytest.mark.parametrize("option", ["--corpus", "--config"])
def test_a_file_that_may_not_be_looked_at_is_not_called_unknown(run, monkeypatch, option):
    def stat(path, *arguments, original=os.stat, **options):
        if str(path) == "closed/mine":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return original(path, *arguments, **options)

    def opened(path, *arguments, original=open, **options):
        return original(path, *arguments, **options) if stat(path) else None

    monkeypatch.setattr(os, "stat", stat)
    monkeypatch.setattr("rnnlm.files.whole.open", opened, raising=False)
    code, _, err = run.bare(option, "closed/mine")
    assert code == 1
    assert err.endswith(" error: closed/mine could not be read: permission denied\n")
