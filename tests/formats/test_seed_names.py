"""The names of the folders of several seeds, and where one run is needed."""

import pytest

import rnnlm
from rnnlm.formats.kept import kept_models
from rnnlm.formats.seed_names import one_of_several, seed_folder, seed_folders, seed_of


@pytest.mark.parametrize("seed", [0, 7, 10, 2**128 - 1])
def test_a_name_holds_its_seed(seed):
    assert seed_of(seed_folder(seed)) == seed


@pytest.mark.parametrize("name", ["seed-", "seed-01", "seed-1 ", "seed-x", "seed--1", "seeds-1", "seed-1.npz",
                                  "seed-\u0661", "seed-" + "1" * 40])
def test_other_names(name):
    assert seed_of(name) is None


def test_folders_are_in_the_order_of_their_seeds(tmp_path):
    for name in ("seed-10", "seed-9", "seed-x", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "seed-3").write_text("no folder")
    assert [path.name for path in seed_folders(tmp_path)] == ["seed-9", "seed-10"]
    assert seed_folders(tmp_path / "none") == seed_folders(tmp_path / "seed-3") == []


def test_where_one_run_is_needed_the_line_names_those_inside(tmp_path):
    assert one_of_several(tmp_path) == ""
    for seed in range(7):
        (tmp_path / f"seed-{seed}").mkdir()
    line = one_of_several(tmp_path)
    assert line.startswith(f"{tmp_path} holds the runs of several seeds: give one of them, {tmp_path}/seed-0, ")
    assert line.endswith(f"{tmp_path}/seed-4, ...")
    for reading in (rnnlm.load, rnnlm.load_model, kept_models):
        with pytest.raises(rnnlm.RnnlmError, match="holds the runs of several seeds: give one of them, "):
            reading(tmp_path)
