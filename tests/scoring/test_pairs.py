"""Minimal pairs: scores against those of each sentence alone, and what is counted."""

import numpy as np
import pytest

from rnnlm.errors import RnnlmError
from rnnlm.models import LanguageModel
from rnnlm.scoring.evaluation import token_log_probs
from rnnlm.scoring.pairs import score_pairs
from rnnlm.scoring.words import sequence_scores
from rnnlm.text.pairs_files import Pair
from rnnlm.text.vocabulary import Vocabulary

WORDS = ["<eos>", "<unk>", "the", "dog", "dogs", "bark", "barks", "n't", "do", "loudly"]
PAIRS = [
    Pair("the dog barks", "the dog bark", "number", "agreement", "syntax", "the dog", "barks", "bark"),
    Pair("the dogs bark loudly", "the dogs barks loudly", "number", "agreement", "syntax", "the dogs", "bark", "barks"),
    Pair("bark the dog", "the bark dog", "order", "order", "syntax"),
    Pair("the zebra barks", "the tiger barks", "animal", None, "semantics", "the", "zebra", "tiger"),
    Pair("dogs bark", "zebras bark", "animal", None, "semantics", "", "dogs", "zebras"),
    Pair("the dogs bark", "the dogs bark", "animal", None, "semantics"),
]


def a_model(words=WORDS, seed=3):
    model = LanguageModel(len(words), 5, 6, layers=2, rng=np.random.default_rng(seed))
    rng = np.random.default_rng(seed)
    for param in model.params:  # away from the near-uniform start
        param += 0.5 * rng.standard_normal(param.shape).astype(np.float32)
    return model


def alone(model, vocabulary, words):
    """ln p of each word of a sentence alone, and of its end."""
    ids = [vocabulary.ids.get(word, vocabulary.unk_id) for word in words]
    return token_log_probs(model, [*ids, vocabulary.eos_id], vocabulary.eos_id)


@pytest.mark.parametrize("with_end", [True, False])
def test_each_sentence_scores_what_it_scores_alone(with_end, monkeypatch):
    monkeypatch.setattr("rnnlm.scoring.pairs.CHUNK", 7)  # several batches
    model, vocabulary = a_model(), Vocabulary(WORDS)
    scores = score_pairs(model, vocabulary, PAIRS, with_end=with_end)
    sums = [[alone(model, vocabulary, sentence.split())[: None if with_end else -1].sum()
             for sentence in (pair.good, pair.bad)] for pair in PAIRS]
    np.testing.assert_allclose(scores.sentence.log_probs, sums, atol=1e-5)
    np.testing.assert_array_equal(scores.sentence.unknown.sum(axis=1), [0, 0, 0, 2, 1, 0])
    assert list(scores.sentence.same_ids) == [False, False, False, True, False, True]
    assert list(scores.sentence.tied) == list(scores.sentence.same_ids)


def test_by_one_prefix_the_next_words_score_alone():
    model, vocabulary = a_model(), Vocabulary(WORDS)
    pairs = [*PAIRS, Pair("the dog do n't bark", "x", prefix="the dog", word_good="do n't", word_bad="bark")]
    found = score_pairs(model, vocabulary, pairs).one_prefix
    expected = [[alone(model, vocabulary, ["the", "dog", word])[2] for word in ("barks", "bark")],
                [alone(model, vocabulary, ["the", "dogs", word])[2] for word in ("bark", "barks")], [np.nan, np.nan],
                [alone(model, vocabulary, ["the", "?"])[1]] * 2,
                [alone(model, vocabulary, [word])[0] for word in ("dogs", "?")], [np.nan, np.nan],
                [alone(model, vocabulary, ["the", "dog", "do", "n't"])[2:4].sum(),
                 alone(model, vocabulary, ["the", "dog", "bark"])[2]]]
    np.testing.assert_allclose(found.log_probs, expected, atol=1e-5)
    assert list(found.scored) == [True, True, False, True, True, False, True]
    assert found.same_ids[3]
    assert found.tied[3]


def test_the_same_ids_are_read_once_and_tie(monkeypatch):
    monkeypatch.setattr("rnnlm.scoring.words.ROWS", 16)
    monkeypatch.setattr("rnnlm.scoring.pairs.CHUNK", 20)
    model, vocabulary, rng = a_model(), Vocabulary(WORDS), np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS[2:6], rng.integers(1, 9))) for _ in range(60)]
    pairs = [Pair(a, b) for a in texts for b in texts[:3]]
    read = []
    monkeypatch.setattr("rnnlm.scoring.pairs.sequence_scores",
                        lambda *args, **options: read.append(sequence_scores(*args, **options)) or read[-1])
    scores = score_pairs(model, vocabulary, pairs).sentence
    np.testing.assert_array_equal(scores.tied, [pair.good == pair.bad for pair in pairs])
    assert sum(len(part.log_probs) for part in read) == sum(len(text.split()) + 1 for text in set(texts))
    np.testing.assert_allclose(scores.log_probs[::3, 0], [alone(model, vocabulary, text.split()).sum()
                                                          for text in texts], atol=1e-5)


