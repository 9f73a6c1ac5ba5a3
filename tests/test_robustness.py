"""Short runs of the scripts in robustness/, which take as long as one likes."""

import os
import shutil
import sys
import time

import pytest
from conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "tests/robustness"))

import kill_runs
import lost_folders
import mutate_files

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def nobody_killed(tmp_path_factory):
    """The folder of the run that nobody kills, and what ``reference`` says of it."""
    where = tmp_path_factory.mktemp("reference")
    return where / "run", kill_runs.reference(kill_runs.write_corpus(where / "corpus"), where / "run")


@pytest.fixture
def trained_once(nobody_killed, monkeypatch):
    """Let ``torture`` have a copy of that run in place of one of its own."""
    def reference(_corpus, folder):
        shutil.copytree(nobody_killed[0], folder)
        return nobody_killed[1]

    for module in (kill_runs, lost_folders):
        monkeypatch.setattr(module, "reference", reference)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is a signal of POSIX systems")
def test_killed_runs_end_as_the_run_nobody_killed(trained_once, tmp_path):
    equal, deaths, wrong = kill_runs.torture(2, tmp_path, jobs=2)
    assert (equal, wrong) == (2, [])
    assert deaths >= 1  # a run may end before its time to die comes


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is a signal of POSIX systems")
def test_killed_runs_of_several_seeds_end_as_those_nobody_killed(tmp_path):
    equal, deaths, wrong = kill_runs.torture(1, tmp_path, first_seed=1, seeds="1-2")  # killed at a call, not at a time
    assert (equal, wrong) == (1, [])
    assert deaths >= 1


@pytest.mark.skipif(os.name != "posix", reason="SIGSTOP is a signal of POSIX systems")
def test_a_run_whose_folder_was_taken_never_writes_into_the_next_one(trained_once, tmp_path):
    kinds = len(lost_folders.KINDS)
    assert lost_folders.torture(kinds, tmp_path, jobs=2) == (kinds, [])


def test_what_differs_is_noticed(nobody_killed, tmp_path, monkeypatch):
    """The negative control: a run that is held to another one."""
    found, seconds, calls = nobody_killed[1]
    expected = found | {"models": {}, "metrics": found["metrics"][:-1]}

    def killed_and_resumed(_corpus, folder, *_):
        folder.mkdir()
        return 1, found

    monkeypatch.setattr(kill_runs, "reference", lambda *_: (expected, seconds, calls))
    monkeypatch.setattr(kill_runs, "killed_and_resumed", killed_and_resumed)
    equal, _, wrong = kill_runs.torture(1, tmp_path)
    assert (equal, wrong) == (0, ["seed 0: models differs", "seed 0: metrics differs"])


@pytest.mark.skipif(os.name != "posix", reason="an alarm guards against hanging")
@pytest.mark.parametrize("kind", mutate_files.CASES)
def test_damaged_files_are_answered_in_one_line_and_change_nothing(kind, tmp_path):
    seen = []
    assert mutate_files.torture(kind, 40, tmp_path, on_case=lambda: seen.append(1)) == []
    assert len(seen) == 40


@pytest.mark.skipif(os.name != "posix", reason="an alarm guards against hanging")
def test_five_hundred_damaged_tokenizers_are_answered_in_one_line(tmp_path):
    assert mutate_files.torture("subwords", 500, tmp_path, first_seed=1000) == []


@pytest.mark.skipif(os.name != "posix", reason="an alarm guards against hanging")
@pytest.mark.parametrize(("does", "complaint"), [
    (lambda path: 1 / 0, "ended in ZeroDivisionError"), (lambda path: time.sleep(60), "took more than"),
    (lambda path: print("Traceback", file=sys.stderr) or 1, "exit code 1, standard error 'Traceback"),
    (lambda path: path.write_text("x") and 0, "files changed"), (lambda path: 2, "exit code 2"),
    (lambda path: print("x: error: unexpected x", file=sys.stderr) or 1, "standard error"),
    (lambda path: print("perplexity nan") or 0, "standard output"), (lambda path: 0, None)])
def test_a_wrong_answer_is_noticed(does, complaint, tmp_path, monkeypatch):
    if complaint == "took more than":
        monkeypatch.setattr(mutate_files, "SECONDS", 1)
    with mutate_files.guarded():
        found = mutate_files.complaint(lambda arguments: does(*arguments), [tmp_path / "a"], tmp_path)
    assert (found is None) == (complaint is None)
    assert found is None or found.startswith(complaint)
