"""Which corpus a name means, and which files of a folder are its texts."""

import os
from pathlib import Path

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.text.corpora import corpus_name, known_corpora, resolve, split_files
from rnnlm.text.corpus import load_corpus

TEXT = "mine is another text\n" * 10
SHIPPED = 100_170  # tokens to train of the stories


def make(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text(f"{name}\n")
    return folder


def texts(folder):
    """The names of the files that are read, by split."""
    return {split: path.name for split, path in split_files(folder, {}, None).items()}


@pytest.mark.parametrize("spec", ["stories", Path("stories")])
def test_a_known_name_may_be_a_string_or_a_path(spec, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    corpus = load_corpus(spec)
    assert (corpus.name, corpus.train.size) == ("stories", SHIPPED)
    assert not any("known" in note for note in corpus.notes)


@pytest.mark.parametrize("kind", ["folder", "file"])
@pytest.mark.parametrize("spec", ["stories", Path("stories"), "ptb"])
def test_what_exists_comes_before_a_known_name_and_the_other_is_named(kind, spec, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RNNLM_CACHE", str(tmp_path / "none"))
    for name in ("stories", "ptb"):
        if kind == "file":
            (tmp_path / name).write_text(TEXT)
            continue
        for split in ("train", "valid", "test"):
            (make(tmp_path / name) / f"{split}.txt").write_text(TEXT)
    corpus = load_corpus(spec)
    assert "mine" in corpus.vocabulary.words
    known = known_corpora()[str(spec)]
    assert corpus.notes[0] == (
        f"the corpus {spec} is the {kind} {tmp_path / spec}, which overrides the known corpus of that name: "
        f"for the known one, give --corpus {known}")
    if str(spec) == "stories":
        assert load_corpus(str(known)).train.size == SHIPPED


def test_the_known_corpus_itself_is_no_namesake(monkeypatch):
    monkeypatch.chdir(known_corpora()["stories"].parent)
    path, about, notes = resolve("stories")
    assert (path, about["name"], notes) == (Path("stories"), "stories", [])


@pytest.mark.parametrize(("spec", "message"), [
    (3, "must be a known name or the path of a corpus, got 3"),
    (None, "must be a known name or the path of a corpus, got None"),
    ("", r"got '': for the current folder give \.$"),
    ("a\0b", r"a corpus must be a name or a path, got 'a\\x00b'$"),
    ("loop", "no corpus 'loop': .*; there is a broken link of this name")])
def test_what_is_no_corpus_is_one_line(spec, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("pool")
    (tmp_path / "pool").symlink_to("loop")
    with pytest.raises(RnnlmError, match=message):
        load_corpus(spec)


@pytest.mark.parametrize(("spec", "name"), [
    ("book.txt", "book"), ("book.txt.gz", "book"), ("a/b.v2.txt.xz", "b.v2"), ("stories", "stories"), ("x.bz2", "x"),
    ("..txt", "..txt"), ("a/...txt", "...txt"), ("...txt.gz", "...txt.gz"), ("..x", "..x"), ("....txt", "..."),
    (".txt", ".txt"), (".txt.gz", ".txt"), ("/", "corpus"), ("a/../b.txt", "b")])
def test_what_a_corpus_is_called(spec, name):
    assert corpus_name(spec) == name


PLAIN = {split: f"{split}.txt" for split in ("train", "valid", "test")}
PTB = {split: f"ptb.{split}.txt" for split in PLAIN}


@pytest.mark.parametrize("more", [
    "._train.txt", ".train.txt", "old-train.txt", "x.train.txt", "train.tokens", "train.raw", "train.txt~",
    "train.txt.bak", "old.valid.txt", "my_test.txt", "train.txt.gz"])
def test_one_more_file_beside_the_plain_names_changes_nothing(more, tmp_path):
    assert texts(make(tmp_path, more, *PLAIN.values())) == PLAIN


@pytest.mark.parametrize("more", [[f"ptb.char.{split}.txt" for split in PLAIN], ["._ptb.train.txt"]])
def test_the_shorter_name_is_taken(more, tmp_path):
    assert texts(make(tmp_path, *more, *PTB.values())) == PTB


def test_a_folder_is_no_text(tmp_path):
    make(tmp_path, *PTB.values())
    for name in ("train.txt", "old.train.txt"):
        (tmp_path / name).mkdir()
    assert texts(tmp_path) == PTB


def test_a_folder_in_the_place_of_a_text_is_said(tmp_path):
    make(tmp_path, "valid.txt", "test.txt")
    (tmp_path / "train.txt").mkdir()
    with pytest.raises(RnnlmError, match=r"train\.txt could not be read: is a directory"):
        load_corpus(tmp_path)


@pytest.mark.parametrize(("names", "found"), [
    (["a.train.txt", "b.train.txt"], "a.train.txt, b.train.txt"),
    (["old-train.txt", "ptb.train.txt", "ptb.char.train.txt"], "old-train.txt, ptb.train.txt"),
    (["train.raw", "train.tokens", "x.train.txt"], "train.raw, train.tokens"),
    (["a.train.raw", "a.train.txt"], "a.train.raw, a.train.txt")])
def test_two_that_are_as_good_are_named_with_the_remedy(names, found, tmp_path):
    make(tmp_path, "valid.txt", "test.txt", *names)
    with pytest.raises(RnnlmError) as caught:
        texts(tmp_path)
    assert str(caught.value).endswith(f"found {found}: rename the one to read to train.txt, or move the others away")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_one_line(tmp_path):
    folder = make(tmp_path / "a")
    folder.chmod(0)
    with pytest.raises(RnnlmError, match="a could not be read: permission denied"):
        load_corpus(folder)
