"""Files of gradient statistics: what is written is read, and nothing else."""

import json

import numpy as np
import pytest

from rnnlm.errors import DamagedError, DivergenceError, RnnlmError
from rnnlm.formats.statistics_file import OtherStatisticsError, load_statistics, save_statistics
from rnnlm.models.gradient_statistics import GradientStatistics

SHAPES = {"rnn1/Wh": (3, 4), "affine/b": (5,)}


@pytest.fixture
def statistics(rng):
    return GradientStatistics({name: rng.random(shape, np.float32) for name, shape in SHAPES.items()}, 5, 100, 7)


@pytest.fixture
def path(tmp_path, statistics):
    save_statistics(tmp_path / "statistics.npz", statistics, "abc", "text")
    return tmp_path / "statistics.npz"


def changed(path, **members):
    """Replace some of the file's members; None leaves one out."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files} | members
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


def header(path, **values):
    with np.load(path) as file:
        found = json.loads(file["header"].tobytes())
    changed(path, header=np.frombuffer(json.dumps(found | values).encode(), np.uint8))


def test_what_is_written_is_read(path, statistics):
    found = load_statistics(path, SHAPES, "abc", 5)
    assert (found.window, found.batch, found.steps) == (5, 100, 7)
    for name, array in statistics.mean_squares.items():
        np.testing.assert_array_equal(found.mean_squares[name], array)


def test_those_of_another_model_or_window_are_refused(path):
    with pytest.raises(OtherStatisticsError, match="another model"):
        load_statistics(path, SHAPES, "abd", 5)
    with pytest.raises(OtherStatisticsError, match="windows of 5, not 6"):
        load_statistics(path, SHAPES, "abc", 6)


@pytest.mark.parametrize(("members", "message"), [
    ({"affine/b": np.zeros(6, np.float32)}, "affine/b must be float32"),
    ({"affine/b": np.zeros(5)}, "affine/b must be float32"),
    ({"affine/b": None}, "lacks affine/b"),
    ({"more": np.zeros(1, np.float32)}, "do not belong there: more"),
    ({"affine/b": np.full(5, np.nan, np.float32)}, "not finite"),
    ({"affine/b": np.full(5, -1, np.float32)}, "below 0"),
])
def test_wrong_arrays_are_refused(path, members, message):
    changed(path, **members)
    with pytest.raises(DamagedError, match=message):
        load_statistics(path, SHAPES, "abc", 5)


@pytest.mark.parametrize(("values", "message"), [
    ({"format": "rnnlm model"}, "this program reads"),
    ({"version": 2}, "this program reads"),
    ({"window": 0}, "whole numbers above 0"),
    ({"steps": "7"}, "whole numbers above 0"),
    ({"batch": True}, "whole numbers above 0"),
    ({"steps": 1 << 60}, "whole numbers above 0"),
])
def test_a_wrong_header_is_refused(path, values, message):
    header(path, **values)
    with pytest.raises(DamagedError, match=message):
        load_statistics(path, SHAPES, "abc", 5)


def test_damaged_and_missing_files_are_refused(path, tmp_path):
    content = path.read_bytes()
    for damaged in (b"", b"statistics", content[:-30], content[: len(content) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(DamagedError, match="is not a whole file of gradient statistics"):
            load_statistics(path, SHAPES, "abc", 5)
    with pytest.raises(RnnlmError, match="could not be read"):
        load_statistics(tmp_path / "none.npz", SHAPES, "abc", 5)


def test_numbers_that_are_not_finite_are_not_written(tmp_path, statistics):
    statistics.mean_squares["affine/b"][1] = np.inf
    with pytest.raises(DivergenceError):
        save_statistics(tmp_path / "new.npz", statistics, "abc", "text")
    assert not (tmp_path / "new.npz").exists()
