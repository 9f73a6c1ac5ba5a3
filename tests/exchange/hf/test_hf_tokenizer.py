"""The tokenizers of exported folders split every text as ours do."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.exchange.hf.tokenizer import TokenIds, tokenizer_json
from rnnlm.text.subwords.byte_level import Subwords
from rnnlm.text.subwords.pieces import merges_of
from rnnlm.text.tokenizer import Words
from rnnlm.text.vocabulary import Vocabulary

tokenizers = pytest.importorskip("tokenizers")

WORDS = ["the", "cat", "<eos>", "<unk>", "sat", "CAT", "caf\u00e9", "a\u00a0b", "x\u2028y", '"', "\\", "##ing", "[UNK]",
         "</s>", "\u0120the", "\u2581", "\U0001f600", "e\u0301", "<unk>-like", "n't", "\u1e9e"]
SUBWORDS = Subwords.train(["the cat sat on the mat, didn't it?", "caf\u00e9 \U0001f600 the cats"] * 3, 280)
ANYTHING = st.text(st.sampled_from("abct he<>unkpdos-\t\r\v\f\n\u00a0\u2028\x85\x1c\u00e9\u0301\U0001f600'!C\u0130"))
SOME_WORDS = st.lists(st.sampled_from([*WORDS, "dog", "thecat", " ", "\t", "\n", "\r\v", "\u3000"]), max_size=8).map(
    " ".join)


def library(vocabulary):
    """The tokenizer of the library, and its TokenIds."""
    tokens = TokenIds(vocabulary)
    return tokenizers.Tokenizer.from_str(json.dumps(tokenizer_json(vocabulary, tokens))), tokens


def expected(vocabulary, text, unk_id=None):
    """The ids that a text has here, after the line end that stands before it."""
    ids = vocabulary.encode(vocabulary.tokenizer.split(text)).tolist()
    unk_id = vocabulary.unk_id if unk_id is None else unk_id
    return [vocabulary.eos_id, *(unk_id if i == -1 else i for i in ids)]


WORD_VOCABULARY = Vocabulary(WORDS)
WORD_LIBRARY = library(WORD_VOCABULARY)[0]


@settings(max_examples=200, deadline=None)
@given(ANYTHING | SOME_WORDS)
def test_words(text):
    if "<eos>" not in text and "<pad>" not in text:
        assert WORD_LIBRARY.encode(text).ids == expected(WORD_VOCABULARY, text)


CHARACTERS = Vocabulary(["a", " ", "<eos>", "<unk>", "\t", "\u00e9", "<", "u", "\u00a0", "\r", "\U0001f600"], "char")
CHARACTER_LIBRARY = library(CHARACTERS)[0]


@settings(max_examples=200, deadline=None)
@given(ANYTHING)
def test_characters(text):
    if "<pad>" not in text:
        assert CHARACTER_LIBRARY.encode(text).ids == expected(CHARACTERS, text)


SUBWORD_VOCABULARY = Vocabulary([*SUBWORDS.tokens[::-1], "<eos>"], SUBWORDS)
SUBWORD_LIBRARY = library(SUBWORD_VOCABULARY)[0]


@settings(max_examples=200, deadline=None)
@given(ANYTHING | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_subwords(text):
    if "<pad>" not in text:
        assert SUBWORD_LIBRARY.encode(text).ids == expected(SUBWORD_VOCABULARY, text)
        assert SUBWORD_LIBRARY.decode(SUBWORD_LIBRARY.encode(text).ids[1:], skip_special_tokens=False) == text


def test_words_by_hand():
    """All that is not ASCII is no blank; the line end is <eos>, wherever it is."""
    found = WORD_LIBRARY.encode("the cat\nthe\u00a0cat\t dog CAT\n\n a\u00a0b")
    assert found.ids == [2, 0, 1, 2, 3, 3, 5, 2, 2, 7]
    assert found.tokens[:5] == ["\n", "the", "cat", "\n", "<unk>"]


def test_every_word_of_the_vocabulary_is_one_token():
    for i, word in enumerate(WORDS):
        if word != "<eos>":
            assert WORD_LIBRARY.encode(word).ids == [2, i]


def test_a_text_that_names_the_line_end_is_a_text():
    """Here <eos> in a text is an error; there it is a word like any other."""
    assert WORD_LIBRARY.encode("the <eos> cat").ids == [2, 0, 3, 1]
    assert SUBWORD_LIBRARY.encode("<eos>").ids == expected(SUBWORD_VOCABULARY, "<eos>")


def test_lower_case():
    vocabulary = Vocabulary(["<eos>", "<unk>", "the", "\u00e9tat", "\u00df"], Words(lowercase=True))
    there, _ = library(vocabulary)
    assert there.encode("The \u00c9TAT\nDOG \u1e9e").ids == expected(vocabulary, "The \u00c9TAT\nDOG \u1e9e") == [
        0, 2, 3, 0, 1, 4]


@pytest.mark.parametrize("level", ["word", "char"])
def test_a_vocabulary_without_unk_gets_one_behind_its_words(level):
    vocabulary = Vocabulary(["a", "<eos>", "b"], level)
    there, tokens = library(vocabulary)
    assert tokens.ids == {"a": 0, "\n": 1, "b": 2, "<unk>": 3, "<pad>": 4}
    assert tokens.added == 2
    assert there.encode("a").ids == [1, 0]
    assert there.encode("c\nb").ids == [1, 3, 1, 2]


def test_an_added_name_is_no_part_of_a_word():
    """It would be cut out of the word."""
    words = ["<eos>", "x<pad>y", "<pad-2>", "<unk>s"]
    there, tokens = library(Vocabulary(words))
    assert (tokens.unk, tokens.pad, tokens.added) == ("<unk-2>", "<pad-3>", 2)
    assert there.encode("x<pad>y <pad-2> <unk>s <pad>").ids == [0, 1, 2, 3, 4]
    assert there.token_to_id("<pad-3>") == 5


def test_pieces_that_look_like_the_padding():
    subwords = Subwords(merges_of([("p", "a"), ("pa", "d"), ("<", "pad"), ("<pad", ">")]))
    assert "<pad>" in subwords.tokens
    vocabulary = Vocabulary([*subwords.tokens, "<eos>"], subwords)
    there, tokens = library(vocabulary)
    assert tokens.pad == "<pad-2>"
    assert there.encode("<pad> <pad>").ids == expected(vocabulary, "<pad> <pad>")


def test_what_tokens_become_as_text():
    assert WORD_LIBRARY.decode([0, 1, 4]) == "the cat sat"
    ids = CHARACTER_LIBRARY.encode("a \u00e9\na").ids
    assert CHARACTER_LIBRARY.decode(ids[1:], skip_special_tokens=False) == "a \u00e9\na"


def test_two_texts():
    assert WORD_LIBRARY.encode("the", "cat").ids == [2, 0, 2, 1]
    assert WORD_LIBRARY.encode("the cat", add_special_tokens=False).ids == [0, 1]


def test_where_a_token_is_in_the_text():
    assert WORD_LIBRARY.encode("the  cat\nsat").offsets == [(0, 0), (0, 3), (5, 8), (8, 9), (9, 12)]
