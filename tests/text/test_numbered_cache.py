import gzip
import json
import os
import time

import numpy as np
import pytest

from rnnlm.errors import RnnlmError
from rnnlm.files.cache import cache_folder
from rnnlm.text import numbered
from rnnlm.text import numbered_cache as module
from rnnlm.text.corpus import load_corpus, read_text
from rnnlm.text.numbered_cache import read_tokens
from rnnlm.text.split_words import SplitWords
from rnnlm.text.tokenizer import CHARACTERS, WORDS

TEXT = "the cat sat\nthe dog sat on the cat\n\n" * 50


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache."""
    monkeypatch.setenv("RNNLM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache/encoded"


@pytest.fixture
def long_texts(monkeypatch):
    """Every text counts as long, and is handled in blocks of a few tokens."""
    monkeypatch.setattr(module, "LONG", 10)
    monkeypatch.setattr(numbered, "BLOCK", 7)


@pytest.fixture
def reads(monkeypatch):
    """The names of the texts that are read, in order."""
    names = []
    plain = module.encode_blocks

    def spied(path, *others):
        names.append(os.path.basename(path))
        return plain(path, *others)

    monkeypatch.setattr(module, "encode_blocks", spied)
    return names


def write(path, text=TEXT):
    path.write_text(text, encoding="utf-8")
    return path


def whole(tokens):
    return np.concatenate([np.empty(0, np.int32), *tokens.blocks()])


def test_numbers_in_order_of_first_appearance(tmp_path):
    tokens = read_tokens(write(tmp_path / "a.txt", "b a\nb c\n"), WORDS)
    assert tokens.words == ["b", "a", "\n", "c"]
    assert whole(tokens).tolist() == [0, 1, 2, 0, 3, 2]
    assert tokens.counts().tolist() == [2, 1, 2, 1]


@pytest.mark.parametrize("level", [WORDS, CHARACTERS])
def test_a_long_text_gives_the_same_as_a_short_one(tmp_path, level, monkeypatch):
    path = write(tmp_path / "a.txt")
    short = read_tokens(path, level)
    monkeypatch.setattr(module, "LONG", 10)
    monkeypatch.setattr(numbered, "BLOCK", 7)
    for _ in range(2):  # encoded, then found in the cache
        stored = read_tokens(path, level)
        assert not isinstance(stored.source, np.ndarray)
        assert stored.words == short.words
        np.testing.assert_array_equal(whole(stored), whole(short))
        np.testing.assert_array_equal(stored.counts(), short.counts())
        for start, stop in ((0, 5), (3, 100), (400, 10**6), (0, 0)):
            np.testing.assert_array_equal(whole(stored.part(start, stop)), whole(short.part(start, stop)))
        for place in (1, 4, 5, 300, stored.size):
            assert stored.next_line(place) == short.next_line(place)
        table = np.arange(len(short.words), dtype=np.int32)[::-1] * 2
        np.testing.assert_array_equal(stored.look_up(table), table[whole(short)])
        keep = table % 3 == 0
        np.testing.assert_array_equal(stored.part(3, 100).look_up(table, keep), short.part(3, 100).look_up(table, keep))
        assert stored.part(0, 0).look_up(table).size == 0


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_slow_tokenizer_reads_once_what_is_shorter(tmp_path, reads, monkeypatch, ending):
    path, slow = tmp_path / f"a.txt{ending}", SplitWords()
    path.write_bytes(gzip.compress(TEXT.encode()) if ending else TEXT.encode())
    monkeypatch.setattr(module, "LONG", len(TEXT) * slow.slowness - 1)
    for _ in range(2):
        tokens = read_tokens(path, slow)
    assert len(reads) == 1 and not isinstance(tokens.source, np.ndarray)
    monkeypatch.setattr(module, "LONG", len(TEXT) * slow.slowness)
    write(path.with_name("b.txt"), TEXT.replace("dog", "pig"))
    for tokenizer in (slow, WORDS, WORDS):
        assert isinstance(read_tokens(path.with_name("b.txt"), tokenizer).source, np.ndarray)
    assert len(reads) == 4


@pytest.mark.parametrize("unk", [True, False])
def test_a_corpus_of_long_texts_is_the_same_corpus(tmp_path, monkeypatch, unk):
    folder = tmp_path / "corpus"
    folder.mkdir()
    write(folder / "train.txt", TEXT + ("rare\n" if unk else ""))
    write(folder / "valid.txt", "the new cat\n" * 20)
    write(folder / "test.txt", "a dog sat\n" * 20)
    single = write(tmp_path / "book.txt", TEXT * 3)
    short = load_corpus(str(folder)), load_corpus(str(single)), load_corpus(str(folder), max_tokens=20)
    monkeypatch.setattr(module, "LONG", 10)
    monkeypatch.setattr(numbered, "BLOCK", 7)
    stored = load_corpus(str(folder)), load_corpus(str(single)), load_corpus(str(folder), max_tokens=20)
    for one, other in zip(short, stored, strict=True):
        assert one.vocabulary.words == other.vocabulary.words
        assert one.notes == other.notes
        np.testing.assert_array_equal(one.train, other.train)
        for text, long_text in ((one.valid, other.valid), (one.test, other.test)):
            np.testing.assert_array_equal(text.ids, long_text.ids)
            np.testing.assert_array_equal(text.is_oov, long_text.is_oov)
            assert (text.words, text.sentences, text.oov) == (long_text.words, long_text.sentences, long_text.oov)
    assert (short[0].vocabulary.unk_id is None) != unk


def test_a_long_text_is_read_once_and_never_again_while_it_stays(tmp_path, long_texts, reads):
    path = write(tmp_path / "a.txt")
    for _ in range(3):
        read_tokens(path, WORDS)
    assert reads == ["a.txt"]
    read_tokens(path, CHARACTERS)
    assert reads == ["a.txt"] * 2


def test_a_text_that_changed_is_read_anew(tmp_path, long_texts, reads):
    path = write(tmp_path / "a.txt", "aa bb cc dd\n")
    read_tokens(path, WORDS)
    write(path, "aa bb cc ee\n")  # the same size
    os.utime(path, ns=(0, time.time_ns() + 10**9))
    assert read_tokens(path, WORDS).words == ["aa", "bb", "cc", "ee", "\n"]
    assert reads == ["a.txt"] * 2


def test_a_copy_of_a_text_shares_its_numbers(tmp_path, long_texts, cache):
    read_tokens(write(tmp_path / "a.txt"), WORDS)
    read_tokens(write(tmp_path / "b.txt"), WORDS)
    assert len(list(cache.glob("*.ids1"))) == 1


@pytest.mark.parametrize("damage", ["cut", "gone", "no json", "[1]", '{"tokens": 23, "words": null}',
                                    '{"tokens": 23, "words": ["a"]}'])
def test_a_damaged_cache_is_made_anew(tmp_path, long_texts, cache, reads, damage):
    path = write(tmp_path / "a.txt")
    expected = whole(read_tokens(path, WORDS))
    (ids,) = cache.glob("*.ids1")
    (about,) = cache.glob("*-word.ids1.json")
    if damage == "cut":
        ids.write_bytes(ids.read_bytes()[:-4])
    elif damage == "gone":
        ids.unlink()
    else:
        about.write_text(damage.replace("23", str(expected.size)))
    np.testing.assert_array_equal(whole(read_tokens(path, WORDS)), expected)
    assert reads == ["a.txt"] * 2


def test_progress_is_reported_in_bytes_and_only_when_a_long_text_is_read(tmp_path, long_texts):
    path, calls = write(tmp_path / "a.txt"), []

    def on_long(name, size):
        calls.append((name, size))
        return calls.append

    for _ in range(2):
        read_tokens(path, WORDS, on_long)
    assert calls[0] == ("a.txt", len(TEXT))
    assert sum(calls[1:]) == len(TEXT)


def test_a_bad_long_text_leaves_nothing_in_the_cache(tmp_path, long_texts, cache):
    path = tmp_path / "a.txt"
    path.write_bytes(TEXT.encode() + b"\xff\n")
    with pytest.raises(RnnlmError, match="must be UTF-8"):
        read_tokens(path, WORDS)
    assert not list(cache.iterdir())


def test_a_text_that_changes_while_it_is_read_is_refused(tmp_path, long_texts, monkeypatch, cache):
    path = write(tmp_path / "a.txt")
    plain = module.encode_blocks

    def slow(path, *others):
        yield from plain(path, *others)
        write(path, TEXT + "more\n")

    monkeypatch.setattr(module, "encode_blocks", slow)
    with pytest.raises(RnnlmError, match=r"a\.txt changed while it was read: start again"):
        read_tokens(path, WORDS)


def test_a_text_that_is_removed_once_it_was_read_has_been_read(tmp_path, long_texts, monkeypatch):
    path = write(tmp_path / "a.txt")
    plain = module.encode_blocks

    def last(path, *others):
        yield from plain(path, *others)
        path.unlink()

    monkeypatch.setattr(module, "encode_blocks", last)
    assert read_tokens(path, WORDS).words[0] == "the"


def test_a_change_that_keeps_size_and_time_is_noticed(tmp_path, long_texts):
    path = write(tmp_path / "a.txt", "aa bb cc dd\n")
    status = os.stat(path)
    read_tokens(path, WORDS)
    time.sleep(0.02)  # the clock of the file system
    with open(path, "r+") as file:
        file.write("zz")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert read_tokens(path, WORDS).words[0] == "zz"


@pytest.mark.parametrize("levels", [(WORDS, WORDS), (WORDS, CHARACTERS)])
def test_two_runs_that_encode_the_same_text_do_not_disturb_each_other(tmp_path, long_texts, monkeypatch, levels):
    """The second run encodes all of it while the first is about to finish."""
    path = write(tmp_path / "a.txt")
    expected = [whole(read_tokens(write(tmp_path / "b.txt", TEXT), level)) for level in levels]
    plain, inner = module.encode_blocks, []

    def interrupted(path, *others):
        yield from plain(path, *others)
        monkeypatch.setattr(module, "encode_blocks", plain)
        inner.append(read_tokens(path, levels[1]))

    monkeypatch.setattr(module, "encode_blocks", interrupted)
    outer = read_tokens(path, levels[0])
    np.testing.assert_array_equal(whole(outer), expected[0])
    np.testing.assert_array_equal(whole(inner[0]), expected[1])


def test_ids_are_mapped_from_the_cache_and_written_once(tmp_path, long_texts, cache):
    path, table = write(tmp_path / "a.txt"), np.arange(9, dtype=np.int32)
    tokens = read_tokens(path, WORDS)
    before = set(cache.iterdir())
    first = tokens.look_up(table)
    (made,) = set(cache.iterdir()) - before
    assert isinstance(first.base, np.memmap)
    written = made.stat().st_ino
    again = read_tokens(path, WORDS).look_up(table)
    np.testing.assert_array_equal(first, again)
    assert made.stat().st_ino == written
    other = tokens.look_up(table[::-1].copy())  # another vocabulary, another file
    assert (other != first).any()


@pytest.mark.parametrize("keep", [None, np.arange(9) % 2 == 0])
@pytest.mark.parametrize("size", [0, 8, 10])
def test_ids_that_were_cut_off_are_made_anew(tmp_path, long_texts, cache, keep, size):
    path, table = write(tmp_path / "a.txt"), np.arange(9, dtype=np.int32)
    tokens = read_tokens(path, WORDS)
    keep = keep if keep is None else keep[: len(tokens.words)]
    before = set(cache.iterdir())
    expected = tokens.look_up(table, keep).copy()
    (made,) = set(cache.iterdir()) - before
    made.write_bytes(made.read_bytes()[:size])
    np.testing.assert_array_equal(tokens.look_up(table, keep), expected)


def test_a_damaged_download_is_told_from_a_whole_one(tmp_path, long_texts):
    import hashlib

    path = write(tmp_path / "a.txt")
    good = hashlib.sha256(TEXT.encode()).hexdigest()
    for _ in range(2):
        assert read_tokens(path, WORDS, sha256=good).size
        with pytest.raises(RnnlmError, match="is damaged: its SHA-256 must be 0000"):
            read_tokens(path, WORDS, sha256="0000")


def test_a_list_of_words_that_is_too_short_is_one_line(tmp_path, long_texts, cache):
    path = write(tmp_path / "a.txt")
    read_tokens(path, WORDS)
    (about,) = cache.glob("*-word.ids1.json")
    count = json.loads(about.read_text())["tokens"]
    about.write_text(json.dumps({"tokens": count, "bytes": 9, "crlf": 0, "words": ["\n"]}))
    with pytest.raises(RnnlmError, match="does not match its list of words: delete it"):
        read_tokens(path, WORDS).counts()


def test_a_cache_that_is_cleared_while_a_text_is_in_use_is_one_line(tmp_path, long_texts, cache):
    tokens = read_tokens(write(tmp_path / "a.txt"), WORDS)
    for path in cache.iterdir():
        path.unlink()
    for use in (tokens.counts, lambda: tokens.look_up(np.arange(9, dtype=np.int32))):
        with pytest.raises(RnnlmError, match=r"could not be read: .*; run the command again"):
            use()


def test_a_text_whose_inode_alone_was_touched_is_not_encoded_again(tmp_path, long_texts, reads):
    path = write(tmp_path / "a.txt")
    read_tokens(path, WORDS)
    time.sleep(0.02)
    path.chmod(0o600)
    assert read_tokens(path, WORDS).size
    assert reads == ["a.txt"]


def test_no_home_folder_is_one_line(monkeypatch):
    monkeypatch.delenv("RNNLM_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("pathlib.Path.home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    with pytest.raises(RnnlmError, match="no home folder for the cache: set RNNLM_CACHE"):
        cache_folder()


def test_what_nobody_used_for_a_month_is_removed_from_the_cache(tmp_path, long_texts, cache):
    path = write(tmp_path / "a.txt")
    read_tokens(path, WORDS).look_up(np.arange(9, dtype=np.int32))
    month_ago = time.time() - 40 * 24 * 3600
    for entry in cache.iterdir():
        os.utime(entry, (month_ago, month_ago))
    read_tokens(path, WORDS).look_up(np.arange(9, dtype=np.int32))  # used again, all that belongs to it
    kept = {entry for entry in cache.iterdir() if entry.stat().st_mtime > month_ago + 1}
    assert len(kept) == 4
    stale = cache / "stale.ids1"
    stale.write_bytes(b"1234")
    os.utime(stale, (month_ago, month_ago))
    read_tokens(write(tmp_path / "other.txt", TEXT + "more\n"), WORDS)
    assert not stale.exists()
    assert {entry for entry in kept if not entry.exists()} == set()
    assert all(entry.stat().st_mtime > month_ago + 1 for entry in cache.iterdir())


def test_leftovers_of_a_killed_run_are_removed(tmp_path, long_texts, cache):
    cache.mkdir(parents=True)
    old, young = cache / ".x.ids.1234.tmp", cache / ".y.ids.1234.tmp"
    for path in (old, young):
        path.write_bytes(b"...")
    os.utime(old, (0, time.time() - 7200))
    read_tokens(write(tmp_path / "a.txt"), WORDS)
    assert not old.exists()
    assert young.exists()  # another run may be writing it


def test_a_cache_that_cannot_be_made_is_named_with_the_way_out(tmp_path, long_texts, monkeypatch):
    write(tmp_path / "file")
    monkeypatch.setenv("RNNLM_CACHE", str(tmp_path / "file"))
    with pytest.raises(RnnlmError, match=r"cache .*file/encoded could not be written: .*set RNNLM_CACHE"):
        read_tokens(write(tmp_path / "a.txt"), WORDS)


def test_a_long_text_is_scored_like_a_short_one(tmp_path, monkeypatch, rng):
    from rnnlm.models import LanguageModel
    from rnnlm.scoring.evaluation import evaluate
    from rnnlm.text.vocabulary import Vocabulary

    vocabulary = Vocabulary(["the", "cat", "<eos>", "<unk>"])
    model, path = LanguageModel(4, 3, 3, rng=rng), write(tmp_path / "a.txt")
    short = evaluate(model, read_text(path, vocabulary), vocabulary.eos_id, window=11)
    monkeypatch.setattr(module, "LONG", 10)
    monkeypatch.setattr(numbered, "BLOCK", 7)
    assert evaluate(model, read_text(path, vocabulary), vocabulary.eos_id, window=11) == short
    assert short.oov_targets == short.oov > 0


def test_the_cache_folder(monkeypatch, tmp_path):
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("RNNLM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "rnnlm"
