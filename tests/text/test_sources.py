"""Texts that are compressed, or come from a pipe or standard input."""

import bz2
import gzip
import io
import lzma
import os
import subprocess
import sys
import tracemalloc
import zipfile
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from rnnlm.errors import RnnlmError
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.text import decompressing
from rnnlm.text import numbered_cache as module
from rnnlm.text.corpus import load_corpus, read_text
from rnnlm.text.lines import read_blocks
from rnnlm.text.numbered_cache import read_tokens
from rnnlm.text.sources import opened
from rnnlm.text.tokenizer import CHARACTERS, WORDS
from rnnlm.text.vocabulary import Vocabulary

TEXT = "the cat sat\nthe dog sat on the wörtchen\n" * 200
GZIPPED = gzip.compress(TEXT.encode(), mtime=0)  # the same in every process: tests are named by it
COMPRESS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
with suppress(ImportError):
    ZSTD = decompressing.zstd()
    CHECKED = {ZSTD.CompressionParameter.checksum_flag: 1}  # as its tool does
    COMPRESS["zst"] = lambda data: ZSTD.compress(data, options=CHECKED)
needs_zstd = pytest.mark.skipif("zst" not in COMPRESS, reason="an extra")
ENDINGS = pytest.mark.parametrize("ending", COMPRESS)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache."""
    monkeypatch.setenv("RNNLM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache/encoded"


def write(path, data):
    path.write_bytes(data)
    return path


def read(path, size=1 << 22):
    return "".join(read_blocks(path, size))


@ENDINGS
@pytest.mark.parametrize("size", [1, 100, 1 << 22])
def test_a_compressed_text_is_the_text_whatever_it_is_called(ending, size, tmp_path):
    path = write(tmp_path / "text.txt", COMPRESS[ending](TEXT.encode()))
    assert read(path, size) == TEXT


@ENDINGS
def test_several_streams_in_a_file_are_one_text(ending, tmp_path):
    half, padding = len(TEXT) // 2, b"\0" * 8 if ending == "xz" else b""
    parts = [COMPRESS[ending](part.encode()) for part in (TEXT[:half], "", TEXT[half:])]
    assert read(write(tmp_path / "t", padding.join(parts) + padding)) == TEXT


@ENDINGS
def test_a_compressed_text_can_be_a_corpus_of_its_own_or_part_of_one(ending, tmp_path):
    book = write(tmp_path / f"book.txt.{ending}", COMPRESS[ending](TEXT.encode()))
    plain = load_corpus(write(tmp_path / "book.txt", TEXT.encode()))
    corpus = load_corpus(book)
    assert corpus.name == plain.name == "book"
    assert corpus.fingerprint() == plain.fingerprint()
    folder = tmp_path / "folder"
    folder.mkdir()
    for split in ("train", "valid", "test"):
        write(folder / f"x.{split}.txt.{ending}", COMPRESS[ending](TEXT.encode()))
    assert load_corpus(folder).train.size == len(TEXT.split()) + TEXT.count("\n")


@ENDINGS
@pytest.mark.parametrize("level", [WORDS, CHARACTERS])
def test_a_long_compressed_text_is_encoded_once_and_again_when_it_changes(ending, level, tmp_path, monkeypatch, cache):
    path = write(tmp_path / "t", COMPRESS[ending](TEXT.encode()))
    short = read_tokens(path, level)
    assert not cache.exists()
    monkeypatch.setattr(module, "LONG", 1000)
    reads, plain = [], module.encode_blocks
    monkeypatch.setattr(module, "encode_blocks", lambda path, *others: reads.append(path) or plain(path, *others))
    bars = []
    for _ in range(2):
        tokens = read_tokens(path, level, lambda name, size: bars.append((name, size)) or bars.append)
        assert tokens.words == short.words
        np.testing.assert_array_equal(np.concatenate(list(tokens.blocks())), short.source)
    assert len(reads) == 1
    assert bars[0] == ("t", path.stat().st_size)
    assert sum(bars[1:]) == path.stat().st_size
    path.chmod(0o600)  # touches the inode alone: the content is compared
    read_tokens(path, level)
    assert len(reads) == 1
    read_tokens(write(tmp_path / "plain", TEXT.encode()), level)  # the same text
    assert len(list(cache.glob("*.ids1"))) == 1
    write(path, COMPRESS[ending](TEXT.replace("cat", "cow").encode()))
    assert read_tokens(path, level).words != short.words


@ENDINGS
def test_what_is_damaged_or_cut_off_is_one_line(ending, tmp_path):
    data = COMPRESS[ending](os.urandom(3000).hex().encode())
    middle = len(data) // 2
    for harm in (data[:-20], data[:middle], data[:middle] + bytes(8) + data[middle + 8:], data + b"more"):
        with pytest.raises(RnnlmError, match=r"t is damaged and cannot be decompressed \(.*\): get a new copy"):
            read(write(tmp_path / "t", harm))


@ENDINGS
def test_what_it_decompresses_to_must_be_text(ending, tmp_path):
    with pytest.raises(RnnlmError, match=r"t must be UTF-8: line 2 \(byte offset 2\) holds the byte 0xff"):
        read(write(tmp_path / "t", COMPRESS[ending](b"a\n\xff\n")))


def zipped(name="t"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, TEXT)
    return buffer.getvalue()


@pytest.mark.parametrize(("data", "message"), [
    (zipped(), "t is a ZIP archive, which is not supported: decompress it first with unzip"),
    (b"7z\xbc\xaf\x27\x1c" + bytes(20), "t is a 7z archive, .* with 7z x"),
    (gzip.compress(b"train.txt".ljust(257, b"\0") + b"ustar\0", mtime=0),
     "it is a tar archive: unpack it first with tar -xf"),
])
def test_what_is_not_read_is_named_with_the_remedy(data, message, tmp_path):
    with pytest.raises(RnnlmError, match=message):
        read(write(tmp_path / "t", data))


def test_an_xz_file_that_asks_for_much_memory_is_refused(tmp_path):
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 30}]
    path = write(tmp_path / "t", lzma.compress(b"a\n", filters=filters))
    with pytest.raises(RnnlmError, match=r"needs more than 100 MB of memory to be decompressed: .* with unxz"):
        read(path)
    assert read(write(tmp_path / "t", lzma.compress(TEXT.encode(), preset=9))) == TEXT


@needs_zstd
def test_a_zstd_file_that_asks_for_much_memory_is_refused(tmp_path):
    options = {ZSTD.CompressionParameter.window_log: 28}
    with ZSTD.open(tmp_path / "t", "wb", options=options) as file:
        for _ in range(6):  # its length is not known when the window is chosen
            file.write(b"x" * 999_999 + b"\n")
    with pytest.raises(RnnlmError, match=r"needs more than 134 MB of memory to be decompressed: .* with unzstd"):
        read(tmp_path / "t")
    assert read(write(tmp_path / "t", ZSTD.compress(TEXT.encode(), 19))) == TEXT


@needs_zstd
def test_what_pzstd_writes_begins_with_a_frame_that_is_skipped(tmp_path):
    data = COMPRESS["zst"](TEXT.encode())
    path = write(tmp_path / "t", b"\x50\x2a\x4d\x18\4\0\0\0" + len(data).to_bytes(4, "little") + data)
    assert read(path) == TEXT


def test_without_the_extra_a_zstd_file_is_refused_with_its_name(tmp_path, monkeypatch):
    def without(name):
        raise ImportError(name)

    monkeypatch.setattr(decompressing, "import_module", without)
    with pytest.raises(RnnlmError, match=r"t is compressed by zstd, which needs the extra of that name: pip install "
                       r"'numpy-rnnlm\[zst\]', or decompress it first with unzstd$"):
        read(write(tmp_path / "t", b"\x28\xb5\x2f\xfd" + bytes(20)))


@pytest.mark.parametrize("text", ["BZh", "BZh9 is how such files start\n", "PK\n", "B\n"])
def test_a_text_that_starts_like_a_compressed_file_is_a_text(text, tmp_path):
    assert read(write(tmp_path / "t", text.encode())) == text.removesuffix("\n") + "\n"


@pytest.mark.slow
@ENDINGS
def test_memory_does_not_grow_with_what_comes_out(ending, tmp_path):
    """A hundred megabytes, from some kilobytes."""
    path = tmp_path / "t"
    openers = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}
    if ending == "zst":
        openers["zst"] = ZSTD.open
    with openers[ending](path, "wb") as file:
        for _ in range(100):
            file.write(b"x" * 999_999 + b"\n")
    size = 0
    tracemalloc.start()
    try:
        with opened(path) as source:
            while block := source.read(1 << 20):
                assert len(block) <= 1 << 20
                size += len(block)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert size == 100_000_000


def test_a_word_that_has_no_end_is_refused_where_the_length_is_not_known(tmp_path, monkeypatch):
    monkeypatch.setattr("rnnlm.text.lines.LONGEST_WORD", 1_000_000)
    with pytest.raises(RnnlmError, match="t must be text with blanks or line ends, it has none in more than 1 MB"):
        read(write(tmp_path / "t", gzip.compress(b"x" * 5_000_000)), 1 << 16)
    assert len(read(write(tmp_path / "t", b"x" * 5_000_000), 1 << 16)) == 5_000_001  # its size bounds it


@ENDINGS
def test_a_small_file_does_not_become_a_long_text(ending, tmp_path, monkeypatch):
    monkeypatch.setattr("rnnlm.text.decompressing.ALWAYS_READ", 1_000_000)
    path = write(tmp_path / "t", COMPRESS[ending](b"a\n" * 3_000_000))
    assert path.stat().st_size < 10_000
    with pytest.raises(RnnlmError, match=r"t decompresses to more than 1 MB and more than 100 times its own size, "
                       r"which no text does: if it is one, decompress it first with (gunzip|bunzip2|unxz|unzstd)$"):
        read(path)
    assert len(read(write(tmp_path / "t", b"a\n" * 3_000_000))) == 6_000_000
    assert len(read(write(tmp_path / "t", COMPRESS[ending](b"a\n" * 400_000)))) == 800_000


def test_a_small_file_does_not_fill_the_cache(tmp_path, monkeypatch, cache):
    monkeypatch.setattr("rnnlm.text.decompressing.ALWAYS_READ", 10_000_000)
    monkeypatch.setattr(module, "LONG", 1_000_000)
    path = write(tmp_path / "t", gzip.compress((b"a" * 100 + b"\n") * 200_000, 1))
    for read_it in (lambda path: read_tokens(path, WORDS), lambda path: read_text(path, Vocabulary(["<eos>"]))):
        with pytest.raises(RnnlmError, match="t decompresses to more than 10 MB"):
            read_it(path)
        assert list(cache.iterdir()) == []


def test_a_text_that_compresses_as_texts_do_has_no_bound(tmp_path, monkeypatch, rng):
    monkeypatch.setattr("rnnlm.text.decompressing.ALWAYS_READ", 1000)
    text = "".join(f"{number} and {number}\n" for number in rng.integers(0, 10**9, 5000))
    assert read(write(tmp_path / "t", gzip.compress(text.encode()))) == text


@pytest.mark.parametrize("data", [b"ab\nc\n\nd", b"BZ\n\x1f", b"\n\n", b"", GZIPPED,
                                  lzma.compress(TEXT.encode()), b"x" * 25 + b"\ny"])
@pytest.mark.parametrize("size", [1, 10, 1 << 20])
def test_line_by_line_is_the_same_text(data, size, tmp_path):
    path = write(tmp_path / "t", data)
    assert "".join(read_blocks(path, size, by_line=True)) == read(path, size)


def test_a_line_is_read_before_the_next_one_is_there(tmp_path):
    here, there = os.pipe()
    with os.fdopen(here, "rb") as source, os.fdopen(there, "wb", buffering=0) as pen:
        pen.write(b"the cat\n")
        with opened_pipe(source) as lines:
            assert next(lines) == "the cat\n"
            pen.write(b"sat\n\n")
            assert [next(lines), next(lines)] == ["sat\n", "\n"]
            pen.write(b"end")
            pen.close()
            assert list(lines) == ["end", "\n"]


@contextmanager
def opened_pipe(source):
    """The lines of an open pipe, as standard input has them."""
    before, sys.stdin = sys.stdin, io.TextIOWrapper(source)
    try:
        yield read_blocks("-", by_line=True)
    finally:
        sys.stdin.detach()
        sys.stdin = before


@pytest.mark.skipif(os.name != "posix", reason="pipes are files of POSIX systems")
@pytest.mark.parametrize("data", [TEXT.encode(), GZIPPED])
@pytest.mark.parametrize("long", [1000, 1 << 26])
def test_a_pipe_is_read_to_its_end(data, long, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LONG", long)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "data").write_bytes(data)
    with subprocess.Popen(["cp", tmp_path / "data", tmp_path / "pipe"]):
        tokens = read_tokens(tmp_path / "pipe", CHARACTERS, on_long=lambda *_: 1 / 0)  # nothing to come back to
    assert tokens.size == len(TEXT)


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="a device of POSIX systems")
def test_a_device_is_refused_before_it_is_read():
    for read_it in (read, load_corpus, lambda path: read_tokens(path, WORDS)):
        with pytest.raises(RnnlmError, match="/dev/zero must be a regular file or a pipe, it is a device"):
            read_it("/dev/zero")


def test_a_link_to_a_device_in_a_corpus_is_refused(tmp_path):
    for split in ("train", "valid", "test"):
        (tmp_path / f"{split}.txt").symlink_to("/dev/zero")
    with pytest.raises(RnnlmError, match=r"train\.txt must be a regular file or a pipe"):
        load_corpus(tmp_path)


@pytest.mark.parametrize("name", ["none", "a\0b", "loop"])
def test_what_is_not_there_is_one_line(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(RnnlmError, match="could not be read"):
        read_tokens(name, WORDS)


@pytest.fixture
def model(tmp_path, rng):
    words = ["<eos>", "<unk>", "the", "cat", "sat"]
    save_model(tmp_path / "m.npz", LanguageModel(len(words), 3, 3, rng=rng), Vocabulary(words))
    return tmp_path


def evaluate(model, *texts, **options):
    command = [sys.executable, "-m", "rnnlm", "evaluate", "m.npz", *texts, "--threads", "1"]
    return subprocess.run(command, cwd=model, capture_output=True, **options)


@pytest.mark.parametrize("ending", [pytest.param(ending, marks=() if ending == "gz" else pytest.mark.slow)
                                    for ending in COMPRESS])
def test_evaluate_reads_standard_input_compressed_or_not(ending, model):
    write(model / "t", TEXT.encode())
    plain = evaluate(model, "t").stdout
    for data in (TEXT.encode(), COMPRESS[ending](TEXT.encode())):
        done = evaluate(model, "-", input=data)
        assert done.stdout == plain.replace(b"t:", b"standard input:", 1), done.stderr
    write(model / "z", COMPRESS[ending](TEXT.encode()))
    assert evaluate(model, "z").stdout == plain.replace(b"t:", b"z:", 1)


@pytest.mark.parametrize(("texts", "data", "message"), [
    (["-"], b"", b"standard input must hold at least one line of text, but it is empty"),
    (["-"], b"a\xff\n", b"standard input must be UTF-8: line 1"),
    (["-"], zipped(), b"standard input is a ZIP archive, which is not supported"),
    (["-", "-"], b"a\n", b"standard input (-) can be read only once")])
def test_what_is_wrong_with_standard_input_is_one_line(texts, data, message, model):
    done = evaluate(model, *texts, input=data)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert message in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="devices are files of POSIX systems")
def test_standard_input_that_is_a_device_or_closed_is_one_line(model):
    with open("/dev/zero", "rb") as zero:
        assert b"standard input must be a regular file, a pipe or a terminal" in evaluate(model, "-", stdin=zero).stderr
    command = f"exec {sys.executable} -m rnnlm evaluate m.npz - <&-"
    done = subprocess.run(["sh", "-c", command], cwd=model, capture_output=True)
    assert (done.returncode, b"standard input is closed" in done.stderr) == (1, True)


@pytest.mark.skipif(os.name != "posix", reason="terminals are files of POSIX systems")
def test_a_terminal_is_read_to_its_first_end(model):
    import pty

    main, other = pty.openpty()
    with os.fdopen(main, "wb", buffering=0) as keys, os.fdopen(other) as terminal:
        keys.write(b"the cat sat\n\x04")
        done = evaluate(model, "-", stdin=terminal, timeout=60)
    assert b"standard input: 1 sentence" in done.stdout


@pytest.mark.parametrize("arguments", [["", "t"], ["m.npz", ""]])
def test_an_empty_name_is_wrong_usage(arguments, model):
    command = [sys.executable, "-m", "rnnlm", "evaluate", *arguments]
    done = subprocess.run(command, cwd=model, capture_output=True)
    assert (done.returncode, b"must not be empty" in done.stderr) == (2, True)


def test_reading_with_a_fixed_vocabulary_takes_compressed_texts(tmp_path):
    path = write(tmp_path / "t.gz", gzip.compress(b"b a\n"))
    assert read_text(path, Vocabulary(["<eos>", "a", "b"])).ids.tolist() == [2, 1, 0]


def test_a_file_called_dash_is_a_file_where_its_path_says_so(tmp_path, monkeypatch):
    """A Path drops the ``./`` that tells the file from standard input."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").write_text("a b c\n" * 20)
    monkeypatch.setattr("sys.stdin", None)
    assert load_corpus("./-").train.size == 72
    for path in ("./-", Path("./-")):
        assert read_text(path, Vocabulary(["<eos>", "a", "b", "c"])).sentences == 20
