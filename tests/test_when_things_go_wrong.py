"""The table in docs/when-things-go-wrong.md: each text is made, trained on, scored."""

import bz2
import gzip
import io
import lzma
import os
import re
import subprocess
import sys
import threading
import zipfile
from contextlib import contextmanager

import numpy as np
import pytest
from conftest import REPOSITORY

from rnnlm.cli.evaluate import main as evaluate
from rnnlm.cli.train import main as train
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.text.decompressing import zstd
from rnnlm.text.vocabulary import Vocabulary

pytestmark = pytest.mark.slow

TEXT = b"the fox ran .\n" * 30
TABLE = (REPOSITORY / "docs/when-things-go-wrong.md").read_text(encoding="utf-8").split("## Texts")[1].split("\n## ")[0]
ROWS = {name: (trained, scored) for name, trained, scored in
        re.findall(r"^\| (.*?) \| (.*?) \| (.*?) \|$", TABLE, re.M) if name != "text"}


def written(data):
    """A row whose text is just some bytes."""

    @contextmanager
    def make(path, monkeypatch):
        path.write_bytes(data() if callable(data) else data)
        yield

    return make


@contextmanager
def folder(path, monkeypatch):
    path.mkdir()
    yield


@contextmanager
def nothing(path, monkeypatch):
    yield


@contextmanager
def pipe(path, monkeypatch):
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(TEXT,))
    writer.start()
    yield
    writer.join()


@contextmanager
def shrinking(path, monkeypatch):
    """A file that loses its end as soon as its first block is read."""
    import rnnlm.text.lines

    path.write_bytes(TEXT)
    plain = rnnlm.text.lines._decode

    def decode(block, where, *others):
        if where == path or where == str(path):
            os.truncate(path, 50)
        return plain(block, where, *others)

    monkeypatch.setattr(rnnlm.text.lines, "_decode", decode)
    yield


@contextmanager
def forbidden(path, monkeypatch):
    """A file that this process may not read; root, which may, reads as another user."""
    path.write_bytes(TEXT)
    path.chmod(0)
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def endless(path, monkeypatch):
    path.symlink_to("/dev/zero")
    yield


def zipped():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("train.txt", TEXT)
    return buffer.getvalue()


def distinct_words():
    return b"".join(b"w%d%s" % (i, b"\n" if i % 10 == 9 else b" ") for i in range(1_000_000))


MAKE = {
    "empty": written(b""),
    "blank lines only": written(b"\n" * 100),
    "one word": written(b"fox"),
    "shorter than the batch": written(b"the fox\nran .\n"),
    "no line end at the end": written(TEXT[:-1]),
    "CRLF line ends": written(TEXT.replace(b"\n", b"\r\n")),
    "a byte-order mark": written(b"\xef\xbb\xbf" + TEXT),
    "UTF-16": written(TEXT.decode().encode("utf-16")),
    "UTF-16 without a mark": written(TEXT.decode().encode("utf-16-le")),
    "Latin-1": written(TEXT + "für\n".encode("latin1")),
    "a NUL": written(TEXT + b"ab\0\n"),
    "binary": written(lambda: np.random.default_rng(1).bytes(5000).replace(b"\0", b"\xff")),
    "the word `<eos>` in it": written(TEXT + b"the fox <eos>\n"),
    "terminal escapes and other controls": written(TEXT + b"the \x1b[2J \x7f\x08 \xc2\x85.\n"),
    "a line of 100 MB": written(lambda: (b"x" * 999 + b" ") * 100_000),
    "a word of 100 MB": written(lambda: b"the " + b"x" * 100_000_000 + b" fox"),
    "a million distinct words": written(distinct_words),
    "compressed by gzip": written(lambda: gzip.compress(TEXT)),
    "compressed by bzip2": written(lambda: bz2.compress(TEXT)),
    "compressed by xz": written(lambda: lzma.compress(TEXT)),
    "compressed by zstd": written(lambda: zstd().compress(TEXT)),
    "compressed and cut off": written(lambda: gzip.compress(TEXT)[:-9]),
    "100 MB of one word, compressed": written(lambda: gzip.compress(b"x" * 100_000_000)),
    "a ZIP archive": written(zipped),
    "a folder": folder,
    "a pipe": pipe,
    "a device that never ends": endless,
    "a file that shrinks while it is read": shrinking,
    "no permission": forbidden,
    "no such file": nothing,
}


@pytest.fixture
def place(tmp_path_factory, monkeypatch):
    """A folder that others may enter, with a small model, valid.txt and test.txt."""
    place = tmp_path_factory.mktemp("place")
    for folder in (place, *place.parents):
        if folder == place or folder.name.startswith(("pytest-", "popen-")):  # pytest's own, of one process or several
            folder.chmod(0o755)
    words = ["<eos>", "<unk>", "the", "fox", "ran", "."]
    save_model(place / "model.npz", LanguageModel(len(words), 3, 3, rng=np.random.default_rng(0)), Vocabulary(words))
    (place / "corpus").mkdir()
    (place / "open").mkdir()
    (place / "open").chmod(0o777)
    for name in ("valid.txt", "test.txt"):
        (place / "corpus" / name).write_bytes(b"the fox ran .\n" * 10)
    monkeypatch.setenv("RNNLM_CACHE", str(place / "cache"))
    return place


def test_the_table_and_the_texts_made_here_are_the_same():
    assert ROWS.keys() == MAKE.keys()


def check(cell, code, out, err):
    """Hold what a command did to a cell of the table."""
    words = re.search(r": `(.*)`", cell)[1]
    if cell.startswith("refused"):
        assert (code, out) == (1, ""), err
        assert words in err.splitlines()[-1]
        assert "Traceback" not in err
    else:
        assert code == 0, err
        assert words in out


@pytest.mark.parametrize("row", ROWS)
def test_training_does_what_the_table_says(row, place, capsys, monkeypatch):
    sizes = {"shorter than the batch": "20", "a word of 100 MB": "1", "a million distinct words": "200"}
    with MAKE[row](place / "corpus/train.txt", monkeypatch):
        code = train(["--corpus", str(place / "corpus"), "--output", str(place / "open/run"), "--hidden-size", "2",
                      "--epochs", "1", "--batch-size", sizes.get(row, "2")])
    out, err = capsys.readouterr()
    check(ROWS[row][0], code, out, err)
    assert (place / "open/run").exists() == (code == 0)
    if code == 0:
        assert evaluate([str(place / "open/run"), str(place / "corpus/test.txt")]) == 0


@pytest.mark.parametrize("row", ROWS)
def test_scoring_does_what_the_table_says(row, place, capsys, monkeypatch):
    with MAKE[row](place / "t.txt", monkeypatch):
        code = evaluate([str(place / "model.npz"), str(place / "t.txt")])
    out, err = capsys.readouterr()
    check(ROWS[row][1], code, out, err)
    assert out.isascii()


def test_a_file_name_cannot_break_the_line(tmp_path, capsys):
    (tmp_path / "t").touch()
    assert evaluate([str(tmp_path / "a\nb\x1b[2J"), str(tmp_path / "t")]) == 1
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert r"a\nb\x1b[2J could not be read" in err


def test_a_prompt_that_is_no_text_is_refused(place):
    command = [sys.executable, "-m", "rnnlm", "generate", place / "model.npz", "--length", "2", "--prompt", b"the \xff"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == ("rnnlm generate: error: --prompt must be text, its character 5 is the byte 0xff: "
                           "write it in UTF-8\n")