def test_what_begins_another_sentence_is_read_with_it(monkeypatch):
    monkeypatch.setattr("rnnlm.scoring.pairs.TEXTS", 3)  # texts in several groups
    read = []
    monkeypatch.setattr("rnnlm.scoring.pairs.sequence_scores", lambda model, ids, *args: read.extend(ids) or
                        sequence_scores(model, ids, *args))
    pairs = [Pair("the dog", "the dog barks"), Pair("the", "the dogs"), Pair("dogs bark", "the dog", prefix="the",
                                                                             word_good="dog", word_bad="dogs")]
    model, vocabulary = a_model(), Vocabulary(WORDS)
    found = score_pairs(model, vocabulary, pairs, with_end=False)
    assert len(read) == len("the dog barks the dogs dogs bark".split())
    for i, pair in enumerate(pairs):
        for j, sentence in enumerate((pair.good, pair.bad)):
            assert found.sentence.log_probs[i, j] == pytest.approx(
                alone(model, vocabulary, sentence.split())[:-1].sum(), abs=1e-5)


@pytest.mark.parametrize(("ties", "worth"), [("wrong", 0), ("right", 1), ("half", 0.5)])
def test_what_is_counted(ties, worth):
    model, vocabulary = a_model(), Vocabulary(WORDS)
    scores = score_pairs(model, vocabulary, PAIRS, ties=ties)
    good, bad = scores.sentence.log_probs.T
    right = [worth if i in (3, 5) else float(good[i] > bad[i]) for i in range(6)]
    numbers = scores.summary()
    by_uid = {"number": (right[0] + right[1]) / 2, "order": right[2], "animal": sum(right[3:]) / 3}
    assert {uid: group["accuracy"] for uid, group in numbers["by_uid"].items()} == pytest.approx(by_uid)
    assert numbers["accuracy"] == scores.accuracy == pytest.approx(sum(by_uid.values()) / 3)  # not over the pairs
    counts = {name: numbers[name] for name in ("pairs", "ties", "same_ids", "with_unknown", "pairs_known")}
    assert counts == {"pairs": 6, "ties": 2, "same_ids": 2, "with_unknown": 2, "pairs_known": 3}
    assert numbers["accuracy_known"] == pytest.approx((by_uid["number"] + by_uid["order"]) / 2)
    assert numbers["by_uid"]["animal"]["accuracy_known"] is None
    assert list(numbers["by_phenomenon"]) == ["agreement", "order"]  # one UID has none
    assert numbers["by_field"]["syntax"]["accuracy"] == pytest.approx((by_uid["number"] + by_uid["order"]) / 2)
    assert numbers["one_prefix"]["pairs"] == 4
    assert numbers["one_prefix"]["ties"] == 1
    assert numbers["by_uid"]["order"]["one_prefix"] is None


def test_the_accuracy_of_models_whose_preference_is_known():
    """A model whose output layer prefers a word, whatever was before."""
    model, vocabulary = a_model(), Vocabulary(WORDS)
    W, b = model.output.params
    W[...], b[...] = 0, 0
    b[vocabulary.ids["dogs"]] = 3
    pairs = [Pair("dogs bark", "dog bark"), Pair("bark", "dogs"), Pair("bark the", "the bark")]
    scores = score_pairs(model, vocabulary, pairs)
    total = np.log(np.exp(3) + len(WORDS) - 1)
    np.testing.assert_allclose(scores.sentence.log_probs[0], [3 - 3 * total, -3 * total], rtol=1e-6)
    assert list(scores.sentence.right()) == [1, 0, 0]
    assert scores.sentence.tied[2]  # equal sums of other ids
    assert not scores.sentence.same_ids[2]


