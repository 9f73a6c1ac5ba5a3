"""Which part of a text subwords are learned from, and what of a text is trained on."""

import gzip
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.errors import ArgumentError, RnnlmError
from rnnlm.text.corpus import load_corpus, read_text
from rnnlm.text.lines import encode_blocks, read_blocks
from rnnlm.text.numbered import Tokens
from rnnlm.text.subwords.byte_level import Subwords
from rnnlm.text.subwords.learning import learn_subwords, token_after
from rnnlm.text.subwords.pieces import piece_bytes
from rnnlm.text.vocabulary import EOS, Vocabulary

LEARNED = Subwords.train(["ab ab é é\n"], 280)
LINES = [f"the {animal} número {number} sat\n" for number in range(50) for animal in ("cat", "dog")]


def file_of(folder, text, name="text.txt"):
    path = folder / name
    path.write_bytes(text.encode())
    return path


def test_a_text_that_is_split_gives_its_training_part_alone(tmp_path):
    text = "".join(LINES) + "zqzqzq zqzqzq\n" * 10  # the last tenth has pairs of its own
    corpus = load_corpus(file_of(tmp_path, text), level="subword")
    assert not any("zq" in word for word in corpus.vocabulary.words)
    whole = load_corpus(file_of(tmp_path, text), level=Subwords.train([text]))
    assert any("zq" in word for word in whole.vocabulary.words)
    parts = ["".join(corpus.vocabulary.tokenizer.join(corpus.vocabulary.decode(ids.tolist())))
             for ids in (corpus.train, corpus.valid.ids, corpus.test.ids)]
    assert "".join(parts) == text and all(part.endswith("\n") for part in parts)
    assert len(parts[0].encode()) >= 0.9 * len(text.encode()) > len(parts[0].encode()) - 30
    assert corpus.vocabulary.tokenizer == Subwords.train([parts[0]])
    assert corpus.train.size + corpus.valid.ids.size + corpus.test.ids.size == len(
        corpus.vocabulary.tokenizer.split(text))
    assert any("at line ends 90/5/5" in note for note in corpus.notes)


def test_a_text_of_one_line_is_split_before_a_blank(tmp_path):
    text = "".join(LINES).replace("\n", " ").strip()
    corpus = load_corpus(file_of(tmp_path, text), level="subword", vocab_size=300)
    parts = ["".join(corpus.vocabulary.tokenizer.join(corpus.vocabulary.decode(ids.tolist())))
             for ids in (corpus.train, corpus.valid.ids, corpus.test.ids)]
    assert "".join(parts) == text + "\n" and parts[1].startswith(" ")
    assert 0.9 * len(text) < len(parts[0]) < 0.92 * len(text)
    assert any("between words" in note for note in corpus.notes)


def test_a_folder_gives_that_of_its_training_text(small_corpus):
    corpus = load_corpus(small_corpus, level="subword", max_tokens=90)
    assert corpus.vocabulary.tokenizer == Subwords.train([(small_corpus / "train.txt").read_text()])
    assert corpus.train.size == 90 and corpus.valid.oov == 0
    text = read_text(small_corpus / "test.txt", corpus.vocabulary)
    assert np.array_equal(text.ids, corpus.test.ids)


def test_a_compressed_text_gives_the_same(tmp_path):
    path = tmp_path / "text.txt.gz"
    path.write_bytes(gzip.compress("".join(LINES).encode()))
    assert learn_subwords(path, 300, 0.5) == learn_subwords(file_of(tmp_path, "".join(LINES)), 300, 0.5)


def test_line_ends_and_marks_are_no_part_of_it(tmp_path):
    plain = file_of(tmp_path, "".join(LINES))
    other = file_of(tmp_path, "\ufeff" + "".join(LINES).replace("\n", "\r\n").removesuffix("\r\n"), "other.txt")
    assert learn_subwords(plain, 300) == learn_subwords(other, 300)
    assert load_corpus(plain, level="subword").fingerprint() == load_corpus(other, level="subword").fingerprint()


@pytest.mark.parametrize(("arguments", "message"), [
    ({"level": "subword", "vocab_size": 256}, "vocab_size must be .* from 257"),
    ({"level": "subword", "min_count": 2}, "min_count does nothing here: all subwords are in the vocabulary"),
    ({"level": "subword", "max_vocab": 300}, "max_vocab does nothing here"),
    ({"level": Subwords(np.zeros((0, 2), int)), "min_count": 2}, "min_count does nothing here"),
    ({"vocab_size": 300}, "vocab_size does nothing here: it is of level subword"),
    ({"level": "char", "tokenizer": "x"}, "tokenizer does nothing here: it is of level subword"),
    ({"level": "subword", "tokenizer": "x", "vocab_size": 300}, "vocab_size does nothing here"),
    ({"level": "bytes"}, "level must be one of word, char, subword, got 'bytes'")])
def test_arguments_that_do_not_go_together(arguments, message, small_corpus):
    with pytest.raises(ArgumentError, match=message):
        load_corpus(small_corpus, **arguments)


def test_a_pipe_is_refused_before_it_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in ("-", tmp_path / "pipe"):
        with pytest.raises(RnnlmError, match=r"learned from a regular file, .* or give --tokenizer"):
            learn_subwords(path)


@settings(deadline=None)
@given(st.text("abé \n日", min_size=1, max_size=30), st.integers(0, 20))
def test_a_token_is_found_by_the_bytes_before_it(text, count):
    split = LEARNED.split(text + "\n")
    names = list(dict.fromkeys(split))
    tokens = Tokens(names, np.array([names.index(token) for token in split], np.int32), 0, len(split))
    before = split[:count]
    size = sum(1 if token == "\n" else len(piece_bytes(token)) for token in before)
    assert token_after(tokens, size) == len(before)


def test_a_long_line_is_cut_where_nothing_changes(tmp_path):
    text = "naïve cats don't  sit\u00a0 on mats , 日本 they\t sleep " * 30
    path = file_of(tmp_path, text)
    subwords = Subwords.train([text], 300)
    vocabulary = Vocabulary.from_counts({EOS: 1}, subwords)
    whole = subwords.split(text + "\n")
    for size in (16, 64, 501):
        assert [token for block in read_blocks(path, size) for token in subwords.split(block)] == whole
    ids = np.concatenate(list(encode_blocks(path, vocabulary.index(), subwords)))
    assert vocabulary.decode(ids.tolist()) == whole
