"""The classifier on real data: 1,797 handwritten digits, on the split that docs/course/digits.py states."""

import subprocess
import sys
import time

import pytest
from conftest import REPOSITORY

pytestmark = pytest.mark.slow


def test_digits_are_read_row_by_row(tmp_path):
    started = time.monotonic()
    done = subprocess.run([sys.executable, REPOSITORY / "docs/course/digits.py", "--quiet", "--output", tmp_path],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split(" test")[0].split()[-1]) >= 0.97, done.stdout
    assert time.monotonic() - started < 60
    for name in ("digits-learning.png", "digits-confusion.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
