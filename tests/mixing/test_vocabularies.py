"""Other vocabularies: what an n-gram model says of words that only one of two has."""

import numpy as np
import pytest
from mixing_models import a_bigram_model, a_network

from rnnlm.errors import ArgumentError
from rnnlm.mixing.mapped import Mapped
from rnnlm.mixing.vocabularies import on_vocabulary
from rnnlm.ngrams.ngram_model import NgramModel
from rnnlm.ngrams.tables import Order, Tables
from rnnlm.scoring.evaluation import token_log_probs
from rnnlm.scoring.words import sequence_scores
from rnnlm.text.vocabulary import Vocabulary

OWN = ["<eos>", "<unk>", "a", "b", "c", "d"]


def probs_by_hand(own_words, words, history):
    """p of each word after a word, shared out as docs/mixing.md says."""
    model, own = a_bigram_model(own_words)
    known = history if history in own.ids else "<unk>"
    with model.fresh_state():
        whole = np.exp(np.float64(model.predict(np.array([[own.ids[known]]]))[0, 0]))
    p = dict(zip(own_words, whole, strict=True))
    sharing = [word for word in words if word not in own_words or word == "<unk>"]
    found = {word: p[word] for word in words if word in p and word != "<unk>"}
    found |= {word: p["<unk>"] / len(sharing) for word in sharing}
    if "<unk>" in words:
        found["<unk>"] += sum(p[word] for word in own_words if word not in words)
    return [found[word] for word in words]


@pytest.mark.parametrize("history", ["<eos>", "a", "x", "<unk>"])
@pytest.mark.parametrize("words", [
    ["<eos>", "<unk>", "a", "b", "c", "d", "x", "y"],  # more
    ["<unk>", "c", "<eos>", "a", "x"],                 # some of them, in another order, and another one
    ["b", "<eos>", "<unk>", "a"],                      # fewer
])
def test_everything_sums_to_1_with_unk(words, history):
    if history not in words:
        return
    model, own = a_bigram_model(OWN)
    vocabulary = Vocabulary(words)
    mapped = Mapped(model, own, vocabulary)
    xs = np.array([[vocabulary.ids[history]]])
    whole = np.exp(mapped.predict(xs)[0, 0])
    assert whole.sum() == pytest.approx(1, abs=1e-6)
    assert whole == pytest.approx(probs_by_hand(OWN, words, history), rel=1e-5)
    mapped.forget()
    assert np.exp(mapped.predict_last(xs))[0] == pytest.approx(whole)
    for i in range(len(words)):
        mapped.forget()
        assert np.exp(mapped.log_probs(xs, np.array([[i]])))[0, 0] == pytest.approx(whole[i], rel=1e-5)


def test_without_unk_in_the_vocabulary_words_of_the_ngram_model_are_left_out():
    model, own = a_bigram_model(OWN)
    mapped = Mapped(model, own, Vocabulary(["a", "<eos>", "b"]))
    with model.fresh_state():
        whole = np.exp(model.predict(np.array([[2]]))[0, 0])
    assert np.exp(mapped.predict(np.array([[0]]))[0, 0]) == pytest.approx(whole[[2, 0, 3]])


def test_without_unk_in_the_ngram_model_further_words_have_no_probability():
    """And after one of them nothing is known of what was read: unigrams are left."""
    words = ["<eos>", "a", "b", "c"]
    model, own = a_bigram_model(words)
    mapped = Mapped(model, own, Vocabulary([*words, "<unk>"]))
    unigrams = np.exp(model.tables.orders[0].log_probs)
    assert np.exp(mapped.predict(np.array([[4]]))[0, 0]) == pytest.approx([*unigrams, 0])
    mapped.forget()
    assert mapped.log_probs(np.array([[1]]), np.array([[4]]))[0, 0] == -np.inf


def test_windows_and_streams_change_nothing(rng, monkeypatch):
    """Words that only the n-gram model has are added up some at a time."""
    model, own = a_bigram_model(OWN)
    mapped = Mapped(model, own, Vocabulary(["b", "<eos>", "<unk>", "x"]))
    ids = rng.integers(0, 4, 40)
    whole = token_log_probs(mapped, ids, 1)
    monkeypatch.setattr("rnnlm.mixing.mapped.CELLS", 9)
    np.testing.assert_allclose(token_log_probs(mapped, ids, 1, window=3), whole)
    with mapped.fresh_state():
        rows = mapped.predict(np.concatenate([[1], ids[:-1]])[np.newaxis])[0]
    np.testing.assert_allclose(rows[np.arange(40), ids], whole, rtol=1e-5)
    lengths = np.array([1, 9, 30])
    alone = [token_log_probs(mapped, part, 1) for part in np.split(ids, [1, 10])]
    for details in (False, True):
        found = sequence_scores(mapped, ids, lengths, 1, details=details)
        np.testing.assert_allclose(found.log_probs, np.concatenate(alone), rtol=1e-5)


