import copy
import pickle
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.errors import ArgumentError, RnnlmError
from rnnlm.text.subwords import bpe_library, byte_level, chunks
from rnnlm.text.subwords.byte_level import Subwords
from rnnlm.text.subwords.pieces import ALPHABET, merges_of, piece_bytes, pieces_of
from rnnlm.text.tokenizer import LINE_END
from rnnlm.text.vocabulary import EOS, Vocabulary

TEXT = "the cat sat on the mat .\nthe cat's hat 's that ; ça va , naïve ?\n" * 5
NASTY = """
  two blanks  at the start and  in the middle   and at the end  \n\t\ttabs\tbetween \tand\t \tblanks\t\n
no\u00a0break \u00a0 \u00a0\u00a0 spaces\u00a0\n\u2003em\u2003\u2003spaces \u3000\u2028 \u2029 \x85 separators\n
carriage\rreturns\r inside \r\r\nvertical\vtabs\f and \v\f feeds\nsep\x1carators \x1d\x1e \x1f and\x1c more \x1c\n
cafe\u0301 e\u0301\u0302\u0303 combining \u0301\n👩‍👩‍👧‍👦 👍🏽 🇩🇪 emoji\n<unk> <eos> a<unk>b <s> </s> <|endoftext|>\n
don't DON'T ''' 'tis 's it's'll we're they've I'm he'd ''s\n12345 1,234.5 ½ ² Ⅷ ٣٤ x2y3\n日本語の文章 한국어 العربية\n
Ġ Ċ ▁ Ã© <0xC3> \ufeff \ufffd\n{}\n\n\n ! ?!...---=== ~~\u200b zero\u200dwidth\n""".format("long" * 3000)


@pytest.fixture(scope="module")
def subwords():
    return Subwords.train([TEXT], 280)


def reference(subwords, text):
    """The tokens of lines that the library alone gives, one by one."""
    alone = bpe_library.Encoder(subwords.tokens, subwords.merges).tokenizer
    return [token for line in text.split("\n")[:-1]
            for token in [*alone.encode(line, add_special_tokens=False).tokens, LINE_END]]


def pieces_alone(*pairs):
    return Subwords(merges_of(pairs))


def test_bytes_and_merges_are_the_pieces():
    assert ALPHABET[ord("A")] == "A" and ALPHABET[ord(" ")] == "Ġ" and ALPHABET[ord("\n")] == "Ċ"
    assert len(set(ALPHABET)) == 256 and all(character.isprintable() for character in ALPHABET)
    tokens = pieces_of(np.array([[ord("a"), ord("b")], [256, ord("c")]]))
    assert tokens[:256] == ALPHABET and tokens[256:] == ["ab", "abc"]
    assert piece_bytes("Ġà") == b" \xe0"


def test_a_text_is_merged_by_rank():
    subwords = pieces_alone(("b", "c"), ("a", "b"), ("Ġ", "a"), ("Ġa", "bc"))
    assert subwords.split("abc abc ab\n") == ["a", "bc", "Ġabc", "Ġ", "ab", "\n"]
    assert "".join(subwords.join(["a", "bc", "Ġabc", "\n", "Ġa"])) == "abc abc\n a"


def test_two_merges_may_make_the_same_piece():
    subwords = pieces_alone(("a", "b"), ("b", "c"), ("ab", "c"), ("a", "bc"))
    assert subwords.tokens[256:] == ("ab", "bc", "abc")
    assert subwords.split("abc\n") == ["abc", "\n"]


def test_a_text_gives_the_pieces_that_occur_most():
    # "ab" five times; then "Ġ" + "ab" four times; "c" + "d" twice; once is not enough
    assert Subwords.train(["ab ab ab ab ab cd ecd xy\n"], 8000).tokens[256:] == ("ab", "Ġab", "cd")


def test_the_size_counts_every_entry_of_the_vocabulary(subwords):
    assert len(Vocabulary.from_counts({EOS: 1}, subwords)) == 280
    assert len(Subwords.train(["ab ab\n"], 8000).tokens) == 257  # no other pair occurs twice


def test_the_same_text_gives_the_same_subwords_however_it_is_cut(subwords):
    lines = TEXT.splitlines(keepends=True)
    assert Subwords.train(lines, 280) == subwords == Subwords.train(iter([TEXT]), 280)
    assert Subwords.train([TEXT], 279) != subwords


def test_a_long_line_is_learned_from_in_parts(monkeypatch):
    line = TEXT.replace("\n", " ")
    whole = Subwords.train([line], 280)
    monkeypatch.setattr("rnnlm.text.subwords.byte_level.LONGEST_UNIT", 7)
    assert Subwords.train([line], 280) == whole


