import math

import numpy as np
import pytest

from rnnlm.errors import ArgumentError, RnnlmError
from rnnlm.models import LanguageModel
from rnnlm.models.cells import CELLS
from rnnlm.scoring.nbest import combined, rescore, score_texts
from rnnlm.scoring.nbest_rows import FORMS, HEADING, rows
from rnnlm.text.nbest_files import Hypothesis, NBestList, read_nbest
from rnnlm.text.vocabulary import Vocabulary

WORDS = Vocabulary(["<eos>", "a", "b", "c"])
PROBS = [1 / 2, 1 / 4, 1 / 8, 1 / 8]


class Known:
    """A predictor of the same known probabilities everywhere; it counts words."""

    def __init__(self, probs=PROBS):
        self.logs, self.scored = np.log(probs), 0

    def log_probs(self, xs, ts):
        self.scored += ts.size
        return self.logs[ts]

    def fresh_state(self):
        from contextlib import nullcontext

        return nullcontext()


def a_list(utterance, *texts, first_pass=None, new_conversation=False):
    given = first_pass or [None] * len(texts)
    return NBestList(utterance, 0, new_conversation, [
        Hypothesis(text, 0, str(i + 1), score) for i, (text, score) in enumerate(zip(texts, given, strict=True))])


def given_scores(one):
    return np.array([hypothesis.first_pass for hypothesis in one.hypotheses])


def a_model(rng, words=WORDS, **options):
    model = LanguageModel(len(words), 5, 6, rng=rng, **options)
    for param in model.params:
        param += 0.5 * rng.standard_normal(param.shape).astype(np.float32)
    return model


def independent_log_probs(model, words, text, before=()):
    """ln p of a text's words and its end, in float64, word by word; one tanh layer.

    before : texts that were read before, each with the <eos> after it.
    """
    p = {name: param.astype(np.float64) for name, param in model.named_params().items()}
    tokens = [token for line in [*before, text] for token in [*line.split(), "<eos>"]]
    h, previous, found = np.zeros(p["rnn1/b"].size), 0, []
    for token in tokens:
        h = np.tanh(p["embedding/W"][previous] @ p["rnn1/Wx"] + h @ p["rnn1/Wh"] + p["rnn1/b"])
        scores = h @ p["affine/W"] + p["affine/b"]
        previous = words.ids[token]
        found.append(scores[previous] - math.log(np.exp(scores).sum()))
    return found[len(found) - len(text.split()) - 1 :]


def test_a_text_scores_its_words_and_its_end():
    found = score_texts(Known(), WORDS, ["a b", "", "c c c"])
    np.testing.assert_allclose(np.exp(found.log_probs), [1 / 64, 1 / 2, 1 / 1024])
    assert [np.exp(log_probs).round(8).tolist() for log_probs in found.word_log_probs] == [
        [0.25, 0.125, 0.5], [0.5], [0.125, 0.125, 0.125, 0.5]]
    assert (found.words.tolist(), found.unknown.tolist()) == ([2, 0, 3], [0, 0, 0])


def test_unknown_words_are_left_out_or_read_as_unk():
    found = score_texts(Known(), WORDS, ["x", "a x", "x x a"])
    np.testing.assert_allclose(np.exp(found.log_probs), [1 / 2, 1 / 8, 1 / 8])
    assert found.word_log_probs[1].tolist() == [math.log(0.25), 0, math.log(0.5)]
    assert found.unknown.tolist() == [1, 1, 2]
    with_unk = score_texts(Known(), Vocabulary(["<eos>", "<unk>", "b", "c"]), ["x", "<unk>", "b x"])
    np.testing.assert_allclose(np.exp(with_unk.log_probs), [1 / 8, 1 / 8, 1 / 64])
    assert with_unk.unknown.tolist() == [1, 0, 1]


def test_a_text_that_comes_twice_is_scored_once():
    model = Known()
    found = score_texts(model, WORDS, ["a b", "a b", "c c", "a b"])
    assert model.scored == 3 + 3
    assert found.log_probs[[0, 1, 3]].tolist() == [found.log_probs[0]] * 3


