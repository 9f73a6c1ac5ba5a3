import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.errors import RnnlmError
from rnnlm.text.noising import Noising
from rnnlm.text.tokenizer import CHARACTERS
from rnnlm.text.vocabulary import UNKNOWN, Vocabulary, occurrences


def test_order_is_by_frequency_then_first_appearance():
    vocabulary = Vocabulary.from_counts({"b": 2, "<eos>": 3, "a": 2, "c": 9})
    assert vocabulary.words == ["c", "<eos>", "b", "a"]
    assert vocabulary.unk_id is None


def test_rare_words_become_unk_which_takes_their_counts_and_first_place():
    vocabulary = Vocabulary.from_counts({"x": 1, "a": 2, "<eos>": 3, "y": 1}, min_count=2)
    assert vocabulary.words == ["<eos>", "<unk>", "a"]  # <unk>: 2, and x stood before a


def test_the_largest_vocabulary_keeps_the_most_frequent_words():
    counts = {"a": 5, "b": 4, "c": 4, "d": 1, "<eos>": 2}
    assert Vocabulary.from_counts(counts, max_size=4).words == ["a", "<unk>", "b", "<eos>"]  # <unk>: 4 + 1, b: 4
    assert Vocabulary.from_counts(counts, max_size=5).unk_id is None  # all fit
    assert len(Vocabulary.from_counts(counts, min_count=2, max_size=4)) == 4  # <unk> takes one of the places


def test_unk_of_the_text_is_a_word_and_takes_more_counts():
    vocabulary = Vocabulary.from_counts({"a": 5, "<unk>": 3, "b": 1, "c": 2, "<eos>": 4}, max_size=3)
    assert vocabulary.words == ["<unk>", "a", "<eos>"]


@settings(deadline=None)
@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(1, 20)),
       st.integers(1, 5), st.integers(3, 9))
def test_limits_always_hold_and_no_count_is_lost(counts, min_count, max_size):
    vocabulary = Vocabulary.from_counts(counts | {"<eos>": 1}, min_count=min_count, max_size=max_size)
    assert len(vocabulary) <= max_size
    gone = counts.keys() - vocabulary.ids.keys()
    assert (vocabulary.unk_id is not None) == bool(gone)
    kept = [counts[word] for word in vocabulary.words if word in counts]
    assert kept == sorted(kept, reverse=True)
    assert all(count >= min_count for count in kept)
    if len(vocabulary) < max_size:  # nothing was dropped for want of room
        assert all(counts[word] < min_count for word in gone)


def test_counts_are_those_of_the_words_that_are_kept():
    vocabulary = Vocabulary.from_counts({"x": 1, "a": 2, "<eos>": 3, "y": 1}, min_count=2)
    assert vocabulary.words == ["<eos>", "<unk>", "a"]
    assert vocabulary.counts.tolist() == [3, 2, 2]
    assert vocabulary.counts.dtype == np.int64
    assert Vocabulary(["<eos>", "a"]).counts is None
    assert Vocabulary(["<eos>", "a"], counts=np.array([3, 0], np.uint8)).counts.tolist() == [3, 0]


@pytest.mark.parametrize("counts", [[1], [1, 2, 3], [1, -1], [1.0, 2.0], [[1, 2]], "ab", [1, None], 7, [True, False]])
def test_counts_are_whole_numbers_one_a_word(counts):
    with pytest.raises(RnnlmError, match=r"^counts must be whole numbers of at least 0, one for each of the 2 words"):
        Vocabulary(["<eos>", "a"], counts=counts)


@settings(deadline=None)
@given(st.lists(st.text(st.characters(blacklist_categories=["Cs"]), min_size=1), unique=True), st.data())
def test_encode_and_decode_are_inverse(words, data):
    vocabulary = Vocabulary(["<eos>", *(word for word in words if word not in ("<eos>", "\n"))])
    ids = data.draw(st.lists(st.integers(0, len(vocabulary) - 1)))
    np.testing.assert_array_equal(vocabulary.encode(vocabulary.decode(ids)), np.array(ids, dtype=np.int32))


def test_an_unknown_word_is_no_error():
    vocabulary = Vocabulary(["<eos>", "a"])
    assert vocabulary.encode(["a", "b", "\n", "<unk>"]).tolist() == [1, UNKNOWN, 0, UNKNOWN]


def test_the_letters_of_a_special_token_are_characters_like_others():
    vocabulary = Vocabulary(["<eos>", "<unk>", *"<>eosunk"], level="char")
    ids = vocabulary.encode(CHARACTERS.split("<eos><unk>\n"))
    assert ids.min() == 0 == ids[-1]
    assert 1 not in ids
    assert UNKNOWN not in ids


@pytest.mark.parametrize(("words", "message"), [(["a", "a", "<eos>"], "each word once"), (["a"], "must hold <eos>")])
def test_what_is_no_vocabulary_is_refused(words, message):
    with pytest.raises(RnnlmError, match=message):
        Vocabulary(words)


