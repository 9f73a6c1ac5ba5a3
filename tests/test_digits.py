"""The classifier on real data: 1,797 handwritten digits, on the split that docs/course/digits.py states."""

import runpy
import subprocess
import sys

import numpy as np
import pytest
from conftest import REPOSITORY

pytestmark = pytest.mark.slow


def test_the_split_is_this_one():
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    X, y = load_digits(return_X_y=True)
    _, X_test, _, y_test = train_test_split(X, y, test_size=0.25, random_state=0, stratify=y)
    sets = runpy.run_path(REPOSITORY / "docs/course/digits.py")["digits"]()
    assert [data.shape for data, _ in sets] == [(1077, 8, 8), (270, 8, 8), (450, 8, 8)]
    np.testing.assert_array_equal(sets[2][0].reshape(450, 64) * 16, X_test)
    np.testing.assert_array_equal(sets[2][1], y_test)


def test_digits_are_read_row_by_row(tmp_path):
    command = [sys.executable, REPOSITORY / "docs/course/digits.py", "--quiet", "--output", tmp_path / "new"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split(" test")[0].split()[-1]) >= 0.97, done.stdout
    for name in ("digits-learning.png", "digits-confusion.png"):
        assert (tmp_path / "new" / name).read_bytes().startswith(b"\x89PNG")
