"""Where a text is cut before it is encoded, and which chunks a dictionary keeps."""

import itertools
import re

import numpy as np
import pytest
import tokenizers

from rnnlm.text.subwords import chunks
from rnnlm.text.subwords.byte_level import Subwords
from rnnlm.text.subwords.sentencepieces import SentencePieces


def test_chunks_are_words_with_the_blanks_before_them():
    assert chunks.chunks_of("the  cat's hat, (x2) 3.5\tnaïve 'tis”  \nend") == [
        "the", "  cat", "'s", " hat", ",", " (", "x", "2)", " 3.5", "\tnaïve", " 'tis”", "  ", "\n", "end"]


def test_the_library_has_a_border_wherever_a_text_is_cut():
    """Every text of up to five of these characters, of each kind some."""
    before = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    for size in range(1, 6):
        for characters in itertools.product("s1.' é\x01\xa0", repeat=size):
            text = "".join(characters)
            borders = {start for _, (start, _) in before.pre_tokenize_str(text)}
            cuts = {0, *itertools.accumulate(map(len, chunks.chunks_of(text)[:-1]))}
            assert cuts <= borders, (text, chunks.chunks_of(text))


@pytest.mark.parametrize("text", ["ab" * 20_000, "日" * 40_000, "ab\x1c" * 15_000, " " * 40_000 + "a", "-" * 40_000,
                                  "a" + " " * 40_000, "'" * 20_000 + "s" * 20_000])
def test_a_very_long_word_is_cut_and_nothing_is_lost(text):
    found = chunks.chunks_of(f"{text}\n")
    assert "".join(found) == f"{text}\n" and len(found) > 2
    assert max(len(chunk.lstrip()) for chunk in found) <= 2 * chunks.LONGEST
    for tokenizer in (Subwords.train(["ab -- 's"] * 9, 265), SentencePieces(["a", "b", "ab"])):
        tokens = tokenizer.split(f"{text}\n")
        assert "".join(tokenizer.join(tokens)) == f"{text}\n"


def test_a_word_is_cut_at_the_limit_alone():
    longest = chunks.LONGEST
    assert chunks.chunks_of(f" {'x' * longest} {'é' * longest}") == [f" {'x' * longest}", f" {'é' * longest}"]
    assert chunks.chunks_of(f" {'x' * longest}xy") == [f" {'x' * longest}", "xy"]


def by_length(asked):
    """Encodes a chunk as its length, as often; and puts what it was asked on a list."""
    def encode(new):
        asked.append([*new])
        lengths = np.array([len(chunk) for chunk in new])
        return np.repeat(lengths, lengths).astype(np.int32), lengths
    return encode


def dictionary(asked):
    return chunks.Dictionary(by_length(asked), 0, re.compile(r"\w+|\n").findall)


def test_a_chunk_is_encoded_once():
    asked = []
    known = dictionary(asked)
    assert known.ids("a bb\na ccc bb\n").tolist() == [1, 2, 2, 0, 1, 3, 3, 3, 2, 2, 0]
    assert known.ids("bb a dd\n").tolist() == [2, 2, 1, 2, 2, 0]
    assert asked == [["a", "bb", "ccc"], ["dd"]]


def test_a_full_dictionary_keeps_the_half_that_it_met_most(monkeypatch):
    monkeypatch.setattr(chunks, "MOST_CHUNKS", 4)
    asked = []
    known = dictionary(asked)
    assert known.ids("a bb ccc bb dddd bb dddd\n").tolist() == [1, *[2] * 2, *[3] * 3, *[2] * 2, *[4] * 4,
                                                                *[2] * 2, *[4] * 4, 0]
    assert list(known.numbers) == ["\n", "bb", "dddd"]
    assert known.ids("dddd bb a\n").tolist() == [4] * 4 + [2] * 2 + [1, 0]
    assert asked == [["a", "bb", "ccc", "dddd"], ["a"]]
    known.ids("a a dddd ff ff\n")  # counted are only those met since the last time
    assert list(known.numbers) == ["\n", "dddd", "a"]


def test_long_chunks_fill_a_dictionary_too(monkeypatch):
    monkeypatch.setattr(chunks, "MOST_CHARACTERS", 9)
    known = dictionary([])
    for _ in range(3):
        assert known.ids("aaaaa bbbbb a\n").tolist() == [5] * 10 + [1, 0]
        assert len(known.numbers) == 2
