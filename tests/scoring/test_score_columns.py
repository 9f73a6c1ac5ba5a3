"""Which columns there are, and those of the words before."""

import math

import numpy as np
import pytest

from rnnlm.errors import RnnlmError
from rnnlm.scoring.columns import WordsBefore, columns_by_default, require_columns

NAMES = ["surprisal_1", "length_1", "word_1", "known_1", "surprisal_3", "frequency_2", "length"]
WORDS = [("the", 1), ("cat", 2), ("sat", 3), ("by", 4), ("<eos>", 5), ("<eos>", 1), ("it", 1), ("ran", 2), ("<eos>", 3)]


def columns(rows):
    words, positions = zip(*rows, strict=True)
    n = np.arange(len(rows))
    return {"word": np.array(words, object), "position": np.array(positions), "surprisal": 0.5 + n, "known": n % 2 == 0,
            "frequency": 10 * n}


def test_columns_by_default():
    first = ["sentence", "position", "word", "known", "log_prob", "surprisal", "entropy", "entropy_reduction", "rank",
             "frequency"]
    assert columns_by_default() == columns_by_default("piece") == first
    assert columns_by_default(top=2, spill_over=2, files=True, truth=True) == [
        "file", *first, "length", "surprisal_1", "frequency_1", "length_1", "surprisal_2", "frequency_2", "length_2",
        "top1", "p1", "top2", "p2", "true_surprisal", "true_entropy",
        "true_entropy_reduction", "excess"]
    sums = ["words", "unknown", "log_prob", "perplexity", "bits_per_byte"]
    assert columns_by_default("sentence") == ["sentence", *sums]
    assert columns_by_default("text", files=True) == ["file", "sentences", *sums]


def test_any_column_of_a_word_before_can_be_named():
    require_columns(["file", "word", "length", "entropy_2", "word_1", "rank_2", "top3", "p1"], top=3, spill_over=2)


@pytest.mark.parametrize(("names", "options", "message"), [
    (["suprisal"], {}, r"there is no column 'suprisal': did you mean surprisal\?; the columns are file, sentence, "),
    (["top3"], {"top": 2}, r"no column 'top3': did you mean top\d\? \(--top K makes those up to topK\)"),
    (["surprisal_2"], {"spill_over": 1}, r"'surprisal_2': .* \(--spill-over K makes those of K words before\)"),
    (["excess"], {}, r"no column 'excess' \(--truth makes it\)"), ([""], {}, "there is no column ''"),
    (["rank"], {"by": "sentence"}, "there is no column 'rank'.*; the columns are file, sentence, words, unknown"),
    (["word", "word"], {}, "the column word must be named once, it is named twice"),
    (["a\x1b[2J"], {}, r"'a\\x1b\[2J'")])
def test_what_is_no_column_is_named_with_the_nearest(names, options, message):
    with pytest.raises(RnnlmError, match=message):
        require_columns(names, **options)


@pytest.mark.parametrize("cuts", [[], [1], [4], [1, 2, 3, 4, 5, 6, 7, 8]])
def test_the_words_before_are_those_of_the_sentence(cuts):
    words_before, found = WordsBefore(NAMES), {name: [] for name in NAMES}
    whole = columns(WORDS)
    for part in np.split(np.arange(len(WORDS)), cuts):
        added = words_before.added({name: values[part] for name, values in whole.items()})
        assert added.keys() == set(NAMES)
        for name, values in added.items():
            found[name] += values.tolist()
    nan = math.nan
    np.testing.assert_array_equal(found["surprisal_1"], [nan, 0.5, 1.5, 2.5, 3.5, nan, nan, 6.5, 7.5])
    np.testing.assert_array_equal(found["surprisal_3"], [nan, nan, nan, 0.5, 1.5, nan, nan, nan, nan])
    assert found["length"] == [3, 3, 3, 2, -1, -1, 2, 3, -1]
    assert found["length_1"] == [-1, 3, 3, 3, 2, -1, -1, 2, 3]
    assert found["frequency_2"] == [-1, -1, 0, 10, 20, -1, -1, -1, 60]
    assert found["word_1"] == [None, "the", "cat", "sat", "by", None, None, "it", "ran"]
    assert found["known_1"] == [-1, 1, 0, 1, 0, -1, -1, 1, 0]


def test_nothing_is_added_that_was_not_named():
    assert WordsBefore(["word", "surprisal"]).added(columns(WORDS)) == {}
