import os
import tracemalloc
from itertools import chain, islice, pairwise

import numpy as np
import pytest

from rnnlm.errors import ArgumentError, RnnlmError
from rnnlm.text import numbered_cache
from rnnlm.text.corpus import load_corpus
from rnnlm.text.documents import DOCUMENTS, LINES, starts
from rnnlm.text.lines import read_blocks
from rnnlm.text.split import ORDERED, RANDOM, Split, pieces, texts_of
from rnnlm.text.tokenizer import WORDS

SPLITS = ("train", "valid", "test")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache."""
    monkeypatch.setenv("RNNLM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def book(tmp_path, rng):
    """A text of 200 documents, each line of which is there once."""
    path = tmp_path / "book.txt"
    documents = ("".join(f"line{i} line{k} w\n" for k in range(rng.integers(1, 9))) for i in range(200))
    path.write_text("\n".join(documents))
    return path


def saved(corpus, tmp_path, split=None, **options):
    """The three texts of a corpus, by name."""
    folder = tmp_path / f"saved-{len(list(tmp_path.iterdir()))}"
    load_corpus(corpus, split=split, save_splits=folder, **options)
    return {name: (folder / f"{name}.txt").read_bytes() for name in SPLITS}


def documents_of(text):
    return text.decode().strip("\n").split("\n\n")


def in_units(data, unit, size=100):
    """The units of a text that comes in blocks of a size."""
    units = []
    for piece, begins in pieces([[data[i : i + size] for i in range(0, len(data), size)]], unit):
        if begins:
            units.append(b"")
        units[-1] += piece
    return units


@pytest.mark.parametrize("text", ["a\nb\n\nc\n\n\n\nd e\nf\n", "\n\na\n\nb", "a\n \t\nb\n", "\n\n", "a\r\n\r\nb\r\n",
                                  "a"])
@pytest.mark.parametrize("unit", [LINES, DOCUMENTS])
def test_units_begin_where_those_that_are_shuffled_do(text, unit, tmp_path):
    index = {}
    (tmp_path / "t").write_text(text, newline="")
    whole = "".join(read_blocks(tmp_path / "t"))
    tokens = WORDS.split(whole)
    ids = np.array([index.setdefault(token, len(index)) for token in tokens])
    bounds = [*starts([ids], index["\n"], unit).tolist(), len(tokens)]
    expected = ["".join(tokens[i:k]) for i, k in pairwise(bounds)]
    data = whole.encode()
    assert ["".join(WORDS.split(part.decode())) for part in in_units(data, unit)] == expected


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_a_line_that_comes_in_parts_is_one(size):
    """Blocks end at blanks where a line is longer than they are."""
    data = b"a b\n\n \nc d \n"
    assert in_units(data, LINES, size) == [b"a b\n", b"\n", b" \n", b"c d \n"]
    assert in_units(data, DOCUMENTS, size) == [b"a b\n\n \n", b"c d \n"]


@pytest.mark.parametrize("unit", [LINES, DOCUMENTS])
@pytest.mark.parametrize("order", [ORDERED, RANDOM])
def test_each_unit_is_wholly_in_one_text_and_in_order(book, tmp_path, unit, order):
    texts = saved(book, tmp_path, Split(order, unit, "80/12/8"))
    whole = book.read_bytes()
    read = (lambda text: documents_of(text)) if unit == DOCUMENTS else (lambda text: text.decode().splitlines())
    units = read(whole)
    got = {name: read(text) for name, text in texts.items()}
    assert sorted(chain(*got.values())) == sorted(units)
    places = {unit: i for i, unit in enumerate(units)} if unit == DOCUMENTS else {}
    for name, share in (("train", 0.8), ("valid", 0.12), ("test", 0.08)):
        assert [places.get(one, 0) for one in got[name]] == sorted(places.get(one, 0) for one in got[name])
        if (order, unit) != (ORDERED, LINES):
            assert len(texts[name]) / len(whole) == pytest.approx(share, abs=0.02)
    if order == ORDERED and unit == DOCUMENTS:
        assert got["train"] + got["valid"] + got["test"] == units
    elif order == RANDOM:
        assert got["train"] != units[: len(got["train"])]


def test_the_seed_of_the_split_alone_decides_what_is_drawn(book, tmp_path):
    one, same, other = (saved(book, tmp_path, Split(RANDOM, LINES, seed=seed)) for seed in (3, 3, 4))
    assert one == same != other


def test_what_is_drawn_stays_the_same_in_all_versions():
    """PCG64's numbers for seed 1, by hand: the smallest are of the third text."""
    numbers = (np.random.PCG64(1).random_raw(10) >> np.uint64(48)).astype(int).tolist()
    lines = [b"%d\n" % i for i in range(10)]
    got = [number for _, number, _ in texts_of(lambda: [lines], Split(RANDOM, LINES, "50/30/20"))]
    order = np.argsort(numbers).tolist()
    assert [got[i] for i in order] == [2, 2, 1, 1, 1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(("count", "shares"), [(3, "90/5/5"), (3, "1/1/98"), (4, "1/98/1"), (9, "98/1/1")])
def test_no_text_is_without_a_document_however_few_there_are(count, shares):
    lines = [b"x" * (1 + 9 * i) + b"\n" for i in range(count)]
    got = [number for _, number, _ in texts_of(lambda: [lines], Split(RANDOM, LINES, shares))]
    assert set(got) == {0, 1, 2}


def test_a_file_ends_a_document_and_a_blank_line_says_so(tmp_path):
    for i in range(30):
        (tmp_path / f"{i:02}.txt").write_text(f"text{i} a\nb{i}" + "\n" * (i % 3))
    files = sorted(tmp_path.glob("*.txt"))
    texts = saved(files, tmp_path, Split(RANDOM, DOCUMENTS, "60/20/20"))
    for text in texts.values():
        assert b"\n\n" in text
        assert all(len(block.splitlines()) == 2 for block in documents_of(text))
    joined = saved(files, tmp_path, apart=True)
    assert documents_of(b"".join(joined.values())) == [f"text{i} a\nb{i}" for i in range(30)]
    assert b"\n\n" not in saved([path for path in files if int(path.stem) % 3 < 2], tmp_path)["train"]


@pytest.mark.slow
@pytest.mark.parametrize("split", [None, Split(shares="50/25/25"), Split(RANDOM), Split(ORDERED, DOCUMENTS),
                                   Split(RANDOM, DOCUMENTS, "8/1/1", 5)])
@pytest.mark.parametrize("level", ["word", "char"])
@pytest.mark.parametrize("long", [False, True])
def test_saved_texts_give_the_same_corpus_and_their_bytes(book, tmp_path, monkeypatch, split, level, long):
    if long:
        monkeypatch.setattr(numbered_cache, "LONG", 100)
    folder = tmp_path / "saved"
    for _ in range(2):  # made, then kept
        corpus = load_corpus(book, level, split=split, save_splits=folder)
        again = load_corpus(folder, level)
        assert corpus.fingerprint() == again.fingerprint()
        for name in ("valid", "test"):
            sizes = {getattr(one, name).bytes for one in (corpus, again)}
            assert sizes == {(folder / f"{name}.txt").stat().st_size}
    assert f"{folder} holds the three texts already" in corpus.notes


def test_a_mark_at_the_start_of_a_part_is_a_character_of_the_text(tmp_path):
    lines = ["a b c\n"] * 90 + ["\ufeffmark d e\n"] + ["a b\n"] * 4 + ["\ufeff mark\n"] * 8
    (tmp_path / "t.txt").write_text("".join(lines), encoding="utf-8")
    for split in (None, Split(ORDERED, DOCUMENTS)):
        folder = tmp_path / f"saved-{split is None}"
        (tmp_path / "t.txt").write_text("".join(lines if split is None else "\n".join(lines)), encoding="utf-8")
        corpus = load_corpus(tmp_path / "t.txt", split=split, save_splits=folder)
        again = load_corpus(folder)
        assert corpus.fingerprint() == again.fingerprint()
        assert (corpus.valid.bytes, corpus.test.bytes) == (again.valid.bytes, again.test.bytes)


def test_a_plain_split_is_as_it_always_was(tmp_path):
    """At the first line ends after 90 and 95 % of the tokens."""
    (tmp_path / "t.txt").write_text("".join(f"{'w ' * (i % 4)}\n" for i in range(100)))
    corpus = load_corpus(tmp_path / "t.txt")
    lengths = np.cumsum([i % 4 + 1 for i in range(100)])
    cuts = [lengths[np.searchsorted(lengths, share * 250)] for share in (0.90, 0.95)]
    assert corpus.train.size == cuts[0]
    assert (len(corpus.valid.ids), len(corpus.test.ids)) == (cuts[1] - cuts[0], 250 - cuts[1])
    assert corpus.notes[0] == "one file, split in order at line ends 90/5/5"


def test_a_text_without_line_ends_is_cut_between_words_and_has_no_files(tmp_path):
    (tmp_path / "t.txt").write_text("a b c d " * 20)
    corpus = load_corpus(tmp_path / "t.txt")
    assert (corpus.valid.bytes, corpus.test.bytes) == (None, None)
    with pytest.raises(RnnlmError, match="cut between words, because it has few line ends"):
        load_corpus(tmp_path / "t.txt", save_splits=tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


@pytest.mark.parametrize(("text", "split", "message"), [
    ("a\n\nb\n", Split(RANDOM, DOCUMENTS), "at least three documents .*, it has 2: put blank lines"),
    ("a\nb\n", Split(RANDOM), "at least three lines to be split into three texts, it has 2"),
    ("", Split(RANDOM), "it has 0"),
    ("a\n\nb\n\n" + "c\n" * 99, Split(ORDERED, DOCUMENTS), "valid text would be empty")])
def test_a_text_that_cannot_be_split_is_one_line(tmp_path, text, split, message, cache):
    (tmp_path / "t.txt").write_text(text)
    with pytest.raises(RnnlmError, match=message):
        load_corpus(tmp_path / "t.txt", split=split)
    assert not list((cache / "texts").iterdir())


def test_a_folder_with_three_texts_is_not_split(tmp_path, small_corpus):
    with pytest.raises(RnnlmError, match="has a training, a validation and a test text, so there is nothing to split"):
        load_corpus(small_corpus, split=Split(RANDOM))
    with pytest.raises(RnnlmError, match="so it cannot be one of several: give it alone, or name its files"):
        load_corpus([small_corpus, small_corpus / "test.txt"])
    again = load_corpus([small_corpus / f"{name}.txt" for name in SPLITS])
    assert again.name == "train-and-2-more"


@pytest.mark.parametrize(("values", "message"), [
    ({"order": "best"}, "split must be one of ordered, random"), ({"unit": "words"}, "split_by must be one of"),
    ({"seed": -1}, "split_seed must be a whole number from 0"), ({"seed": 1.5}, "split_seed")])
def test_a_split_has_what_the_options_take(values, message):
    with pytest.raises(ArgumentError, match=message):
        Split(**values)


def test_a_file_that_changes_after_it_was_read_is_refused(book, monkeypatch):
    from rnnlm.text import three_texts

    plain = three_texts.raw_blocks
    monkeypatch.setattr(three_texts, "raw_blocks", lambda path: chain(plain(path), [b"more\n"]))
    with pytest.raises(RnnlmError, match="changed while it was read: start again"):
        load_corpus(book)


def test_a_long_text_in_the_cache_is_not_called_by_its_name_there(book, monkeypatch):
    monkeypatch.setattr(numbered_cache, "LONG", 100)
    names = []
    for corpus, split in (([book], Split(RANDOM)), ([book, book.parent / "more.txt"], None), ([book], None)):
        (book.parent / "more.txt").write_text("a b\n" * 99)
        load_corpus(corpus, split=split, on_long=lambda name, _: names.append(name) or (lambda _: None))
    assert names == ["the train text", "the valid text", "the test text", "the text of all files", "book.txt"]


@pytest.mark.parametrize("shares", ["90/5", "a/b/c", "1e308/1e308/1e308", "90/5/0", "1/inf/1", "nan/1/1", "", "-1/1/1"])
def test_shares_are_three_numbers_above_0(shares):
    with pytest.raises(ArgumentError, match="split_shares must be three numbers above 0, as in 90/5/5"):
        Split(shares=shares)


def test_a_text_that_changes_while_it_is_split_is_refused(book, monkeypatch, cache):
    from rnnlm.text import made_texts

    plain = made_texts.texts_of

    def slow(*arguments):
        yield from plain(*arguments)
        book.write_text("other\n" * 9)

    monkeypatch.setattr(made_texts, "texts_of", slow)
    with pytest.raises(RnnlmError, match="changed while it was read"):
        load_corpus(book, split=Split(RANDOM))


def test_half_written_and_unused_texts_are_swept(book, cache):
    load_corpus(book, split=Split(RANDOM))
    folder = cache / "texts"
    (record,) = folder.glob("*.json")
    for path in folder.iterdir():
        if path != record:
            os.utime(path, (0, 0))  # the record tells when a text was used
    (folder / ".text.0.tmp").write_bytes(b"")
    os.utime(folder / ".text.0.tmp", (0, 0))
    load_corpus(book, split=Split(RANDOM, seed=2))
    assert len(list(folder.glob("*.txt"))) == 6
    assert not list(folder.glob(".*"))
    os.utime(record, (0, 0))
    load_corpus(book, split=Split(RANDOM, seed=3))
    assert len(list(folder.glob("*.txt"))) == 6


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes are files of POSIX systems")
def test_a_pipe_cannot_be_read_twice(tmp_path, book):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RnnlmError, match="pipe must be a regular file to be one of several"):
        load_corpus([book, tmp_path / "pipe"])


@pytest.mark.parametrize("holds", [["train.txt"], ["notes.txt"], None])
def test_saved_texts_replace_nothing(book, tmp_path, holds):
    folder = tmp_path / "saved"
    if holds is None:
        folder.write_text("mine")
    else:
        folder.mkdir()
        for name in holds:
            (folder / name).write_text("mine")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(RnnlmError, match=r"holds other texts than this split|holds notes\.txt|must be a folder"):
        load_corpus(book, save_splits=folder)
    assert [path for path in sorted(tmp_path.iterdir()) if path.name != "cache"] == before
    assert (folder if holds is None else folder / holds[0]).read_text() == "mine"


def test_saved_texts_appear_whole_or_not_at_all(book, tmp_path, monkeypatch):
    from rnnlm.text import saved_splits

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saved_splits.os, "fsync", full)
    with pytest.raises(RnnlmError, match="saved could not be written: no space left on device; free some disk space"):
        load_corpus(book, save_splits=tmp_path / "deep/saved")
    assert list((tmp_path / "deep").iterdir()) == []


def test_memory_does_not_grow_with_the_text(monkeypatch):
    monkeypatch.setattr("rnnlm.text.split.BUCKETS_BITS", 8)

    def peak(count):
        blocks = (b"some words in a line of text\n\n" * 50 for _ in range(2 * count))
        tracemalloc.start()
        for _ in texts_of(lambda: [islice(blocks, count)], Split(RANDOM, DOCUMENTS)):
            pass
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(100) < 1.1 * peak(10)
