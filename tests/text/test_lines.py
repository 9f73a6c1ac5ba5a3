import os
import subprocess
from functools import partial

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.text import lines
from rnnlm.text.lines import encode_blocks, read_blocks
from rnnlm.text.split_words import SplitWords
from rnnlm.text.tokenizer import CHARACTERS, WORDS, as_tokenizer


def write(tmp_path, data):
    path = tmp_path / "text.txt"
    path.write_bytes(data)
    return path


def read(path):
    return "".join(read_blocks(path))


@pytest.mark.parametrize(("data", "text"), [
    (b"a b\nc\n", "a b\nc\n"),
    (b"a b\nc", "a b\nc\n"),                 # a last line without line end gets one
    (b"a\r\nb\r\n", "a\nb\n"),               # CRLF = LF
    (b"\xef\xbb\xbfa\n", "a\n"),             # the byte-order mark is dropped
    (b"a\xef\xbb\xbf\n", "a\ufeff\n"),       # but only at the start
    (b"\xef\xbb\xbf", ""),                  # and is no line of its own
    (b"\n\n", "\n\n"),                       # blank lines are sentences without words
    (b"", ""),
])
def test_what_is_read(tmp_path, data, text):
    assert read(write(tmp_path, data)) == text


def test_the_block_size_changes_nothing(tmp_path):
    data = "\ufeffein Wörtchen\r\nund zwei\r\n\r\nund drei".encode()
    path = write(tmp_path, data)
    whole = read(path)
    for size in range(1, len(data) + 1):
        assert "".join(read_blocks(path, size)) == whole


def test_a_line_is_not_cut_after_a_full_stop(tmp_path):
    """Whether it is a token of its own depends on the word after it."""
    path = write(tmp_path, b"he left at 5 p.m. and No. 5 came. Then it ended. so" * 3)
    for tokenizer in (SplitWords(), WORDS):
        whole = tokenizer.split(read(path))
        for size in range(8, 60):
            assert [token for block in read_blocks(path, size) for token in tokenizer.split(block)] == whole


def test_a_pipe_can_be_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["sh", "-c", f"printf 'a b\\nc' > {tmp_path}/pipe"]):
        assert read(tmp_path / "pipe") == "a b\nc\n"


def test_only_ascii_white_space_separates_words():
    text = "a\u00a0b c\td\x0be\x0cf\x85g \u2028h \x1ci\n"
    assert WORDS.split(text) == ["a\u00a0b", "c", "d", "e", "f\x85g", "\u2028h", "\x1ci", "\n"]


def test_characters_are_kept_as_they_are():
    assert CHARACTERS.split("a b\n") == ["a", " ", "b", "\n"]


@pytest.mark.parametrize("size", [1, 4, 1 << 22])
def test_a_bad_byte_is_named_with_its_line_and_offset(tmp_path, size):
    path = write(tmp_path, "gut\nnaïve\n".encode() + b"na\xefve\nrest\n")
    with pytest.raises(RnnlmError, match=r"text.txt must be UTF-8: line 3 \(byte offset 13\) holds the byte 0xef"):
        list(read_blocks(path, size))


@pytest.mark.parametrize("data", ["hi\nthere\n".encode("utf-16-be"), b"a\0b"])
def test_a_nul_is_refused_with_a_hint(tmp_path, data):
    with pytest.raises(RnnlmError, match=r"line 1 \(byte offset [01]\) holds a NUL; is it UTF-16"):
        read(write(tmp_path, data))


def test_the_word_eos_in_a_text_is_refused_with_its_line_but_not_its_letters(tmp_path, monkeypatch):
    path = write(tmp_path, b"a <eos>\n")
    with pytest.raises(RnnlmError, match="holds the word <eos>"):
        list(encode_blocks(path, dict.fromkeys(["a", "<eos>", "\n"], 0), WORDS))
    write(tmp_path, b"a\r\n\na <eos>x\n" * 3 + b"a <eos>")
    for size in (1, 7, 1000):
        monkeypatch.setattr(lines, "read_blocks", partial(read_blocks, size=size))
        with pytest.raises(RnnlmError, match=r"text.txt, line 10, holds the word <eos>"):
            list(encode_blocks(path, dict.fromkeys(["a", "<eos>", "<eos>x", "\n"], 0), WORDS))
    write(tmp_path, b"a <eos>\n")
    (ids,) = encode_blocks(path, dict.fromkeys("a <eos>\n", 0), CHARACTERS)
    assert ids.size == 8
    (ids,) = encode_blocks(write(tmp_path, b"<eos>x\n"), dict.fromkeys(["<eos>x", "\n"], 0), WORDS)
    assert ids.size == 2


def test_what_cannot_be_read_is_said_in_one_line(tmp_path):
    with pytest.raises(RnnlmError, match="is a directory"):
        read(tmp_path)
    with pytest.raises(RnnlmError, match="no such file"):
        read(tmp_path / "none")


@pytest.mark.parametrize(("data", "cut"), [(b"a \xc3", True), (b"a \xe2\x82", True), (b"\xfc", False),
                                           (b"a\xc3 b\n", False)])
def test_a_text_that_is_cut_off_in_a_character_is_asked_about(tmp_path, data, cut):
    with pytest.raises(RnnlmError, match="must be UTF-8") as caught:
        read(write(tmp_path, data))
    assert str(caught.value).endswith("; or is it cut off in the middle of a character?") is cut


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_no_permission_is_said_in_one_line(tmp_path):
    path = write(tmp_path, b"a\n")
    path.chmod(0)
    with pytest.raises(RnnlmError, match="permission denied"):
        read(path)


@pytest.mark.parametrize(("tokens", "level", "text"), [
    (["a", "b", "\n", "c", "\n"], "word", "a b\nc\n"),
    (["\n", "\n", "a"], "word", "\n\na"),
    (["a", " ", "b", "\n", "c"], "char", "a b\nc"),
])
def test_tokens_are_spelt_as_text(tokens, level, text):
    assert "".join(as_tokenizer(level).join(tokens)) == text


@pytest.mark.parametrize("size", [1, 5, 7, 64, 1000])
@pytest.mark.parametrize("end", ["", " ", "\n"])
def test_a_line_longer_than_a_piece_is_cut_at_blanks_and_no_word_is(tmp_path, size, end):
    line = " ".join(["a", "bb", "c\tc", "é" * 9, "\u00a0x"] * 20) + end
    path = write(tmp_path, line.encode())
    pieces = list(read_blocks(path, size))
    assert "".join(pieces) == line.removesuffix("\n") + "\n"
    words = [word for piece in pieces for word in WORDS.split(piece)]
    assert words == WORDS.split("".join(pieces))
    assert max(len(piece.encode()) for piece in pieces) <= size + 30


def test_pieces_are_handed_on_as_they_stand_in_the_file(tmp_path):
    data = b"\xef\xbb\xbfa b\r\nc d" * 3
    pieces = []
    text = "".join(read_blocks(write(tmp_path, data), 4, pieces.append))
    assert b"".join(pieces) == data
    assert text.endswith("c d\n")
