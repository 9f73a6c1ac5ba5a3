import builtins

import numpy as np
import pytest

from rnnlm.errors import RnnlmError
from rnnlm.scoring.nbest import Rescored, TextScores
from rnnlm.scoring.tuning import Candidates, Surface, candidates, surface, word_errors
from rnnlm.text.nbest_files import Hypothesis, NBestList
from rnnlm.text.nbest_tables import References


def rescored(utterance, hypotheses, position=0):
    """A Rescored from (text, first pass, ln p) of each hypothesis."""
    texts, first_pass, log_probs = zip(*hypotheses, strict=True)
    words = np.array([len(text.split()) for text in texts])
    source = NBestList(utterance, position, hypotheses=[Hypothesis(text, 0) for text in texts])
    given = None if first_pass[0] is None else np.array(first_pass)
    return Rescored(source, TextScores([], np.array(log_probs), words, 0 * words), given, np.zeros(len(texts)))


def slow_errors(reference, hypothesis):
    """The fewest errors, by the recursion of the definition."""
    if not reference or not hypothesis:
        return len(reference) + len(hypothesis)
    changed = slow_errors(reference[1:], hypothesis[1:]) + (reference[0] != hypothesis[0])
    return min(changed, slow_errors(reference[1:], hypothesis) + 1, slow_errors(reference, hypothesis[1:]) + 1)


def test_word_errors_are_the_fewest(rng):
    assert word_errors(["the", "cat"], [["the", "cat"], ["cat"], [], ["a", "the", "cat"], ["cat", "the"]]) == [
        0, 1, 2, 1, 2]
    assert word_errors([], [[], ["a", "b"]]) == [0, 2]
    assert word_errors(["don't", "a"], [["dont", "A"]]) == [2]  # nothing is made equal
    for _ in range(40):
        reference, hypothesis = (list(rng.choice(["a", "b", "c"], rng.integers(0, 6))) for _ in range(2))
        assert word_errors(reference, [hypothesis]) == [slow_errors(reference, hypothesis)]


def test_the_package_that_is_missing_is_named(monkeypatch):
    plain = builtins.__import__

    def without(name, *arguments, **options):
        if name.startswith("rapidfuzz"):
            raise ImportError(name)
        return plain(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(RnnlmError, match=r"rapidfuzz: pip install rapidfuzz, or .* pip install -e '\.\[wer\]'$"):
        word_errors(["a"], [["b"]])


def test_lists_and_references_are_compared_and_counted():
    lists = [rescored("u", [("a b", 1.0, -1.0), ("a", 2.0, -3.0)]), rescored("v", [("x y", 0.0, -1.0)]),
             rescored("w", [("c", 0.0, -1.0), ("", 0.0, -2.0)])]
    found = candidates(lists, References({"u": "a b", "w": "", "missing": "x y z", "": ""}, "key"))
    assert found.starts.tolist() == [0, 2]
    assert (found.errors.tolist(), found.words.tolist()) == ([0, 1, 1, 0], [2, 1, 1, 0])
    assert (found.reference_words, found.missing_errors) == (5, 3)
    assert (found.without_reference, found.without_list, found.empty_references) == (1, 2, 2)
    assert found.first_pass_errors() == 1 + 1 + 3  # of equal scores the first
    assert found.oracle_errors() == 3
    assert found.rate(5) == 100


def test_without_a_first_pass_its_place_is_that_of_the_first_hypotheses():
    lists = [rescored("0", [("a", None, -9.0), ("b", None, -1.0)]), rescored("1", [("b", None, -1.0)], position=1)]
    found = candidates(lists, References({0: "b", 1: "b"}, "order"))
    assert (found.first_pass, found.first_pass_errors(), found.oracle_errors()) == (None, 1, 0)


@pytest.mark.parametrize(("references", "message"), [
    (References({"x": "a"}, "key"), "no list has one; the first is for 'x'"),
    (References({"u": "", "v": ""}, "key"), "all of them are empty"),
    (References({0: "a", 1: "a"}, "order"), "must be as many as lists .* got 2 for 1 list"),
    (References({1: "a"}, "order"), "no list has one")])
def test_references_that_do_not_fit_are_refused(references, message):
    with pytest.raises(RnnlmError, match=message):
        candidates([rescored("u", [("a", 0.0, 0.0)])], references)


def test_a_list_of_moses_may_be_missing():
    found = candidates([rescored("1", [("a", 0.0, 0.0)], position=1)], References({0: "a a", 1: "a"}, "order"))
    assert (found.without_list, found.missing_errors, found.reference_words) == (1, 2, 3)


def the_known_case():
    """Two lists: the right ones win where 1 < 2 * scale, and where penalty < scale.

    First list, right minus wrong: -1 + 2 * scale, with as many words.  Second list:
    scale - penalty, with a word more.
    """
    lists = [rescored("u", [("right", -1.0, -1.0), ("wrong", 0.0, -3.0)]),
             rescored("v", [("a b", 0.0, -1.0), ("a", 0.0, -2.0)])]
    return candidates(lists, References({"u": "right", "v": "a b"}, "key"))


def test_the_surface_has_the_known_errors_and_its_least():
    scales, penalties = [0.0, 0.25, 0.75, 1.0], [-1.0, 0.5, 0.9, 2.0]
    found = surface(the_known_case(), scales, penalties)
    assert found.errors.tolist() == [[1 + 0, 1 + 1, 1 + 1, 1 + 1], [1, 2, 2, 2], [0, 0, 1, 1], [0, 0, 0, 1]]
    assert found.best == (3, 0)  # its neighbours, the edge repeated, have 0 errors
    assert found.at_edge() == ["scale", "word penalty"]


def test_the_best_values_choose_the_best_hypotheses_on_the_same_lists():
    case = the_known_case()
    found = surface(case, np.arange(0, 3, 0.25), np.arange(-3, 3, 0.5))
    i, j = found.best
    assert found.errors[i, j] == 0
    assert found.scales[i] > 0.5
    assert found.penalties[j] < found.scales[i]
    assert found.at_edge() == []


def test_of_equal_points_the_middle_of_the_flat_part_is_chosen_then_what_does_least():
    errors = np.full((5, 5), 9)
    errors[1:4, 1:4] = 2
    assert Surface(np.arange(5.0), np.arange(-2.0, 3), errors).best == (2, 2)
    assert Surface(np.arange(3.0), np.arange(-1.0, 2), np.zeros((3, 3), int)).best == (0, 1)


def test_a_single_value_has_no_edge():
    assert Surface(np.array([1.0]), np.array([0.0]), np.array([[3]])).at_edge() == []
    assert Surface(np.array([0.0, 1.0]), np.array([0.0]), np.array([[3], [4]])).at_edge() == []  # no scale is below 0


def test_the_first_of_equal_totals_counts():
    found = Candidates(np.array([0, 2]), None, np.zeros(5), np.ones(5), np.array([4, 0, 1, 0, 0]), 10)
    assert found.errors_of(np.array([1.0, 1.0, 2.0, 2.0, 3.0])) == 4 + 0
    assert found.errors_of(np.array([1.0, 2.0, 2.0, 2.0, -3.0])) == 0 + 1
