"""A run whose folder is moved, replaced or removed ends, and writes into no other."""

import math
import shutil
import signal

import pytest
from training_runs import metrics, without_times

from rnnlm.training.trainer import Trainer

pytestmark = pytest.mark.slow

EPOCHS = ["--epochs", "3"]
STEPS = 35  # of an epoch of the small corpus
LOST = "run was removed, emptied, moved or replaced while this run was working in it, so the run ends"


@pytest.fixture
def runs(run, tmp_path):
    """The run to its end, and another finished one."""
    run(*EPOCHS, output="whole")
    run("--epochs", "1", "--seed", "9", output="other")
    return tmp_path


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def replaced(place):
    """Another run's folder takes the name of the run."""
    (place / "run").rename(place / "moved")
    shutil.copytree(place / "other", place / "run")


def at_step(run, step, act):
    """Let ``act`` happen in the middle of a step, counted from 1 in this process."""
    plain, count = Trainer.step, 0

    def stepped(trainer, xs, ts):
        nonlocal count
        count += 1
        if count == step:
            act(trainer)
        return plain(trainer, xs, ts)

    run.monkeypatch.setattr(Trainer, "step", stepped)


def is_lost(result):
    """The run ended with its one line."""
    code, _, err = result
    assert code == 1
    *notes, last = err.splitlines()
    assert all(line.startswith("note: ") for line in notes), err
    assert f": error: {LOST}" in last


@pytest.mark.parametrize("step", [1, STEPS - 1, STEPS + 5, 3 * STEPS])
@pytest.mark.parametrize("minutes", ["9", "1e-9"])
def test_a_replaced_folder_is_left_alone_and_the_moved_one_is_whole(run, runs, step, minutes):
    """Wherever the next save is: within an epoch, at its end, at that of the run."""
    at_step(run, step, lambda trainer: replaced(runs))
    is_lost(run(*EPOCHS, "--checkpoint-minutes", minutes))
    assert contents(runs / "run") == contents(runs / "other")
    code, out, _ = run.bare("--resume", "--output", "moved")
    assert code == 0
    done = step if minutes == "1e-9" else -(-step // STEPS) * STEPS  # what the next save kept: nothing is lost
    assert f"resumed after step {done}, " in out
    assert (runs / "moved/model.npz").read_bytes() == (runs / "whole/model.npz").read_bytes()
    assert without_times(runs / "moved") == without_times(runs / "whole")


@pytest.mark.parametrize("what", ["stopped", "diverged"])
def test_however_the_run_ends_then_nothing_is_written_into_the_other(run, runs, what):
    def act(trainer):
        replaced(runs)
        if what == "stopped":
            signal.raise_signal(signal.SIGINT)
        else:
            trainer.model.params[0][...] = math.nan

    at_step(run, STEPS + 5, act)
    code, _, err = run(*EPOCHS)
    if what == "diverged":
        assert code == 1
        assert f"training diverged at step {STEPS + 5}" in err
    else:
        assert LOST in err
        assert "nothing is lost" not in err
    assert contents(runs / "run") == contents(runs / "other")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_folder_that_is_replaced_while_the_test_text_is_scored(run, runs, monkeypatch, when):
    """The best model is the run's, not the other's; the picture goes nowhere else."""
    import rnnlm.runs.best_model

    plain = rnnlm.runs.best_model.load_model

    def load_model(*arguments):
        if when == "before":
            replaced(runs)
        loaded = plain(*arguments)
        if when == "after":
            replaced(runs)
        return loaded

    expected = run.bare("--resume", "--output", "whole")[1].splitlines()[-1]
    monkeypatch.setattr(rnnlm.runs.best_model, "load_model", load_model)
    code, out, err = run(*EPOCHS)
    assert out.splitlines()[-1] == expected
    assert code == 1
    assert LOST in err
    assert "picture are in" not in err
    assert contents(runs / "run") == contents(runs / "other")


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_folder_that_is_gone_before_the_run_begins_gets_nothing(run, runs, monkeypatch, how):
    import rnnlm.runs.run_texts

    plain = rnnlm.runs.run_texts.load_corpus

    def load_corpus(*arguments, **options):
        replaced(runs) if how == "replaced" else shutil.rmtree(runs / "run")
        return plain(*arguments, **options)

    monkeypatch.setattr(rnnlm.runs.run_texts, "load_corpus", load_corpus)
    is_lost(run(*EPOCHS))
    assert (contents(runs / "run") == contents(runs / "other")) if how == "replaced" else not (runs / "run").exists()


def test_a_folder_that_is_emptied_is_not_filled_again(run, runs):
    def empty(trainer):
        for path in (runs / "run").iterdir():
            path.unlink()

    at_step(run, STEPS + 5, empty)
    is_lost(run(*EPOCHS))
    assert contents(runs / "run") == {}


def test_a_folder_that_comes_back_in_time_is_as_if_it_had_never_been_away(run, runs):
    def away_and_back(trainer):
        (runs / "run").rename(runs / "moved")
        (runs / "moved").rename(runs / "run")

    at_step(run, STEPS + 5, away_and_back)
    assert run(*EPOCHS)[0] == 0
    assert len(metrics(runs / "run")) == 3


def test_a_folder_that_another_run_made_meanwhile_is_not_removed(run, runs, monkeypatch):
    """A run that does not begin removes its own folder, but none that took its name."""
    import rnnlm.runs.run_texts

    def load_corpus(*arguments, **options):
        (runs / "run").rename(runs / "moved")
        (runs / "run").mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr(rnnlm.runs.run_texts, "load_corpus", load_corpus)
    assert run(*EPOCHS)[0] == 130
    assert (runs / "run").is_dir()
