"""The results of several seeds: mean, standard deviation, and their file."""

import json
import math
from pathlib import Path

import pytest

from rnnlm.formats.seed_names import seed_folder
from rnnlm.runs.seed_results import SeedRun, Seeds, Spread

FOLDER = Path("there")


def run_of(seed, valid, test, **more):
    """A SeedRun that reached these perplexities in its second epoch of three."""
    return SeedRun(seed, FOLDER / f"seed-{seed}", epochs=9, patience=3, best_epoch=2, seconds=1.5,
                   test_loss=math.log(test), valid_losses=[math.inf, math.log(valid), 9.25], **more)


RUNS = [run_of(1, 100, 90), run_of(2, 104, 95), SeedRun(4, FOLDER / "seed-4", "it diverged", 9, 3, valid_losses=[]),
        run_of(7, 102, 91)]
SEEDS = Seeds(FOLDER, [1, 2, 4, 5, 7], RUNS)


def again(seeds, /, **changes):
    """The Seeds in the file of these Seeds, of which values are changed."""
    values = json.loads(json.dumps(seeds.as_json(), allow_nan=False))
    return Seeds.from_json(FOLDER, values | changes, seed_folder)


def test_mean_and_standard_deviation_of_a_sample():
    assert Spread.of([2, 4, 9]) == Spread(5, math.sqrt((9 + 1 + 16) / 2))
    assert Spread.of([3.5, 3.5]) == Spread(3.5, 0)
    one, infinite = Spread.of([3]), Spread.of([3, math.inf])
    assert (one.mean, infinite.mean) == (3, math.inf)
    assert math.isnan(one.standard_deviation)
    assert math.isnan(infinite.standard_deviation)


def test_the_numbers_are_of_the_runs_that_ended_without_an_error():
    assert [run.seed for run in SEEDS.finished] == [1, 2, 7]
    assert [run.seed for run in SEEDS.failed] == [4]
    assert (SEEDS.valid.mean, SEEDS.valid.standard_deviation) == (pytest.approx(102), pytest.approx(2))
    assert (SEEDS.test.mean, SEEDS.test.standard_deviation) == (pytest.approx(92), pytest.approx(math.sqrt(7)))
    assert math.isnan(SEEDS.failed[0].valid_perplexity)
    assert math.isnan(SEEDS.failed[0].test_perplexity)
    assert SEEDS.failure == ("1 seed of 5 ended early (4); seed 4: it diverged; all others are kept, and rnnlm train "
                             "--resume --output there tries again")


def test_the_file_holds_all_of_it():
    assert again(SEEDS) == SEEDS
    values = SEEDS.as_json()
    assert values["valid_perplexity"] == {"n": 3, "mean": pytest.approx(102), "standard_deviation": pytest.approx(2)}
    assert values["runs"][0]["test_perplexity"] == pytest.approx(90)
    assert values["runs"][0]["valid_losses"][0] is None
    assert values["runs"][2]["valid_perplexity"] is None
    none = Seeds(FOLDER, [1, 2], [])
    assert again(none) == none
    assert "valid_perplexity" not in none.as_json()


def test_a_perplexity_beyond_all_numbers():
    endless = Seeds(FOLDER, [1, 2], [SeedRun(1, FOLDER / "seed-1", None, 9, 3, 1, 2.0, math.inf, [800.0]), RUNS[1]])
    assert again(endless) == endless
    assert endless.as_json()["test_perplexity"] == {"n": 2, "mean": None, "standard_deviation": None}


@pytest.mark.parametrize(("changes", "message"), [
    ({"version": 2}, "version 1"), ({"seeds": "1-2"}, "rising order"), ({"seeds": [2, 1]}, "rising order"),
    ({"seeds": [1, True]}, "rising order"), ({"seeds": [-1, 2]}, "rising order"), ({"runs": {}}, "a list"),
    ({"runs": [1]}, "an object with the keys seed, error"), ({"runs": [{}]}, "an object"),
    ({"seeds": [1, 2]}, "each run must be of another seed")])
def test_what_no_run_writes_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        again(SEEDS, **changes)


@pytest.mark.parametrize(("key", "value"), [
    ("seed", 1.0), ("seed", 2**128), ("error", 3), ("epochs", -1), ("patience", "x"), ("best_epoch", 4),
    ("best_epoch", None), ("best_epoch", 0), ("seconds", None), ("seconds", -1), ("test_loss", "1"),
    ("test_loss", -1.0), ("valid_losses", None), ("valid_losses", [True]), ("valid_losses", [[1]])])
def test_what_no_run_has_is_refused(key, value):
    runs = SEEDS.as_json()["runs"]
    with pytest.raises(ValueError, match=key if key != "seed" else "seed"):
        again(SEEDS, runs=[runs[0] | {key: value}, *runs[1:]])


def test_twice_the_same_seed_is_refused():
    runs = SEEDS.as_json()["runs"]
    for wrong in ([*runs, runs[-1]], runs[::-1]):
        with pytest.raises(ValueError, match="each run must be of another seed"):
            again(SEEDS, runs=wrong)
