"""ARPA files that are written here, and read again here and by KenLM."""

import math
import re

import numpy as np
import pytest
from arpa_texts import closed, kenlm_text, ngrams

from rnnlm.errors import ArgumentError, DamagedError, RnnlmError
from rnnlm.formats.arpa_reading import read_arpa
from rnnlm.formats.arpa_rows import numbers
from rnnlm.formats.arpa_writing import write_arpa
from rnnlm.ngrams.tables import Order, Tables
from rnnlm.scoring.evaluation import token_log_probs
from rnnlm.text.split_words import SplitWords
from rnnlm.text.subwords.byte_level import Subwords
from rnnlm.text.tokenizer import CHARACTERS, Words
from rnnlm.text.vocabulary import Vocabulary

LN10 = math.log(10)


def made(words, level="word", order=2, seed=0, **changes):
    """Random Tables over these words, and their Vocabulary."""
    rng = np.random.default_rng(seed)
    vocabulary = Vocabulary(words, level)
    V, orders = len(words), []
    for n in range(1, order + 1):
        most = V * (orders[-1].keys.size if orders else 1)
        keys = np.arange(V) if n == 1 else np.sort(rng.choice(most, min(most, 30), replace=False)).astype(np.int64)
        if n > 2:
            ends = orders[-1].keys % V == vocabulary.eos_id  # contexts that no line has
            keys = keys[~ends[keys // V]]
        log_probs = -np.exp(rng.normal(0, 2, len(keys))).astype(np.float32)
        back_offs = rng.normal(0, 1, len(keys)).astype(np.float32)
        if n > 1:
            back_offs[keys % V == vocabulary.eos_id] = 0
        orders.append(Order(keys, log_probs, back_offs if n < order else None))
    return Tables(orders), vocabulary


def require_equal(tables, others):
    assert len(tables.orders) == len(others.orders)
    for order, other in zip(tables.orders, others.orders, strict=True):
        np.testing.assert_array_equal(order.keys, other.keys)
        np.testing.assert_array_equal(order.log_probs, other.log_probs)
        if order.back_offs is None:
            assert other.back_offs is None
        else:
            np.testing.assert_array_equal(order.back_offs, other.back_offs)


def test_numbers_give_themselves_back(rng):
    usual = -np.exp(rng.normal(0, 4, 20_000))
    others = [0, -0.0, 2.5, 1e-8, -1e-30, -1e-45, -3e30, -math.log(2)]
    tens = [-99, -10, -9.9, -1, -0.99999999, -0.1]
    nats = np.concatenate([usual, others, np.array(tens) * LN10]).astype(np.float32)
    texts = numbers(nats)
    np.testing.assert_array_equal(np.array([float(text) * LN10 for text in texts]).astype(np.float32), nats)
    assert not any(b"e" in text or b"n" in text for text in texts)
    sizes = np.array([*map(len, texts[:20_000])])[(usual < -0.01) & (usual > -20)]
    assert sizes.max() <= 15
    assert sizes.mean() < 12
    assert numbers(np.float32([0, -LN10])) == [b"0", b"-1.0000000"]
    assert numbers(np.empty(0, np.float32)) == []


@pytest.mark.parametrize("order", [1, 2, 4])
def test_a_file_gives_the_tables_and_the_vocabulary_back(order, tmp_path):
    tables, vocabulary = made(["the", "<eos>", "naïve", "<unk>", "\\data\\", "#", "\\x20"], order=order)
    write_arpa(tmp_path / "some.arpa", tables, vocabulary, ["two lines", "and a\nbreak"])
    lines = (tmp_path / "some.arpa").read_text(encoding="utf-8").split("\n")
    assert lines[:3] == ["# two lines", "# and a\\nbreak", "\\data\\"]
    assert lines[3] == "ngram 1=8"
    model, read = read_arpa(tmp_path / "some.arpa")
    require_equal(tables, model.tables)
    assert read.words == vocabulary.words
    assert read.fingerprint() == vocabulary.fingerprint() == model.vocabulary_fingerprint


def test_the_file_is_that_of_the_strict_form(tmp_path):
    order = Order(np.arange(3), np.float32([-LN10, -0.5 * LN10, -2 * LN10]), np.float32([-0.25 * LN10, 0, 0.5 * LN10]))
    longest = Order(np.array([1, 8]), np.float32([-LN10, 0]))
    write_arpa(tmp_path / "some.arpa", Tables([order, longest]), Vocabulary(["<eos>", "a", "<unk>"]))
    text = (tmp_path / "some.arpa").read_text()
    assert re.sub(r"\d\.\d+", lambda number: f"{float(number[0]):g}", text) == (
        "\\data\\\nngram 1=4\nngram 2=2\n\n\\1-grams:\n-99\t<s>\t-0.25\n-1\t</s>\t0\n-0.5\ta\t0\n-2\t<unk>\t0.5\n\n"
        "\\2-grams:\n-1\t<s> a\n0\t<unk> <unk>\n\n\\end\\\n")


@pytest.mark.parametrize("words, level", [
    (["<eos>", "a", " ", "\t", "\\", "\x7f", "\u00a0", "é", "#"], CHARACTERS),
    (["<eos>", "a", "\\", "é"], CHARACTERS),
    (["<eos>", "<s>", "</s>", "<unk>", "<UNK>", "\\x3cs>", "x"], "word"),
    (["<eos>", "a", "b"], Words(lowercase=True)),
    (["<eos>", "a", "b"], SplitWords()),
])
def test_what_words_are_is_written_and_read(words, level, tmp_path):
    tables, vocabulary = made(words, level, order=3)
    write_arpa(tmp_path / "some.arpa", tables, vocabulary)
    model, read = read_arpa(tmp_path / "some.arpa")
    require_equal(tables, model.tables)
    assert read.words == words
    assert read.tokenizer == vocabulary.tokenizer
    assert read.fingerprint() == vocabulary.fingerprint()


def test_subwords_bring_their_merges(tmp_path):
    pytest.importorskip("tokenizers")
    tokenizer = Subwords.train(["the cat sat on the mat\n" * 20], 262)
    tables, vocabulary = made(["<eos>", *tokenizer.tokens], tokenizer, order=3)
    write_arpa(tmp_path / "some.arpa", tables, vocabulary)
    model, read = read_arpa(tmp_path / "some.arpa")
    require_equal(tables, model.tables)
    assert read.fingerprint() == vocabulary.fingerprint()
    np.testing.assert_array_equal(read.tokenizer.merges, tokenizer.merges)
    text = (tmp_path / "some.arpa").read_text(encoding="utf-8")
    at = text.index('"merges": "') + 11
    (tmp_path / "bad.arpa").write_text(text[:at] + "!" + text[at + 1 :], encoding="utf-8")
    with pytest.raises(DamagedError, match="its heading and its words do not fit: merges must be 40 bytes in base64"):
        read_arpa(tmp_path / "bad.arpa")


@pytest.mark.parametrize("words, message", [
    (["<eos>", ""], "words must not be empty in an ARPA file"),
    (["<eos>", "\ud800"], "words must be text that UTF-8 can encode, got .ud800"),
])
def test_words_that_no_file_can_hold_are_refused(words, message, tmp_path):
    with pytest.raises(ArgumentError, match=message):
        write_arpa(tmp_path / "some.arpa", *made(words))
    assert not list(tmp_path.iterdir())


def test_another_vocabulary_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="tables, which have 2 words, got one of 1"):
        write_arpa(tmp_path / "some.arpa", made(["<eos>", "a"])[0], Vocabulary(["<eos>"]))
    with pytest.raises(RnnlmError, match="could not be written"):
        write_arpa(tmp_path / "none/some.arpa", *made(["<eos>", "a"]))


def test_empty_orders_at_the_end_are_left_out(tmp_path):
    tables, vocabulary = made(["<eos>", "a", "b"], order=2)
    tables.orders[-1].back_offs = np.zeros(len(tables.orders[-1].keys), np.float32)
    tables.orders.append(Order(np.empty(0, np.int64), np.empty(0, np.float32)))
    write_arpa(tmp_path / "some.arpa", tables, vocabulary)
    assert "ngram 3" not in (tmp_path / "some.arpa").read_text()
    assert read_arpa(tmp_path / "some.arpa")[0].order == 2


def test_blocks_are_written_one_after_another(tmp_path, monkeypatch):
    tables, vocabulary = made(["<eos>", "a", "b", "c"], order=4)
    write_arpa(tmp_path / "one.arpa", tables, vocabulary)
    monkeypatch.setattr("rnnlm.formats.arpa_rows.ROWS", 3)
    write_arpa(tmp_path / "other.arpa", tables, vocabulary)
    assert (tmp_path / "one.arpa").read_bytes() == (tmp_path / "other.arpa").read_bytes()


def test_kenlm_reads_it_and_says_the_same(tmp_path):
    kenlm = pytest.importorskip("kenlm")
    (tmp_path / "first.arpa").write_text(kenlm_text(closed(ngrams(4))))
    model, vocabulary = read_arpa(tmp_path / "first.arpa")
    write_arpa(tmp_path / "second.arpa", model.tables, vocabulary, ["a heading"])
    again, read = read_arpa(tmp_path / "second.arpa")
    require_equal(model.tables, again.tables)
    assert read.words == vocabulary.words
    line = "the cat sat naïve on dogs the a_b"
    ids = [i if i >= 0 else read.unk_id for i in [*read.encode(line.split()), read.eos_id]]
    theirs = [row[0] for row in kenlm.Model(str(tmp_path / "second.arpa")).full_scores(line)]
    np.testing.assert_allclose(token_log_probs(again, ids, read.eos_id) / LN10, theirs, atol=1e-5)
