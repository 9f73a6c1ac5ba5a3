"""Short runs of the scripts in robustness/, which take as long as one likes."""

import os
import sys

import pytest
from conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "tests/robustness"))

import kill_runs
import mutate_files


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is a signal of POSIX systems")
def test_killed_runs_end_as_the_run_nobody_killed(tmp_path):
    equal, deaths, wrong = kill_runs.torture(10, tmp_path, jobs=2)
    assert (equal, wrong) == (10, [])
    assert deaths >= 8  # a run may end before its time to die comes


@pytest.mark.skipif(os.name != "posix", reason="an alarm guards against hanging")
@pytest.mark.parametrize("kind", mutate_files.CASES)
def test_damaged_files_are_answered_in_one_line_and_change_nothing(kind, tmp_path):
    seen = []
    assert mutate_files.torture(kind, 300, tmp_path, on_case=lambda: seen.append(1)) == []
    assert len(seen) == 300