def test_characters_are_summed_to_words_with_the_blank_after_them():
    vocabulary = Vocabulary(["<eos>", "a", "b", " "], "char")
    found = score_texts(Known(), vocabulary, ["ab b", "", "axb bx"])
    assert [np.exp(log_probs).round(8).tolist() for log_probs in found.word_log_probs] == [
        [1 / 256, 1 / 8, 1 / 2], [1 / 2], [1 / 256, 1 / 8, 1 / 2]]
    assert (found.words.tolist(), found.unknown.tolist()) == ([2, 0, 2], [0, 0, 2])


def test_what_is_no_line_is_refused():
    for text in ("a\nb", "a <eos>"):
        with pytest.raises(ArgumentError, match="texts must be single lines without the word <eos>"):
            score_texts(Known(), WORDS, ["b", text])
    with pytest.raises(RnnlmError, match="its scores are not finite"):
        score_texts(Known([1, np.nan, 1, 1]), WORDS, ["a"])


@pytest.mark.parametrize("cell", CELLS)
def test_hypotheses_score_what_they_score_alone(cell, rng, monkeypatch):
    monkeypatch.setattr("rnnlm.scoring.nbest.BLOCK", 10)
    model = a_model(rng, cell=cell, layers=2)
    lists = [a_list(f"u{i}", *(" ".join(rng.choice(["a", "b", "c"], rng.integers(0, 9))) for _ in range(4)))
             for i in range(6)]
    for found in rescore(model, WORDS, lists):
        alone = [score_texts(model, WORDS, [hypothesis.text]).log_probs[0] for hypothesis in found.source.hypotheses]
        np.testing.assert_allclose(found.scores.log_probs, alone, atol=1e-5)


def test_log_probs_are_those_of_an_independent_computation(rng):
    model, texts = a_model(rng), ["a b c", "c c", "", "b a a a b"]
    found = score_texts(model, WORDS, texts)
    for text, log_probs in zip(texts, found.word_log_probs, strict=True):
        np.testing.assert_allclose(log_probs, independent_log_probs(model, WORDS, text), atol=1e-5)


def test_totals_weigh_first_pass_model_and_words():
    lists = [a_list("u", "a", "a b", "", first_pass=[1.0, 4.0, 0.5])]
    (found,) = rescore(Known(), WORDS, lists, given_scores, scale=2, word_penalty=0.25)
    expected = [1 + 2 * math.log(1 / 8) - 0.25, 4 + 2 * math.log(1 / 64) - 0.5, 0.5 + 2 * math.log(1 / 2)]
    np.testing.assert_allclose(found.totals, expected)
    assert (found.order.tolist(), found.best) == ([2, 0, 1], 2)
    np.testing.assert_allclose(combined(None, np.array([-1.0]), np.array([2]), 3, 1), [-5])


def test_of_equal_totals_the_first_is_the_best():
    (found,) = rescore(Known(), WORDS, [a_list("u", "a b", "b", "c", "b")])
    assert (found.order.tolist(), found.best) == ([1, 2, 3, 0], 1)


def test_lists_are_scored_in_blocks_as_they_come(monkeypatch):
    monkeypatch.setattr("rnnlm.scoring.nbest.BLOCK", 8)
    asked = []
    lists = (asked.append(i) or a_list(str(i), "a b", "c") for i in range(7))
    found = rescore(Known(), WORDS, lists)
    assert (next(found).source.utterance, asked) == ("0", [0, 1])  # 5 words each, the ends included
    assert [one.source.utterance for one in found] == list("123456")


