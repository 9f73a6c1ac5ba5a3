"""Texts as they are spelled: parts, words and their pieces."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.errors import RnnlmError
from rnnlm.text import spelled
from rnnlm.text.spelled import spelled_file, spelled_string
from rnnlm.text.subwords.byte_level import Subwords
from rnnlm.text.subwords.pieces import merges_of
from rnnlm.text.vocabulary import UNKNOWN, Vocabulary

WORDS, CHARACTERS = Vocabulary(["<eos>", "a", "b"]), Vocabulary(["<eos>", "a", "b", " "], "char")
SUBWORDS = Vocabulary.from_counts({"<eos>": 1}, Subwords(merges_of([("Ġ", "a")])))


def file_of(folder, text):
    path = folder / "text.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def words(parts):
    return [word for part in parts for word in part.words()]


def test_words_and_their_ids():
    (part,) = spelled_string("a  zebra\tb\n\n", WORDS)
    assert part.words() == part.piece_names() == ["a", "zebra", "b", "<eos>", "<eos>"]
    assert part.ids.tolist() == [1, UNKNOWN, 2, 0, 0]
    assert part.starts.tolist() == [0, 1, 2, 3, 4]
    assert part.line_ends.tolist() == [3, 4]


@pytest.mark.parametrize(("text", "names", "starts"), [
    ("a bb\n", ["a", "bb", "<eos>"], [0, 2, 4]),
    ("  a b \n", ["a", "b", "<eos>"], [0, 4, 6]),       # blanks at the start are the first word's
    (" \n\n", ["<eos>", "<eos>"], [0, 2]),              # in a line without words they are the end's
    ("ab  \n  a\n", ["ab", "<eos>", "a", "<eos>"], [0, 4, 5, 8]),
    ("a\tb\n", ["a", "b", "<eos>"], [0, 2, 3])])
def test_a_blank_belongs_to_the_word_before_it(text, names, starts):
    (part,) = spelled_string(text, CHARACTERS)
    assert part.words() == names
    assert part.starts.tolist() == starts
    assert "".join(part.pieces) == text


@pytest.mark.parametrize(("text", "names", "starts"), [
    ("a ab\n", ["a", "ab", "<eos>"], [0, 1, 3]),           # the pieces: a, Ġa, b
    ("  a b \n", ["a", "b", "<eos>"], [0, 2, 4]),          # Ġ Ġa, Ġ b; the last blank is the line end's
    (" \n\n", ["<eos>", "<eos>"], [0, 2]),
    ("ab\ta\n", ["ab", "a", "<eos>"], [0, 2, 4]),         # a b, tab a
    ("bé b\n", ["bé", "b", "<eos>"], [0, 3, 5]),           # b and two bytes, Ġ b
    ("b\u00a0 a\n", ["b\u00a0", "a", "<eos>"], [0, 3, 4])])  # a no-break space is no blank
def test_with_subwords_a_blank_belongs_to_the_word_after_it(text, names, starts):
    (part,) = spelled_string(text, SUBWORDS)
    assert part.words() == names
    assert part.starts.tolist() == starts


def test_a_piece_that_holds_two_words_makes_them_one():
    spaces = Subwords(merges_of([("Â", "ł"), ("Âł", "Ġ"), ("ÂłĠ", "Âł")]))
    (part,) = spelled_string("a\u00a0 \u00a0\nb b\n", Vocabulary.from_counts({"<eos>": 1}, spaces))
    assert part.pieces[:2] == ["a", "ÂłĠÂł"] and part.words() == ["a\u00a0 \u00a0", "<eos>", "b", "b", "<eos>"]


@settings(deadline=None)
@given(st.text("ab \t\n", min_size=1, max_size=40), st.integers(1, 12), st.booleans())
def test_the_parts_of_a_file_are_cut_between_words(tmp_path_factory, text, size, by_line):
    path, before = file_of(tmp_path_factory.mktemp("t"), text), spelled.BLOCK
    whole = text if text.endswith("\n") else text + "\n"
    for vocabulary in (WORDS, CHARACTERS, SUBWORDS):
        spelled.BLOCK = size
        try:
            parts = list(spelled_file(path, vocabulary, by_line=by_line))
        finally:
            spelled.BLOCK = before
        assert "".join(part.text for part in parts) == whole
        assert words(parts) == [word for word in re.split("[ \t]+|(\n)", whole.replace("\n", " <eos> ")) if word]
        (one,) = spelled_string(text, vocabulary)
        assert words(parts) == one.words()
        assert np.concatenate([part.ids for part in parts]).tolist() == one.ids.tolist()
        assert sum(len(part.starts) for part in parts) == len(one.starts)
        assert sum(part.line_bytes().sum() for part in parts) == len(whole)


def test_bytes_of_lines():
    (part,) = spelled_string("é a\r\n\nb", WORDS)
    assert part.line_bytes().tolist() == [5, 1, 2, 0]


def test_a_line_of_a_hundred_blocks_takes_the_memory_of_few(tmp_path, monkeypatch):
    monkeypatch.setattr(spelled, "BLOCK", 100)
    for vocabulary in (WORDS, CHARACTERS):
        parts = list(spelled_file(file_of(tmp_path, "a bb " * 2000), vocabulary))
        assert max(len(part.text) for part in parts) <= 200
        assert words(parts) == ["a", "bb"] * 2000 + ["<eos>"]


def test_blanks_without_end_are_no_text(tmp_path, monkeypatch):
    monkeypatch.setattr(spelled, "BLOCK", 100)
    monkeypatch.setattr(spelled, "LONGEST_WORD", 1000)
    with pytest.raises(RnnlmError, match="has a word that with its blanks is longer than"):
        list(spelled_file(file_of(tmp_path, "a" + " " * 3000), CHARACTERS))
    assert words(spelled_file(file_of(tmp_path, "a" + " " * 3000), WORDS)) == ["a", "<eos>"]


@pytest.mark.parametrize("text", ["", "\ufeff"])
def test_a_text_without_a_token_is_an_error(text, tmp_path):
    with pytest.raises(RnnlmError, match="text must hold at least one line, but it is empty"):
        list(spelled_string(text, WORDS))
    with pytest.raises(RnnlmError, match=r"text\.txt must hold at least one line of text, but it is empty"):
        list(spelled_file(file_of(tmp_path, text), WORDS))


@pytest.mark.parametrize(("text", "message"), [
    ("a <eos> b\n", "holds the word <eos>, which is the token of every line end"), ("a\0b", "NUL"),
    (b"a\xff\n", "must be UTF-8: line 1")])
def test_what_is_no_text_is_an_error(text, message, tmp_path):
    with pytest.raises(RnnlmError, match=message):
        list(spelled_file(file_of(tmp_path, text), WORDS))
    if isinstance(text, str):
        with pytest.raises(RnnlmError, match=message):
            list(spelled_string(text, WORDS))


def test_the_word_eos_is_found_by_its_line(tmp_path, monkeypatch):
    text = "a b\n\n" * 3 + "a <eos>\n"
    monkeypatch.setattr("rnnlm.text.spelled.BLOCK", 5)
    for parts, name in ((spelled_file(file_of(tmp_path, text), WORDS), "text.txt"),
                        (spelled_string(text, WORDS), "text")):
        with pytest.raises(RnnlmError, match=f"{name}, line 7, holds the word <eos>"):
            list(parts)


def test_the_word_eos_is_characters_like_others():
    (part,) = spelled_string("<eos> a\n", CHARACTERS)
    assert part.words() == ["<eos>", "a", "<eos>"]
    assert part.line_ends.tolist() == [7]
