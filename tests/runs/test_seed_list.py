"""What --seeds names: seeds and ranges of them."""

import pytest

from rnnlm.errors import RnnlmError
from rnnlm.runs.checks import LARGEST_SEED, WrongValue
from rnnlm.runs.options import TRAIN
from rnnlm.runs.seed_list import MOST, SeedList, in_ranges

SEEDS = TRAIN.by_name["seeds"]


@pytest.mark.parametrize(("text", "seeds", "again"), [
    ("1-5", [1, 2, 3, 4, 5], "1-5"), ("1,2,7-9", [1, 2, 7, 8, 9], "1-2,7-9"), (" 0 , 3 - 4 ", [0, 3, 4], "0,3-4"),
    ("1-2,3", [1, 2, 3], "1-3"), ("1,3", [1, 3], "1,3"), (f"0,{LARGEST_SEED}", [0, LARGEST_SEED], f"0,{LARGEST_SEED}"),
    ("1-100", [*range(1, 101)], "1-100")])
def test_seeds_and_ranges(text, seeds, again):
    assert SeedList()(text) == seeds
    assert in_ranges(seeds) == again
    assert SeedList()(again) == seeds


@pytest.mark.parametrize("text", ["", ",", "a", "1-", "-1", "1--2", "2-1", "1-1", "1,1", "2,1", "1-3,3", "1-3,2-5",
                                  "1.5", "1;2", "1-2-3", "x-y", f"1,{LARGEST_SEED + 1}", "1" * 5000 + ",2"])
def test_what_names_no_seeds_is_refused(text):
    with pytest.raises(WrongValue, match=r"^must be seeds and ranges of seeds in rising order, such as 1-5 or 1,2,7-9"):
        SeedList()(text)


@pytest.mark.parametrize(("text", "message"), [
    ("5", r"^must be at least two seeds, got '5': for seeds 1 to 5 give 1-5, for seed 5 alone give --seed 5$"),
    ("1", r"^must be at least two seeds, got '1': for seed 1 alone give --seed 1$"),
    ("7000", r"^must be at least two seeds, got '7000': for seed 7000 alone give --seed 7000$"),
    ("0-100", rf"^must be at most {MOST} seeds, got 101$"),
    (f"0-{LARGEST_SEED}", rf"^must be at most {MOST} seeds, got 340,282,")])
def test_how_many_they_are(text, message):
    with pytest.raises(WrongValue, match=message):
        SeedList()(text)


@pytest.mark.parametrize("value", ["1-3", [1, 2, 3], (1, 2, 3), ["1", "2-3"]])
def test_a_file_or_python_may_give_a_list(value):
    assert SEEDS.in_a_file(value, "seeds") == [1, 2, 3]


@pytest.mark.parametrize("value", [True, None, 3, [], [[1, 2]], [1.5, 2], [2, 1], [2**5000, 3], {"a": 1}, float("nan")])
def test_other_values_are_refused(value):
    with pytest.raises(RnnlmError, match=r"^seeds must "):
        SEEDS.in_a_file(value, "seeds")
