"""Counting n-grams: every n-gram of every line once, in pieces as at once."""

import errno
from collections import Counter

import numpy as np
import pytest
from small_texts import ids_of, random_lines, vocabulary

from rnnlm.errors import RnnlmError
from rnnlm.ngrams import counts as module
from rnnlm.ngrams import storage as storage_module
from rnnlm.ngrams.counts import BYTES_OF_A_TOKEN, count_ngrams
from rnnlm.ngrams.merging import merged
from rnnlm.ngrams.storage import Storage

IN_PIECES = 37 * BYTES_OF_A_TOKEN  # memory for 37 tokens at a time


def spelled(counts):
    """The n-grams of each order, a dict from tuples of ids to counts."""
    size, before, found = counts.vocab_size, [(i,) for i in range(counts.vocab_size)], []
    for n, order in enumerate(counts.orders):
        keys = order.keys.tolist()
        grams = [before[key // size] + (key % size,) for key in keys] if n else before
        if n:
            assert [(*before[key // size], key % size)[1:] for key in keys] == [
                before[i] for i in order.suffixes.tolist()]
        found.append(dict(zip(grams, order.counts.tolist(), strict=True)))
        before = grams
    return found


def by_hand(lines, words, order):
    """The same from the lines, by slices of lists."""
    e = words.eos_id
    padded = [(e, *(words.ids[word] for word in line), e) for line in lines]
    found = [Counter(line[i : i + n] for line in padded for i in range(len(line) - n + 1))
             for n in range(1, order + 1)]
    found[0] = {(i,): found[0][(i,)] for i in range(len(words))} | {(e,): len(lines)}
    return [dict(one) for one in found]


@pytest.mark.parametrize("order", range(1, 7))
@pytest.mark.parametrize("memory", [1 << 30, IN_PIECES, 1], ids=["at once", "in pieces", "one token a piece"])
def test_each_ngram_of_each_line_is_counted(order, memory):
    words, lines = vocabulary(), random_lines(6 if memory == 1 else 120)
    counts = count_ngrams(ids_of(lines, words), words.eos_id, len(words), order, memory)
    assert spelled(counts) == by_hand(lines, words, order)
    assert counts.storage.on_disk == (memory < 1 << 30)
    for n, (one, part) in enumerate(zip(spelled(counts), counts.starts(), strict=True)):
        assert [gram for gram in one if gram[0] == words.eos_id] == list(one)[part], n


def test_a_text_may_end_within_a_line_and_have_no_line_end_at_all():
    words = vocabulary()
    counts = count_ngrams(ids_of([["a", "b"]], words)[:-1], words.eos_id, len(words), 3)
    e, a, b = words.eos_id, words.ids["a"], words.ids["b"]
    assert spelled(counts)[1:] == [{(e, a): 1, (a, b): 1}, {(e, a, b): 1}]


def test_an_empty_text_has_no_ngrams():
    words = vocabulary()
    counts = count_ngrams(np.empty(0, np.int32), words.eos_id, len(words), 4)
    assert [order.keys.size for order in counts.orders] == [len(words), 0, 0, 0]


def test_keys_of_many_bits_are_sorted_as_those_of_few():
    """A vocabulary of 2^40 words leaves no room for positions beside the keys."""
    rng = np.random.default_rng(0)
    keys = rng.integers(0, 1 << 62, 500)
    for values in (keys, keys >> 40):
        found, positions = module._sorted(values.copy())
        assert (found == np.sort(values)).all()
        assert (values[positions] == found).all()


def test_each_token_of_each_order_is_reported_once():
    words, seen = vocabulary(), []
    ids = ids_of(random_lines(), words)
    count_ngrams(ids, words.eos_id, len(words), 3, IN_PIECES, seen.append)
    assert sum(seen) == 3 * ids.size
    assert max(seen[1:]) == 37


@pytest.mark.parametrize("block", [1, 7, 1 << 20])
def test_runs_are_merged_and_their_counts_added(block):
    rng = np.random.default_rng(3)
    keys = [np.unique(rng.integers(0, 60, size)) for size in (50, 1, 20)] + [np.empty(0, np.int64)]
    runs = [(one, rng.integers(1, 9, one.size), 2 * one) for one in keys]
    found = [np.concatenate(columns) for columns in zip(*merged(runs, block), strict=True)]
    totals = Counter()
    for one, counts, _ in runs:
        totals.update(dict(zip(one.tolist(), counts.tolist(), strict=True)))
    assert found[0].tolist() == sorted(totals)
    assert found[1].tolist() == [totals[key] for key in sorted(totals)]
    assert (found[2] == 2 * found[0]).all()


@pytest.mark.parametrize("use", [lambda storage: storage.empty(10, np.int64),
                                 lambda storage: storage.joined([(np.arange(9),)], (np.int64,)),
                                 lambda storage: storage.together(np.arange(9))])
def test_a_full_disk_is_one_line(use, monkeypatch):
    class Full:
        def fileno(self):
            return -1

        def tell(self):
            return 0

        def write(self, _):
            raise OSError(28, "No space left on device")

        def close(self):
            pass

        __enter__ = lambda self: self  # noqa: E731
        __exit__ = lambda *_: None  # noqa: E731

    def no_room(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage_module.tempfile, "TemporaryFile", lambda *_: Full())
    monkeypatch.setattr(storage_module.os, "posix_fallocate", no_room)
    with pytest.raises(RnnlmError, match=r"temporary files .* no space left on device; set TMPDIR"):
        use(Storage(on_disk=True))


@pytest.mark.parametrize("use", [lambda storage: storage.empty(10, np.int64),
                                 lambda storage: storage.joined([(np.arange(9),)], (np.int64,)),
                                 lambda storage: storage.together(np.arange(9))])
@pytest.mark.parametrize("where", ["open", "map"])
def test_too_many_open_files_are_one_line_that_helps(where, use, monkeypatch):
    def no_more(*_, **__):
        raise OSError(errno.EMFILE, "Too many open files")

    if where == "open":
        monkeypatch.setattr(storage_module.tempfile, "TemporaryFile", no_more)
    else:
        monkeypatch.setattr(storage_module.np, "memmap", no_more)
    with pytest.raises(RnnlmError, match=r"too many open files; give more --memory, .* or raise the limit with ulimit"):
        use(Storage(on_disk=True))


def test_however_little_the_memory_few_files_are_open_at_a_time():
    resource = pytest.importorskip("resource")  # not on Windows
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    ids = np.arange(2000) % 7
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(limits[0], 160), limits[1]))
    try:
        counts = count_ngrams(ids, 6, 7, 3, memory=1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert spelled(counts) == spelled(count_ngrams(ids, 6, 7, 3))


def test_arrays_on_disk_are_arrays(tmp_path, monkeypatch):
    monkeypatch.setattr(storage_module.tempfile, "tempdir", str(tmp_path))
    storage = Storage(on_disk=True)
    columns = storage.joined([(np.arange(3), np.ones(3)), (np.arange(2), np.zeros(2))], (np.int32, np.float32))
    assert [column.tolist() for column in columns] == [[0, 1, 2, 0, 1], [1, 1, 1, 0, 0]]
    assert [column.dtype for column in columns] == [np.int32, np.float32]
    array = storage.empty(4, np.int16)
    array[:] = 7
    storage_module.let_go(array, columns[0], np.ones(2), None)
    together = [np.arange(3, dtype=np.int8), np.arange(5), np.empty(0), np.arange(2, dtype=np.int32)]
    mapped = storage.together(*together)
    storage_module.let_go(*mapped)
    for one, other in zip(together, mapped, strict=True):
        assert one.dtype == other.dtype and other.flags.aligned
        np.testing.assert_array_equal(one, other)
    assert array.tolist() == [7] * 4
    assert [*map(len, storage.joined([], (np.int32, np.int8)))] == [0, 0]
    assert not any(tmp_path.iterdir())  # the files have no names
