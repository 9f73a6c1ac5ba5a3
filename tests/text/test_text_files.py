import gzip
import io

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.text.corpus import load_corpus
from rnnlm.text.split import RANDOM, Split
from rnnlm.text.text_files import TextWriter, at_lines, raw_blocks, text_files

TEXTS = {"b.txt": b"b b\n" * 9, "a/z.txt": b"z z z\r\nz", "a.tokens": b"\xef\xbb\xbfa a\n" * 8,
         "c.raw.gz": gzip.compress(b"c\n" * 9)}


@pytest.fixture
def folder(tmp_path):
    """A folder of texts and of other files."""
    others = {"b.txt.gz": b"packed", "picture.png": b"\x89", ".hidden.txt": b"h\n", ".git/x.txt": b"g\n",
              "README.md": b"r", "txt": b"no ending\n", "none.gz": b""}
    for name, data in (TEXTS | others).items():
        path = tmp_path / "texts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "texts"


def test_a_folder_means_its_texts_in_order_and_a_note_names_the_others(folder):
    files, (note,) = text_files([folder])
    assert [str(path.relative_to(folder)) for path in files] == ["a/z.txt", "a.tokens", "b.txt", "c.raw.gz"]
    assert note == f"5 files of {folder} are left out: README.md, b.txt.gz, none.gz, ..."


def test_files_and_folders_stay_in_the_order_in_which_they_are_given(folder):
    files, _ = text_files([folder / "c.raw.gz", folder / "a", folder / "b.txt"])
    assert [path.name for path in files] == ["c.raw.gz", "z.txt", "b.txt"]


def test_a_link_to_a_folder_is_not_followed(folder):
    (folder / "a/loop").symlink_to(folder)
    assert len(text_files([folder])[0]) == 4


@pytest.mark.parametrize(("names", "message"), [
    (["b.txt", "a", "b.txt"], "must be given once, but .*b.txt is there twice"), (["a/z.txt", "a"], "given once"),
    (["empty"], "must hold one text named train.txt, .* or texts to be split, whose names end in .txt, .tokens or "
     ".raw, found none")])
def test_what_is_no_text_or_there_twice_is_one_line(folder, names, message):
    (folder / "empty/.x").mkdir(parents=True)
    with pytest.raises(RnnlmError, match=message):
        text_files([folder / name for name in names])


def test_a_file_under_two_names_is_there_twice(folder):
    (folder / "link.txt").symlink_to(folder / "b.txt")
    with pytest.raises(RnnlmError, match=r"link.txt is .*b.txt, too"):
        text_files([folder])


@pytest.mark.parametrize("files", [["b.txt", "a.tokens", "c.raw.gz", "a/z.txt"]])
def test_several_files_are_one_text_as_if_they_were_joined(folder, files, tmp_path, monkeypatch):
    monkeypatch.setenv("RNNLM_CACHE", str(tmp_path / "cache"))
    (tmp_path / "one.txt").write_bytes(b"".join(b"".join(raw_blocks(folder / name)) for name in files))
    one, several = load_corpus(tmp_path / "one.txt"), load_corpus([folder / name for name in files])
    assert one.fingerprint() == several.fingerprint()
    assert (several.valid.bytes, several.test.bytes) == (one.valid.bytes, one.test.bytes)
    assert several.name == "b-and-3-more"
    assert several.notes[0] == "4 files, split in order at line ends 90/5/5"
    assert load_corpus(folder).name == "texts"
    assert load_corpus(folder).notes[1] == f"4 files of {folder}, sorted by name, split in order at line ends 90/5/5"
    notes = load_corpus([folder / "a", folder / "b.txt"], split=Split(RANDOM, seed=3)).notes
    assert notes[0] == (f"2 files, some of {folder / 'a'}, sorted by name, split at random by line 90/5/5 "
                        "(--split-seed 3)")


def test_a_broken_file_among_several_is_named_with_its_line(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("RNNLM_CACHE", str(tmp_path / "cache"))
    (folder / "bad.txt").write_bytes(b"a\n\xff\n")
    with pytest.raises(RnnlmError, match=r"bad.txt must be UTF-8: line 2 \(byte offset 2\)"):
        load_corpus(folder)
    (folder / "bad.txt").write_bytes(b"a\r\n\nb <eos>\n")
    with pytest.raises(RnnlmError, match=r"bad.txt, line 3, holds the word <eos>"):
        load_corpus(folder)
    assert not [path for path in (tmp_path / "cache/texts").iterdir() if path.suffix == ".txt"]


def test_joined_texts_are_kept_and_made_anew_when_a_file_changes(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("RNNLM_CACHE", str(tmp_path / "cache"))
    before = load_corpus(folder).fingerprint()
    (made,) = (tmp_path / "cache/texts").glob("*.txt")
    inode = made.stat().st_ino
    assert load_corpus(folder).fingerprint() == before
    assert made.stat().st_ino == inode
    made.write_bytes(made.read_bytes()[:-1])  # damaged
    assert load_corpus(folder).fingerprint() == before
    (folder / "b.txt").write_bytes(b"new words\n" * 9)
    assert load_corpus(folder).fingerprint() != before


def test_the_blocks_of_a_text_are_its_bytes(folder):
    def whole(name):
        return b"".join(raw_blocks(folder / name))

    assert whole("a/z.txt") == b"z z z\r\nz\n"
    assert whole("a.tokens") == TEXTS["a.tokens"][3:]
    assert whole("c.raw.gz") == b"c\n" * 9
    assert whole("none.gz") == b""


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize(("lines", "expected"), [
    ([1, 2], [b"a\n", b"b c\n\n", b"d\n"]), ([0, 0], [b"", b"", b"a\nb c\n\nd\n"]),
    ([4, 0], [b"a\nb c\n\nd\n", b"", b""]), ([2, 0], [b"a\nb c\n", b"", b"\nd\n"])])
def test_a_text_is_cut_after_so_many_line_ends(size, lines, expected):
    text, parts = b"a\nb c\n\nd\n", [b""] * 3
    for number, data in at_lines([text[i : i + size] for i in range(0, len(text), size)], lines):
        parts[number] += data
    assert parts == expected


@pytest.mark.parametrize(("blocks", "blank"), [
    ([], True), ([b"a\n"], False), ([b"a\n", b"\n"], True), ([b"a", b"\n"], False), ([b"a\n", b" \t", b" \r\n"], True),
    ([b"a\n", b"  ", b"b\n"], False), ([b"b ", b" \n"], False), ([b"a\n \n"], True), ([b"\n\nx\n"], False)])
def test_a_writer_knows_whether_the_last_line_is_blank(blocks, blank):
    file = io.BytesIO()
    writer = TextWriter(file)
    for block in blocks:
        writer.write(block)
    assert writer.blank == blank
    assert (file.getvalue(), writer.size) == (b"".join(blocks), len(b"".join(blocks)))
