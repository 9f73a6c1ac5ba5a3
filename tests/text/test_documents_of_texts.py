import tracemalloc

import numpy as np
import pytest

from rnnlm.errors import ArgumentError, RnnlmError
from rnnlm.text import documents as module
from rnnlm.text.corpus import load_corpus
from rnnlm.text.documents import DOCUMENTS, LINES, Shuffled, starts, starts_to_shuffle
from rnnlm.text.lines import encode_string
from rnnlm.text.tokenizer import as_tokenizer

EOS = 0


def starts_in(text, level="word", unit=DOCUMENTS, block=10**6):
    """Where the documents of a string start, and the tokens of each, joined."""
    index = {token: number for number, token in enumerate(["\n", *sorted({*text} - {"\n"})])}
    ids = encode_string(text, index, as_tokenizer(level))
    found = starts((ids[k : k + block] for k in range(0, len(ids), block)), EOS, unit)
    return found.tolist(), ["".join([*index][i] for i in part) for part in np.split(ids, found[1:])]


@pytest.mark.parametrize("block", [1, 2, 3, 10**6])
@pytest.mark.parametrize(("text", "expected"), [
    ("", [""]),
    ("a\n", ["a\n"]),
    ("a", ["a\n"]),
    ("a\nb\n", ["a\nb\n"]),
    ("a\n\nb\n", ["a\n\n", "b\n"]),
    ("a\r\n\r\nb\r\n", ["a\n\n", "b\n"]),
    ("a\n\n\n\nb c\nd\n\n", ["a\n\n\n\n", "bc\nd\n\n"]),
    ("\na\n\nb\n", ["\na\n\n", "b\n"]),
    ("\n\n\na\nb\n\nc\n", ["\n\n\na\nb\n\n", "c\n"]),
    ("\n", ["\n"]),
    ("\n\n\n", ["\n\n\n"]),
    ("a\n \t\nb\n", ["a\n\n", "b\n"]),  # blanks are no words
])
def test_blank_lines_end_the_document_before_them(text, expected, block):
    found, parts = starts_in(text, block=block)
    assert parts == expected
    assert found == np.cumsum([0, *map(len, expected)])[:-1].tolist() if text else found == []


def test_a_line_of_blanks_is_no_blank_line_where_blanks_are_tokens():
    assert starts_in("ab\n\nc\n \nd\n", "char")[1] == ["ab\n\n", "c\n \nd\n"]


@pytest.mark.parametrize("block", [1, 2, 10**6])
def test_each_line_may_be_a_document(block):
    found, parts = starts_in("\na b\nc\n\nd", unit=LINES, block=block)
    assert parts == ["\n", "ab\n", "c\n", "\n", "d\n"]
    assert found == [0, 1, 4, 6, 7]


def test_any_text_is_cut_as_by_a_reader_of_lines(rng):
    for _ in range(200):
        ids = rng.integers(0, 3, rng.integers(1, 40))
        text = "".join("\n" if i == EOS else "x" for i in ids)
        found = starts([ids[:7], ids[7:7], ids[7:]], EOS).tolist()
        expected, blank, words = [0], False, False
        offset = 0
        for line in text.splitlines(keepends=True):
            if line != "\n" and blank and words:
                expected.append(offset)
            blank, words, offset = line == "\n", words or line != "\n", offset + len(line)
        assert found == expected, text


@pytest.mark.parametrize(("ids", "unit", "message"), [
    ([1, 2, EOS, 3, EOS], DOCUMENTS, "two documents, it is one document: put a blank line .* or give --shuffle lines"),
    ([1, 2, 3, EOS], LINES, "two lines, it is one line: give --shuffle none")])
def test_one_document_cannot_be_shuffled(ids, unit, message):
    with pytest.raises(RnnlmError, match=message):
        starts_to_shuffle(np.array(ids, np.int32), EOS, unit)


def test_a_mapped_text_is_read_in_pieces(tmp_path, monkeypatch):
    ids = np.ones(1_000_000, np.int32)
    ids[99::100] = ids[98::100] = EOS
    ids.tofile(tmp_path / "ids")
    monkeypatch.setattr(module, "BLOCK", 10_000)
    mapped = np.asarray(np.memmap(tmp_path / "ids", np.int32, mode="r"))
    tracemalloc.start()
    try:
        found = starts_to_shuffle(mapped, EOS, DOCUMENTS)
        assert tracemalloc.get_traced_memory()[1] < 500_000  # 16 bytes for each of 10,000 documents; the text has 4 MB
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(found, np.arange(0, 1_000_000, 100))


def test_every_token_is_read_once_and_documents_stay_whole(rng):
    begins = np.array([0, 3, 4, 9])
    shuffled, orders = Shuffled(begins, 15), set()
    ranges = [range(0, 3), range(3, 4), range(4, 9), range(9, 15)]
    for seed in range(200):
        shuffled.arrange(seed)
        read = shuffled.offsets(np.arange(15)).tolist()
        order = [k for offset in read for k, part in enumerate(ranges) if offset == part[0]]
        assert read == [offset for k in order for offset in ranges[k]]
        orders.add(tuple(order))
    assert len(orders) == 24  # all orders of four documents


def test_a_seed_has_one_order_and_positions_may_have_any_shape(rng):
    shuffled, other = (Shuffled(np.arange(0, 1000, 10), 1000) for _ in range(2))
    shuffled.arrange(5)
    positions = rng.integers(0, 1000, (4, 7))
    expected = shuffled.offsets(positions)
    shuffled.arrange(6)
    assert (shuffled.offsets(positions) != expected).any()
    other.arrange(5)
    np.testing.assert_array_equal(other.offsets(positions), expected)


def test_documents_beyond_the_range_of_32_bits_are_found():
    shuffled = Shuffled(np.array([0, 10, 3 << 32]), 5 << 32)
    for seed in range(6):
        shuffled.arrange(seed)
        found = set(shuffled.offsets(shuffled.ends - 1).tolist())
        assert found == {9, (3 << 32) - 1, (5 << 32) - 1}


@pytest.mark.parametrize("begins", [[], [1], [0, 5, 5], [0, 6, 5], [0, 15], [0, 20], [0, -1]])
def test_offsets_that_no_documents_start_at_are_refused(begins):
    with pytest.raises(ArgumentError, match=r"documents must be the offsets where they start: 0, .* all below 15"):
        Shuffled(np.array(begins, np.int64), 15)


def test_the_documents_of_a_corpus(tmp_path):
    path = tmp_path / "train.txt"
    path.write_text("one two\nthree\n\nfour\n\n" * 20 + "five\n")
    for split in ("valid", "test"):
        (tmp_path / f"{split}.txt").write_text("one two three\n" * 5)
    corpus = load_corpus(tmp_path, min_count=1)
    found = starts_to_shuffle(corpus.train, corpus.vocabulary.eos_id, DOCUMENTS)
    assert len(found) == 41
    assert found[:4].tolist() == [0, 6, 9, 15]