def test_occurrences_are_counted_in_pieces_of_the_text(monkeypatch):
    monkeypatch.setattr("rnnlm.text.vocabulary.CHUNK", 4)
    ids = np.array([3, 1, 1, 0, 3, 3, 0, 3, 1], np.int32)
    np.testing.assert_array_equal(occurrences(ids, 5), [2, 3, 0, 4, 0])


def test_a_long_text_is_not_copied_to_be_counted(monkeypatch):
    import tracemalloc

    ids = np.zeros(8_000_000, np.int32)
    monkeypatch.setattr("rnnlm.text.vocabulary.CHUNK", 100_000)
    monkeypatch.setattr("rnnlm.text.noising.CHUNK", 100_000)
    tracemalloc.start()
    try:
        Noising(ids, 3, 0.5)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def test_an_unknown_word_does_not_come_back_as_another_one():
    with_unk, without = Vocabulary(["<eos>", "danced", "<unk>"]), Vocabulary(["<eos>", "danced"])
    assert with_unk.decode(with_unk.encode(["danced", "zebra", "\n"])) == ["danced", "<unk>", "\n"]
    with pytest.raises(RnnlmError, match=r"^ids must be from 0 to 1, got -1 \(-1 is a word outside the vocabulary, and "
                                         "this one has no <unk>\\)$"):
        without.decode(without.encode(["zebra"]))


@pytest.mark.parametrize(("ids", "message"), [
    ([3], "ids must be from 0 to 2, got 3"), ([-2], "ids must be from 0 to 2, got -2"),
    (np.array([0, 99]), "ids must be from 0 to 2, got 99"), ([1.0], "an id must be a whole number, got 1.0"),
    ([[0, 1]], "an id must be a whole number, got a list"), (2, "ids must be a list of ids, got 2"),
    (np.array([[0, 1]]), r"an id must be a whole number, got an array of int64, of shape \(2,\)"),
    ("the", "ids must be a list of ids, got 'the'")])
def test_what_is_no_id_of_the_vocabulary_is_not_decoded(ids, message):
    with pytest.raises(RnnlmError, match=f"^{message}$"):
        Vocabulary(["<eos>", "danced", "<unk>"]).decode(ids)


@pytest.mark.parametrize(("tokens", "message"), [
    ("the license", r"tokens must be a list of words, got the string 'the license': split it first, as in "
                    r"encode\(text.split\(\)\)"),
    (b"the", "a token must be a string, got 116"), ([1, 2], "a token must be a string, got 1"),
    ([["the"]], "tokens must be a list of strings, one a token, got a list"),
    (None, "tokens must be a list of strings, one a token, got None"), (["the", None], "a token must be a .*")])
def test_what_is_no_list_of_words_is_not_encoded_letter_by_letter(tokens, message):
    with pytest.raises(RnnlmError, match=f"^{message}$"):
        Vocabulary(["<eos>", "the"]).encode(tokens)


def test_a_string_is_a_list_of_characters():
    assert Vocabulary(["<eos>", "a", "b"], "char").encode("ab\nz").tolist() == [1, 2, 0, UNKNOWN]


@pytest.mark.parametrize(("words", "level", "message"), [
    ("a <eos>", "word", "words must be a list of strings, got 'a <eos>'"), (7, "word", "words must be a .*, got 7"),
    ([b"a", "<eos>"], "word", "words must be a list of strings, got a list with values of type bytes"),
    (["<eos>"], "words", "level must be one of word, char, got 'words': did you mean word\\?")])
def test_what_is_no_list_of_words_is_no_vocabulary(words, level, message):
    with pytest.raises(RnnlmError, match=f"^{message}$"):
        Vocabulary(words, level)


def test_a_fingerprint_tells_what_ids_mean():
    vocabulary = Vocabulary(["<eos>", "a", "b"])
    assert vocabulary.fingerprint() == Vocabulary(("<eos>", "a", "b")).fingerprint()
    others = [Vocabulary(["<eos>", "b", "a"]), Vocabulary(["<eos>", "ab"]), Vocabulary(["<eos>", "a", "b"], "char")]
    assert len({other.fingerprint() for other in [vocabulary, *others]}) == 4


def test_a_vocabulary_that_was_pickled_before_there_were_tokenizers_is_read():
    state = vars(Vocabulary(["<eos>", "a"], "char")).copy()
    del state["tokenizer"]
    old = Vocabulary.__new__(Vocabulary)
    old.__setstate__(state | {"level": "char"})
    assert old.tokenizer == CHARACTERS
    assert old.fingerprint() == pickle.loads(pickle.dumps(old)).fingerprint()
    assert old.fingerprint() == Vocabulary(["<eos>", "a"], "char").fingerprint()