@pytest.mark.parametrize("first_pass", [None, given_scores])
def test_carried_states_are_those_of_the_best_hypotheses_read_as_one_text(rng, first_pass):
    model = a_model(rng)
    lists = [a_list("u1", "a b", "c", "", first_pass=[0.0, -1.0, 2.0]),
             a_list("u2", "", "b b", first_pass=[0.0, 9.0]),
             a_list("u3", "c a", "a", first_pass=[0.0, 1.0]),
             a_list("u4", "c a", "b", first_pass=[0.0, 1.0], new_conversation=True),
             a_list("u5", "a b c", first_pass=[0.0])]
    before = []
    for found in rescore(model, WORDS, lists, first_pass, scale=0.5, carry=True):
        if found.source.new_conversation:
            before = []
        expected = [independent_log_probs(model, WORDS, h.text, before) for h in found.source.hypotheses]
        for log_probs, right in zip(found.scores.word_log_probs, expected, strict=True):
            np.testing.assert_allclose(log_probs, right, atol=1e-5)
        before.append(found.source.hypotheses[found.best].text)
    assert len(before) == 2


def test_carried_texts_have_what_one_stream_has(rng):
    from rnnlm.scoring.evaluation import token_log_probs

    model, texts = a_model(rng, cell="lstm", layers=2), ["a b", "", "c c a", "b"]
    found = list(rescore(model, WORDS, [a_list(str(i), text) for i, text in enumerate(texts)], carry=True))
    ids = [WORDS.ids[token] for text in texts for token in [*text.split(), "<eos>"]]
    np.testing.assert_allclose(np.concatenate([one.scores.word_log_probs[0] for one in found]),
                               token_log_probs(model, ids, 0), atol=1e-5)


def one_rescored(*texts, **options):
    (found,) = rescore(Known(), WORDS, [a_list("u", *texts, **options)], given_scores if options else None)
    return found


def test_rows_of_every_form():
    found = one_rescored("a b", "", "x")
    assert list(rows(found, "classic")) == ["-1.806180", "-0.301030", "-0.301030"]  # log10 of 1 / 64 and 1 / 2
    assert list(rows(found, "kaldi")) == ["u-1 1.3863 2.0794 0.6931 ", "u-2 0.6931 ", "u-3 0.0000 0.6931 "]
    assert list(rows(found, "kaldi", best=True)) == ["u-2 0.6931 "]
    assert [dict(zip(HEADING.split("\t"), row.split("\t"), strict=True)) for row in rows(found, "tsv", best=True)] == [
        {"utterance": "u", "hypothesis": "2", "rank": "1", "words": "0", "unknown": "0", "log_prob": "-0.693147",
         "first_pass": "NA", "total": "-0.693147", "text": ""}]
    assert [row.split("\t")[2] for row in rows(found, "tsv")] == ["3", "1", "2"]
    with_first = list(rows(one_rescored("a", "b", first_pass=[0.0, 5.0]), "tsv"))
    assert with_first[1].split("\t") == ["u", "2", "1", "1", "0", "-2.772589", "5.000000", "2.227411", "b"]


def test_a_line_of_moses_gets_a_feature_and_stays_as_it_is(tmp_path):
    lines = ["0 ||| a b ||| D= 0 LM= -2.5 ||| -3.25 ||| 0-0", "0 ||| a ||| -1.5 -2 ||| -3", "0 |||  |||  ||| 1e1"]
    (tmp_path / "lists").write_text("\n".join(lines))
    (found,) = rescore(Known(), WORDS, read_nbest(tmp_path / "lists", "moses", WORDS))
    assert list(rows(found, "moses")) == [
        "0 ||| a b ||| D= 0 LM= -2.5 rnnlm= -4.158883 ||| -3.25 ||| 0-0",
        "0 ||| a ||| -1.5 -2 -2.079442 ||| -3", "0 |||  ||| rnnlm= -0.693147 ||| 1e1"]
    (tmp_path / "again").write_text("\n".join(rows(found, "moses")))
    (again,) = read_nbest(tmp_path / "again", "moses", WORDS)
    assert [h.text for h in again.hypotheses] == ["a b", "a", ""]


def test_every_form_of_output_is_tested():
    assert set(FORMS) == {"tsv", "classic", "kaldi", "moses"}