def test_nothing_is_lost_and_the_library_alone_gives_the_same(subwords):
    tokens = subwords.split(NASTY)
    assert "".join(subwords.join(tokens)) == NASTY
    assert tokens == reference(subwords, NASTY)
    assert tokens == subwords.split(NASTY)  # now that the chunks are in the dictionary


ODD = st.text(st.one_of(
    st.sampled_from(" \t\r\v\f\x1c\x1f\x85\u00a0\u2003\u2028'\n\n  "), st.sampled_from("abcthes.,!12é日\u0301👍'"),
    st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=60)


@settings(max_examples=200, deadline=None)
@given(ODD)
def test_any_text_comes_back(text):
    subwords = Subwords(ANY.merges)
    text += "\n"
    tokens = subwords.split(text)
    assert "".join(subwords.join(tokens)) == text
    assert tokens == reference(subwords, text)
    index = Vocabulary.from_counts({EOS: 1}, subwords).index()
    assert subwords.encode(text, index).tolist() == [index[token] for token in tokens]


ANY = Subwords.train([TEXT], 280)


def test_before_a_blank_there_is_a_border_behind_every_character():
    """Behind white space as Python has it, the library decides."""
    before = bpe_library._library().pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    step = 37  # of all characters; those of a few scripts stand for the others
    some = {*range(1, 0x3100), *range(0x3100, 0x110000, step)} - {*range(0xD800, 0xE000)}
    characters = [chr(code) for code in sorted(some) if not chr(code).isspace()]
    for character, (first, _) in zip(characters, _borders(before, [f"{c} x" for c in characters]), strict=True):
        assert first == character
    spaces = [chr(code) for code in some if chr(code).isspace() and not chunks.SEPARATORS.match(chr(code))]
    assert len(spaces) > 20
    for space in spaces:  # and these are white space for the library, too
        for border, rest in _borders(before, [f"é{space}x", f"!{space}!"]):
            assert len(border) == 1 and rest


def _borders(before, texts):
    """The first piece of each text as characters, and the others."""
    for text in texts:
        found = [text[start:stop] for _, (start, stop) in before.pre_tokenize_str(text)]
        yield found[0], found[1:]


def test_chunks_are_encoded_at_the_borders_alone(monkeypatch):
    subwords = Subwords(ANY.merges)
    monkeypatch.setattr(chunks, "SLICE", 5)
    monkeypatch.setattr(bpe_library, "SLICE", 3)
    assert subwords.split(NASTY) == reference(subwords, NASTY)


def test_a_full_dictionary_changes_nothing(monkeypatch):
    subwords = Subwords(ANY.merges)
    monkeypatch.setattr(chunks, "MOST_CHUNKS", 3)
    monkeypatch.setattr(chunks, "SLICE", 50)
    for _ in range(3):
        assert subwords.split(NASTY) == reference(subwords, NASTY)
        assert len(subwords._dictionary.numbers) <= len(set(chunks.chunks_of(NASTY))) // 2


def test_numbers_are_given_in_order_of_first_appearance(subwords):
    class Asked(dict):
        def __missing__(self, token):
            self[token] = number = len(self)
            return number

    index = Asked()
    tokens = subwords.split(TEXT)
    ids = subwords.encode(TEXT, index)
    assert list(index) == list(dict.fromkeys(tokens))
    assert [list(index)[i] for i in ids] == tokens and ids.dtype == np.int32


def test_an_empty_text_has_no_tokens(subwords):
    assert subwords.split("") == [] and subwords.encode("", {}).size == 0 and list(subwords.join([])) == []


def test_a_character_is_printed_when_its_last_byte_is_there(subwords):
    bare = Subwords(np.zeros((0, 2), np.int32))
    tokens = bare.split("é日!\n")
    assert list(bare.join(tokens)) == ["", "é", "", "", "日", "!", "\n"]


@pytest.mark.parametrize(("written", "text"), [
    (b"\xc3A", "\ufffdA"), (b"\xff", "\ufffd"), (b"\x80\xc3\xa9", "\ufffdé"), (b"A\0B\nC", "A\ufffdB\ufffdC"),
    (b"\xed\xa0\x80", "\ufffd" * 3)])
def test_bytes_that_no_text_has_become_replacement_characters(written, text):
    bare = Subwords(np.zeros((0, 2), np.int32))
    pieces = [ALPHABET[byte] for byte in written]
    assert "".join(bare.join(pieces)) == text
    assert bare.split(text + "\n")  # it can be read again


def test_a_character_that_a_line_end_cuts_off_is_replaced():
    bare = Subwords(np.zeros((0, 2), np.int32))
    assert list(bare.join(["Ã", "\n", "a", "Ã"])) == ["", "\ufffd\n", "a", "", "\ufffd"]


def test_a_piece_is_shown_as_text():
    bare = pieces_alone(("Ġ", "a"))
    assert [bare.shown(token) for token in ("Ġa", "Ã", "Ċ", "\n", EOS)] == [" a", "\\xc3", "\n", "\n", EOS]


def test_a_copy_does_the_same(subwords):
    subwords.split(TEXT)
    for other in (copy.deepcopy(subwords), pickle.loads(pickle.dumps(subwords))):
        assert other == subwords and hash(other) == hash(subwords)
        assert other.split(TEXT) == subwords.split(TEXT)


def test_a_vocabulary_holds_every_piece(subwords):
    vocabulary = Vocabulary.from_counts({EOS: 3, "t": 9, "h": 4}, subwords)
    assert vocabulary.words[:3] == ["t", "h", EOS] and len(vocabulary) == 280 and vocabulary.unk_id is None
    for words in (vocabulary.words[:-1], [*vocabulary.words, "more"]):
        with pytest.raises(ArgumentError, match=r"must hold <eos> and all that its tokenizer can write, 279"):
            Vocabulary(words, subwords)


@pytest.mark.parametrize(("merges", "rule"), [
    ([[300, 97]], "two pieces from before it"), ([[-1, 97]], "two pieces from before"), ([[97, 256]], "from before it"),
    ([[97, 98], [97, 98]], "no others than those"), ([97, 98], r"whole numbers \(n, 2\)"),
    (np.zeros((2, 2)), "whole numbers"), ([[97 if i == 0 else 255 + i] * 2 for i in range(9)], "a piece of 256 bytes"),
    (merges_of(zip(["<", "<e", "<eo", "<eos"], "eos>", strict=True)), "makes the piece <eos>"),
])
def test_merges_that_are_none_are_refused(merges, rule):
    with pytest.raises(ValueError, match=rule):
        Subwords(np.array(merges))


def test_too_many_merges_are_refused_before_they_are_read(monkeypatch):
    monkeypatch.setattr("rnnlm.text.subwords.pieces.MOST_MERGES", 1)
    with pytest.raises(ValueError, match="at most 1, got 2"):
        Subwords(np.array([[97, 98], [1, 2]]))


def test_pieces_may_not_become_too_long_together(monkeypatch):
    monkeypatch.setattr("rnnlm.text.subwords.pieces.MOST_BYTES", 258)
    with pytest.raises(ValueError, match="merge 1 makes a piece of 2 bytes, all pieces together 260"):
        Subwords(np.array([[97, 98], [1, 2]]))


def test_text_that_is_no_text_is_refused_in_one_line(subwords):
    with pytest.raises(ArgumentError, match=r"must be text that UTF-8 can encode, .* '\\ud800'$"):
        subwords.split("a \ud800\n")
    assert subwords.split("the\n")  # what was met is not in the dictionary
    with pytest.raises(ArgumentError, match="a token must be a piece"):
        list(subwords.join(["no such piece"]))


def test_without_the_library_a_line_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(RnnlmError, match=r"pip install 'numpy-rnnlm\[subword\]'$"):
        Subwords.train([TEXT])
    subwords = Subwords(ANY.merges)
    assert "".join(subwords.join(["t", "h"])) == "th"  # for writing it is not needed
    with pytest.raises(RnnlmError, match=r"numpy-rnnlm\[subword\]"):
        subwords.split(TEXT)


@pytest.mark.parametrize("size", [256, 1 << 21, 300.0])
def test_a_size_that_cannot_be_is_refused(size):
    with pytest.raises(ArgumentError, match="vocab_size must be"):
        Subwords.train([TEXT], size)


def test_very_long_words_are_learned_from_in_parts(monkeypatch):
    given = []
    monkeypatch.setattr(byte_level, "train",
                        lambda lines, pieces: given.extend(lines) or np.zeros((0, 2), np.int32))
    Subwords.train([f"the cat {'ab' * 5000} sat\nthe mat\n{'x' * 3000}"])
    assert max(map(len, given)) == byte_level.LONGEST_CHUNK
    assert "".join(given) == f"the cat {'ab' * 5000} satthe mat{'x' * 3000}"
    assert given[0] == "the cat" and "the mat" in given and " sat" in given


def test_the_pieces_of_a_very_long_word_are_those_of_its_parts():
    assert {"ab", "abab"} < set(Subwords.train(["ab" * 5000], 260).tokens)
