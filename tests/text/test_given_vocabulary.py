"""A corpus that is read with a vocabulary which exists already."""

import numpy as np
import pytest

from rnnlm.errors import ArgumentError, RnnlmError
from rnnlm.text.corpus import load_corpus
from rnnlm.text.vocabulary import Vocabulary

OLD = Vocabulary(["the", "<unk>", "<eos>", "cat"], counts=[9, 5, 4, 2])
COUNTS = {"a": 3, "the": 5, "dog": 3, "<eos>": 4, "ran": 1, "cat": 1, "far": 4}


@pytest.mark.parametrize(("min_count", "max_size", "new"), [
    (1, None, ["far", "a", "dog", "ran"]), (2, None, ["far", "a", "dog"]), (1, 6, ["far", "a"]), (4, None, ["far"]),
    (9, None, []), (1, 4, []), (1, 3, [])])
def test_new_words_come_at_the_end_the_most_frequent_first(min_count, max_size, new):
    extended = OLD.extended(COUNTS, min_count, max_size)
    assert extended.words == OLD.words + new
    assert extended.counts.tolist() == [9, 5, 4, 2] + [0] * len(new)
    assert OLD.words == ["the", "<unk>", "<eos>", "cat"]


@pytest.mark.parametrize(("counts", "min_count", "max_size", "new"), [
    (COUNTS, 1, None, ["far", "a", "dog", "ran"]), (COUNTS, 2, None, ["<unk>", "far", "a", "dog"]),
    (COUNTS, 1, 5, ["<unk>", "far"]), (COUNTS, 1, 4, ["<unk>"]), (COUNTS, 1, 3, []),
    ({"the": 3, "<unk>": 1, "a": 1}, 1, None, ["<unk>", "a"]), ({"the": 3, "<unk>": 1, "a": 1}, 2, None, ["<unk>"])])
def test_unk_is_added_where_words_are_left_out(counts, min_count, max_size, new):
    old = Vocabulary(["the", "<eos>", "cat"])
    extended = old.extended(counts, min_count, max_size)
    assert (extended.words, extended.counts) == (["the", "<eos>", "cat", *new], None)


def test_counts_of_two_texts_add_up():
    assert OLD.counting(np.array([1, 0, 2, 0])).counts.tolist() == [10, 5, 6, 2]
    assert Vocabulary(["the", "<eos>"]).counting(np.array([1, 0])).counts is None


@pytest.fixture
def corpus(tmp_path):
    (tmp_path / "train.txt").write_text("the cat saw the dog\na dog saw a bird\n")
    (tmp_path / "valid.txt").write_text("the bird\n")
    (tmp_path / "test.txt").write_text("a fish\n")
    return lambda *args, **options: load_corpus(tmp_path, *args, **options)


def test_texts_are_read_with_the_vocabulary_that_is_given(corpus):
    read = corpus("char", vocabulary=OLD)  # which is of words
    assert read.vocabulary is OLD
    assert read.train.tolist() == [0, 3, 1, 0, 1, 2, 1, 1, 1, 1, 1, 2]
    assert (read.valid.ids.tolist(), read.test.ids.tolist()) == ([0, 1, 2], [1, 1, 2])
    assert ("the model's vocabulary of 4 lacks 4 of the 6 different words of the training text, 70.0 % of its 10 "
            "words: read as <unk>; --extend-vocab adds them") in read.notes


def test_its_new_words_are_added(corpus):
    read = corpus(min_count=2, vocabulary=OLD, extend=True)
    assert read.vocabulary.words == [*OLD.words, "saw", "dog", "a"]
    assert read.train.tolist() == [0, 3, 4, 0, 5, 2, 6, 5, 4, 6, 1, 2]
    assert ("the model's vocabulary of 4 lacks 4 of the 6 different words of the training text, 70.0 % of its 10 "
            "words: 3 are added, the others, 10.0 %, are read as <unk>") in read.notes
    again = corpus(vocabulary=read.vocabulary)
    assert again.fingerprint() == read.fingerprint() != corpus().fingerprint()
    whole = corpus(min_count=1, vocabulary=OLD, extend=True)
    assert whole.vocabulary.words == [*OLD.words, "saw", "dog", "a", "bird"]
    assert any(line.endswith("words: 4 are added") for line in whole.notes)


def test_a_text_of_known_words(corpus):
    known = corpus().vocabulary
    assert known.unk_id is not None
    words = Vocabulary(["bird", "a", "saw", "dog", "the", "cat", "<eos>"])
    read = corpus(vocabulary=words, extend=True)
    assert read.vocabulary.words == words.words
    assert "the model's vocabulary of 7 has all 6 different words of the training text" in read.notes
    assert read.test.oov == 1  # left out, and noted
    assert "1 of the 2 words in the test text is not in the vocabulary: left out" in read.notes


@pytest.mark.parametrize(("options", "message"), [
    ({}, r"the model's vocabulary of 3 has no <unk>, and lacks 4 of the 6 words of the training text, such as 'saw': "
         "add them with --extend-vocab"),
    ({"extend": True, "max_vocab": 3}, "such as 'saw': give a larger --max-vocab"),
    ({"extend": True, "max_vocab": 4, "vocabulary": Vocabulary(["a", "b", "c", "d", "<eos>"])},
     "max_vocab must be at least 5, because the model keeps its words, got 4")])
def test_a_training_word_that_cannot_be_read_is_refused(corpus, options, message):
    with pytest.raises(RnnlmError, match=message):
        corpus(**{"vocabulary": Vocabulary(["the", "<eos>", "cat"]), **options})


def test_characters_are_added_all(corpus, tmp_path):
    old = Vocabulary([*"the ca", "<eos>"], "char")
    with pytest.raises(RnnlmError, match="lacks 8 of the 14 characters of the training text, such as 's'"):
        corpus(vocabulary=old)
    read = corpus(vocabulary=old, extend=True)
    assert read.vocabulary.words[:7] == old.words
    assert "".join(read.vocabulary.decode(read.train)) == (tmp_path / "train.txt").read_text()


def test_what_is_no_vocabulary_is_refused(corpus):
    with pytest.raises(ArgumentError, match="vocabulary must be a Vocabulary"):
        corpus(vocabulary=["the", "<eos>"])


def test_many_unknown_words_are_to_be_added(corpus):
    assert any(line == "70 % of the training text's words became <unk>, which is easy to predict: add them with "
               "--extend-vocab" for line in corpus(vocabulary=OLD).notes)
    assert any("give more text, a lower --min-count" in line for line in
               corpus(min_count=9, vocabulary=OLD, extend=True).notes)