def test_lower_case_and_punctuation():
    model, vocabulary = a_model(), Vocabulary(WORDS)
    pairs = [Pair("The dogs don't bark.", "The dogs don't barks.", prefix="The dogs don't", word_good="bark",
                  word_bad="barks")]
    raw = score_pairs(model, vocabulary, pairs).sentence
    assert (raw.unknown == 3).all()
    assert raw.same_ids[0]  # bark. and barks. are unknown
    found = score_pairs(model, vocabulary, pairs, lowercase=True, split_punctuation=True)
    words = "the dogs do n't bark".split()
    assert not found.sentence.unknown.any()
    assert found.sentence.log_probs[0, 0] == pytest.approx(alone(model, vocabulary, words).sum(), abs=1e-5)
    assert found.one_prefix.log_probs[0, 0] == pytest.approx(alone(model, vocabulary, words)[4], abs=1e-5)
    with pytest.raises(RnnlmError, match=r"pair 1 has a sentence of punctuation alone"):
        score_pairs(model, vocabulary, [Pair("the", "...", line=1)], split_punctuation=True)


def test_a_next_word_of_punctuation_alone_has_no_score():
    pair = Pair("the dog", "the dogs", prefix="the", word_good="...", word_bad="dogs")
    found = score_pairs(a_model(), Vocabulary(WORDS), [pair], split_punctuation=True)
    assert np.isnan(found.one_prefix.log_probs).all()
    assert found.summary()["one_prefix"] is None


def test_without_unk_a_sentence_with_an_unknown_word_is_impossible():
    words = [word for word in WORDS if word != "<unk>"]
    found = score_pairs(a_model(words), Vocabulary(words), PAIRS, ties="half")
    assert list(found.sentence.log_probs[3]) == [-np.inf, -np.inf]
    assert found.sentence.same_ids[3]  # neither word has an id
    assert found.sentence.log_probs[4, 1] == -np.inf < found.sentence.log_probs[4, 0]
    assert list(found.sentence.right("half")[3:]) == [0.5, 1, 0.5]
    assert found.summary()["with_unknown"] == 2
    assert list(found.one_prefix.log_probs[3]) == [-np.inf, -np.inf]
    nothing = score_pairs(a_model(words), Vocabulary(words), [Pair("zebra", "tiger")])
    assert (nothing.sentence.log_probs == -np.inf).all()


def test_models_of_characters():
    model, vocabulary = a_model(["<eos>", "<unk>", *" abcd"]), Vocabulary(["<eos>", "<unk>", *" abcd"], "char")
    pairs = [Pair("ab cd", "ab dx", prefix="ab", word_good="cd", word_bad="dx"),
             Pair("a b", "b b", prefix="", word_good="a", word_bad="b")]
    found = score_pairs(model, vocabulary, pairs)
    log_probs = alone(model, vocabulary, "ab cd")
    assert found.sentence.log_probs[0, 0] == pytest.approx(log_probs.sum(), abs=1e-5)
    assert found.one_prefix.log_probs[0, 0] == pytest.approx(log_probs[2:5].sum(), abs=1e-5)  # with the blank
    assert found.one_prefix.log_probs[1, 0] == pytest.approx(alone(model, vocabulary, "a b")[0], abs=1e-5)
    assert found.sentence.unknown[0, 1] == 1
    with pytest.raises(RnnlmError, match="a model of characters reads punctuation as it is"):
        score_pairs(model, vocabulary, pairs, split_punctuation=True)


@pytest.mark.parametrize("texts", [2, 3, 1000])
def test_what_cannot_be_scored_is_named(texts, monkeypatch):
    monkeypatch.setattr("rnnlm.scoring.pairs.TEXTS", texts)
    model, vocabulary = a_model(), Vocabulary(WORDS)
    for changes in ({"bad": "the <EOS>"}, {"good": "<eos>."}, {"prefix": "<eos>"}, {"word_bad": "the <eos>"}):
        pair = Pair("the dog", "the dogs", prefix="the", word_good="dog", word_bad="dogs", file="f.tsv", line=4)
        with pytest.raises(RnnlmError, match=r"f\.tsv: line 4 holds the word <eos>"):
            score_pairs(model, vocabulary, [*PAIRS, pair._replace(**changes), PAIRS[0]], lowercase=True,
                        split_punctuation=True)
    with pytest.raises(RnnlmError, match="ties must be one of wrong, right, half"):
        score_pairs(model, vocabulary, PAIRS, ties="good")
    for value in (3e38, np.nan):
        model.output.params[1][3] = value  # an infinite distance to the others
        model.output.params[1][4:] = -3e38
        with pytest.raises(RnnlmError, match="gives no probabilities for these pairs"):
            score_pairs(model, vocabulary, PAIRS)


def test_progress_is_told(monkeypatch):
    monkeypatch.setattr("rnnlm.scoring.pairs.CHUNK", 5)
    told = []
    score_pairs(a_model(), Vocabulary(WORDS), PAIRS, on_words=lambda *numbers: told.append(numbers))
    assert len(told) > 2
    assert {sum(count for count, _ in told)} == {total for _, total in told}