def test_a_model_of_unigrams_is_mapped_too():
    """It remembers no word at all."""
    own = Vocabulary(OWN)
    probs = np.array([0.1, 0.2, 0.3, 0.15, 0.05, 0.2])
    model = NgramModel(Tables([Order(np.arange(6), np.log(probs).astype(np.float32))]), own)
    mapped = Mapped(model, own, Vocabulary(["<unk>", "a", "<eos>", "x"]))
    expected = [0.2 / 2 + 0.15 + 0.05 + 0.2, 0.3, 0.1, 0.2 / 2]
    assert np.exp(mapped.predict(np.array([[3, 0]])))[0, 1] == pytest.approx(expected)
    assert np.exp(mapped.log_probs(np.array([[0, 3, 1]]), np.array([[0, 3, 0]])))[0] == pytest.approx(
        [expected[0], expected[3], expected[0]])


def test_an_ngram_model_of_the_same_words_needs_nothing():
    model, own = a_bigram_model(OWN)
    assert on_vocabulary(model, own, Vocabulary(OWN), "B") == (model, "")


def test_another_order_of_the_same_words_is_no_other_vocabulary(rng):
    words = [f"w{i}" for i in range(11)] + ["<eos>"]
    order = rng.permutation(12)
    network, other = a_network(0), Vocabulary([words[i] for i in order])
    found, note = on_vocabulary(network, Vocabulary(words), other, "B")
    ids = rng.integers(0, 12, 30)
    np.testing.assert_allclose(token_log_probs(found, ids, other.eos_id),
                               token_log_probs(network, order[ids], 11), rtol=1e-5)
    with found.fresh_state(), network.fresh_state():
        rows = np.exp(found.predict(ids[np.newaxis]))
        assert rows.sum(axis=-1) == pytest.approx(np.ones((1, 30)))
    assert note == ""
    assert found.vocabulary_fingerprint == other.fingerprint()
    model, own = a_bigram_model(words)
    assert on_vocabulary(model, own, other, "B")[1] == ""


@pytest.mark.parametrize(("own", "words", "note"), [
    (OWN, [*OWN, "x"], "1 word (x) only in A: an equal share of the probability of <unk>"),
    (OWN, ["<eos>", "<unk>", "a", "b"], "2 words (c, d) only in B: counted as <unk>"),
    (OWN, ["<eos>", "a", "b", "c"], "2 words (<unk>, d) only in B: left out"),
    (OWN, ["<eos>", "a", "b", "c", "x"], "1 word (x) only in A: an equal share of the probability of <unk>; 1 word (d) "
                                         "only in B: left out"),
    (["<eos>", "a", "b"], ["<eos>", "<unk>", "a", "b", *"qrs"], "4 words (<unk>, q, r, ...) only in A: probability 0"),
    (["<eos>", "a", "b", "\x1b[2J"], ["<eos>", "<unk>", "a", "b"], "1 word (\\x1b[2J) only in B: counted as <unk>"),
])
def test_the_note_says_what_becomes_of_words(own, words, note):
    _, found = on_vocabulary(*a_bigram_model(own), Vocabulary(words), "B", "A")
    assert found == f"note: B and A have different vocabularies: {note}"


@pytest.mark.parametrize(("own", "words", "message"), [
    (Vocabulary(["<eos>", "a", "b"]), Vocabulary(["<eos>", "a", "c", "d"]),
     r"A has 2 words \(c, d\) that B lacks, and lacks 1 word \(b\); train both with one vocabulary"),
    (Vocabulary(["<eos>", "a"]), Vocabulary(["<eos>", "a", "c"]), r"1 word \(c\) that B lacks, and lacks no word"),
    (Vocabulary(["<eos>", "a"], "char"), Vocabulary(["<eos>", "a"]), "A reads words, B reads characters"),
])
def test_networks_of_other_words_are_refused(own, words, message):
    with pytest.raises(ArgumentError, match=message):
        on_vocabulary(a_network(0), own, words, "B", "A")


def test_an_ngram_model_without_a_common_word_is_refused():
    with pytest.raises(ArgumentError, match="B has no word of the vocabulary of A: give an n-gram model of the same "):
        on_vocabulary(*a_bigram_model(OWN), Vocabulary(["<eos>", "<unk>", "x", "y"]), "B", "A")
