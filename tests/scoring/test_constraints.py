"""What a text may hold, where its lines end, and where it ends itself."""

from types import SimpleNamespace

import numpy as np
import pytest

from rnnlm.errors import RnnlmError
from rnnlm.scoring.constraints import RECENT, Constraints
from rnnlm.scoring.limits import BLANK_LINES, EndlessError, Limits, Progress
from rnnlm.text.tokenizer import Words
from rnnlm.text.vocabulary import UNKNOWN

EOS = 0


def applied(scores, constraints, *texts):
    """The scores (V, n) after the constraints; a text is (its recent ids, Progress)."""
    scores = np.array(scores, dtype=float)
    constraints.apply(scores, [SimpleNamespace(recent=constraints.recent(recent), progress=progress)
                               for recent, progress in texts])
    return scores.T.tolist()


def test_a_penalty_divides_scores_above_zero_and_multiplies_those_below():
    constraints = Constraints(Limits(EOS), 5, repetition_penalty=2.0)
    scores = [[4, 4], [2, 2], [-2, -2], [1, 1], [0, 0]]
    assert applied(scores, constraints, ([1, 2, 4], None), ([3, 3, 3], None)) == [[4, 1, -4, 1, 0], [4, 2, -2, .5, 0]]


def test_an_unknown_word_of_the_prompt_is_no_recent_word():
    assert applied([[8], [8], [8]], Constraints(Limits(EOS), 3, (), 2.0), ([1, UNKNOWN], None)) == [[8, 4, 8]]


def test_a_penalty_is_that_of_the_paper_where_scores_are_above_zero():
    """exp(x_i / (T I)) over their sum (Keskar et al., 2019), with T = 1 and I = 1.2."""
    scores = np.array(applied([[1.2], [2.4], [0.6]], Constraints(Limits(EOS), 3, (), 1.2), ([1], None))[0])
    probs = np.exp(scores) / np.exp(scores).sum()
    np.testing.assert_allclose(probs, np.exp([1.2, 2.0, 0.6]) / np.exp([1.2, 2.0, 0.6]).sum())


def test_a_line_end_is_not_penalised_and_only_the_last_words_are():
    constraints = Constraints(Limits(EOS), 3, (), 2.0)
    assert applied([[8], [8], [8]], constraints, ([EOS, 1, EOS, *[2] * 62], None)) == [[8, 4, 4]]  # 1 is 64 words back
    assert applied([[8], [8], [8]], constraints, ([EOS, 1, EOS, *[2] * 63], None)) == [[8, 8, 4]]
    recent = constraints.recent([1])
    recent.extend([2] * RECENT)
    assert list(recent) == [2] * RECENT


def test_without_a_penalty_nothing_is_remembered():
    constraints = Constraints(Limits(EOS), 3, [1])
    assert not constraints.change
    assert list(constraints.recent([1, 2])) == []
    assert applied([[1], [2], [3]], constraints, ([1, 2], None)) == [[1, -np.inf, 3]]


def test_a_line_has_at_least_and_at_most_so_many_words():
    limits = Limits(EOS, min_length=2, max_length=3)
    texts = []
    for words in range(4):
        progress = Progress(limits)
        for _ in range(words):
            progress.add(1)
        texts.append(([], progress))
    low, none = -np.inf, [5, 1, 2]
    expected = [[low, 1, 2], [low, 1, 2], none, [5, low, low]]
    assert applied([[5] * 4, [1] * 4, [2] * 4], Constraints(limits, 3), *texts) == expected
    for (_, progress), row in zip(texts, expected, strict=True):  # in a beam all lines are equally long
        scores = np.array([none, none], dtype=float).T
        Constraints(limits, 3).forbid(scores, progress)
        assert scores.T.tolist() == [row, row]


def test_the_words_of_the_prompt_belong_to_its_line():
    limits = Limits(EOS, sentences=2, min_length=3, max_length=4)
    progress = Progress(limits, before=2)
    assert not progress.may_end_line
    assert not progress.add(1)
    assert progress.may_end_line and not progress.must_end_line
    progress.add(1)
    assert progress.must_end_line
    assert not progress.add(EOS)
    assert not progress.may_end_line  # the next line begins without them
    assert progress.add(EOS)


@pytest.mark.parametrize(("options", "ids", "n"), [
    ({"length": 3}, [1, EOS, 1, 1, 1], 4), ({"length": 3}, [1, 1, 1, EOS], 3), ({"sentences": 2}, [EOS, 1, EOS, 1], 3),
    ({}, [1] * 99 + [EOS, 1, EOS, 1], 102), ({}, [1] * 300, 200), ({"min_length": 150}, [1] * 400, 300),
    ({"sentences": 1}, [EOS], 1)])
def test_where_a_text_ends(options, ids, n):
    progress = Progress(Limits(EOS, **options))
    ends = [progress.add(i) for i in ids[:n]]
    assert ends == [False] * (n - 1) + [True]


def test_a_text_that_never_ends_is_ended(monkeypatch):
    progress = Progress(Limits(EOS))
    for _ in range(BLANK_LINES):
        progress.add(EOS)
    with pytest.raises(EndlessError, match="1000 line ends in a row"):
        progress.add(EOS)
    monkeypatch.setattr(Words, "longest_line", 5)
    for options, most in (({}, 5), ({"min_length": 4}, 8)):
        progress = Progress(Limits(EOS, sentences=1, **options))
        for _ in range(most):
            progress.add(1)
        with pytest.raises(EndlessError, match=f"^the model wrote more than {most} words without a line end: give "):
            progress.add(1)


@pytest.mark.parametrize(("options", "message"), [
    ({"length": 0}, "length must be a whole number of at least 1, got 0"),
    ({"min_length": 1.5}, "min_length must be a whole number of at least 1, got 1.5"),
    ({"max_length": True}, "max_length must be a whole number of at least 1, got True"),
    ({"length": 2, "sentences": 2}, "length and sentences exclude each other, got 2 and 2: give one of them"),
    ({"min_length": 3, "max_length": 2}, "min_length must be at most max_length, 2, got 3"),
    ({"min_length": 3, "length": 2}, "min_length must be at most length, 2, got 3")])
def test_limits_that_cannot_be_are_one_line(options, message):
    with pytest.raises(RnnlmError, match=f"^{message}$"):
        Limits(EOS, **options)


@pytest.mark.parametrize(("forbidden", "penalty", "message"), [
    ([1, 2], 1, "forbidden must leave a word to write, got all 3 ids but that of <eos>"),
    ([3], 1, "forbidden must hold ids from 0 to 2, got 3 to 3"),
    ([], 0.5, "repetition_penalty must be a number of at least 1, got 0.5")])
def test_constraints_that_cannot_be_are_one_line(forbidden, penalty, message):
    with pytest.raises(RnnlmError, match=f"^{message}$"):
        Constraints(Limits(EOS), 3, forbidden, penalty)
