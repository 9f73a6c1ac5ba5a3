"""Arrays whose length is known at their end."""

import os

import numpy as np
import pytest

from rnnlm.errors import RnnlmError
from rnnlm.files.long_array import LongArray


def test_rows_become_the_array_of_the_file(tmp_path, rng):
    rows = rng.standard_normal((10, 3)).astype(np.float32)
    path = tmp_path / "s.npz"
    np.savez(path, states=np.ones(2))
    with LongArray(path, "states") as array:
        array.add(rows[:4])
        array.add(rows[4:].astype(np.float64)[:, ::-1][:, ::-1])  # another type, not contiguous
        assert np.load(path)["states"].shape == (2,)
        assert array.finish() == (10, 3)
    with np.load(path, allow_pickle=False) as members:
        assert members.files == ["states"]
        assert members["states"].dtype == np.float32
        np.testing.assert_array_equal(members["states"], rows)
    assert [entry.name for entry in tmp_path.iterdir()] == ["s.npz"]


def test_without_its_end_there_is_no_file(tmp_path):
    with pytest.raises(ZeroDivisionError), LongArray(tmp_path / "s.npz", "states") as array:
        array.add(np.ones((2, 2)))
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_no_rows_are_an_array_too(tmp_path):
    with LongArray(tmp_path / "s.npz", "states") as array:
        assert array.finish() == (0, 0)
    assert np.load(tmp_path / "s.npz")["states"].shape == (0, 0)


def test_where_no_file_can_be_it_is_said_at_once(tmp_path):
    with pytest.raises(RnnlmError, match="could not be written: no such file or directory; the folder does not exist"):
        LongArray(tmp_path / "none/s.npz", "states")
    (tmp_path / "mine").write_text("what is there")
    with pytest.raises(RnnlmError, match="mine exists and is not an earlier file of states, so it is not replaced"):
        LongArray(tmp_path / "mine", "states")
    with pytest.raises(RnnlmError, match="is not a regular file, so it is not replaced: choose another name"):
        LongArray(tmp_path, "states")
    if os.path.exists("/dev/full"):
        with pytest.raises(RnnlmError, match="is not a regular file"):
            LongArray("/dev/full", "states")
