"""What a run leaves behind when it has ended: one checkpoint, or none."""

import json
import signal

import pytest
from training_runs import header_of

from rnnlm.cli.compare import main as compare
from rnnlm.cli.evaluate import main as evaluate
from rnnlm.runs.run_folder import RunFolder
from rnnlm.runs.summary import read_summary

STEPS = 35  # of an epoch of the small corpus
RESUME = ("--resume", "--output", "run")


def checkpoints(folder):
    """The names of the checkpoints in a folder."""
    return sorted(path.name for path in folder.glob("checkpoint*"))


def test_a_run_that_has_ended_keeps_its_newest_checkpoint_and_can_go_on(run, tmp_path):
    run.stopped_at(STEPS + 9, signal.SIGINT, "--epochs", "2")
    assert checkpoints(tmp_path / "run") == ["checkpoint-previous.npz", "checkpoint.npz"]
    assert run.bare(*RESUME)[0] == 0
    assert checkpoints(tmp_path / "run") == ["checkpoint.npz"]
    assert header_of(tmp_path / "run/checkpoint.npz")["numbers"]["iteration"] == 2 * STEPS
    code, out, _ = run.bare(*RESUME, "--epochs", "3")
    assert code == 0
    assert f"resumed after step {2 * STEPS}, before epoch 3" in out
    run("--epochs", "3", output="whole")
    assert (tmp_path / "run/model.npz").read_bytes() == (tmp_path / "whole/model.npz").read_bytes()


def test_a_run_may_remove_its_last_checkpoint_and_says_why_it_cannot_go_on(run, tmp_path, monkeypatch):
    assert run("--epochs", "1", "--discard-checkpoints")[0] == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    assert sorted(before) == ["config.toml", "metrics.jsonl", "model.npz", "perplexity.png", "summary.json"]
    for more in ((), ("--epochs", "2")):
        code, out, err = run.bare(*RESUME, *more)
        assert (code, out) == (1, "")
        assert err.endswith(
            "error: the run in run has ended, and its checkpoints are gone (--discard-checkpoints), so it cannot be "
            "resumed: begin another run from its model with --init-from run\n")
        assert len(err.splitlines()) == 1
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before
    assert run("--epochs", "1", "--init-from", "run", output="next")[0] == 0
    assert evaluate(["run", "--json"]) == 0  # its own texts
    assert json.loads(run.capsys.readouterr().out)["perplexity"] > 1


def test_the_checkpoint_of_a_run_that_has_ended_can_be_removed_later(run, tmp_path):
    assert run("--epochs", "1")[0] == 0
    model = (tmp_path / "run/model.npz").read_bytes()
    assert run.bare(*RESUME, "--discard-checkpoints")[0] == 0
    assert checkpoints(tmp_path / "run") == []
    assert (tmp_path / "run/model.npz").read_bytes() == model
    assert "discard-checkpoints" not in (tmp_path / "run/config.toml").read_text().split("# What was not given")[0]
    code, _, err = run.bare(*RESUME)
    assert (code, "error: the run in run has ended, and its checkpoints are gone" in err) == (1, True)


def test_nothing_is_removed_before_the_run_has_ended(run, tmp_path, monkeypatch):
    code, *_ = run.stopped_at(STEPS + 9, signal.SIGINT, "--epochs", "2", "--discard-checkpoints")
    assert code == 130
    assert len(checkpoints(tmp_path / "run")) == 2

    def fail(folder):
        raise OSError("no picture")

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "draw", fail)
        assert run.bare(*RESUME)[0] == 1
    assert len(checkpoints(tmp_path / "run")) == 2
    assert run.bare(*RESUME)[0] == 0
    assert checkpoints(tmp_path / "run") == []


@pytest.mark.parametrize("when", ["before its end", "afterwards"])
def test_the_test_score_is_on_record_once_the_run_has_ended(run, tmp_path, when):
    run.stopped_at(STEPS + 9, signal.SIGINT, "--epochs", "2")
    if when == "afterwards":
        out = run.bare(*RESUME)[1]
    assert compare(["run", "--json"]) == 0
    (row,) = json.loads(run.capsys.readouterr().out)["runs"]
    if when == "before its end":
        assert row["test_perplexity"] is None
    else:
        assert f"test perplexity {row['test_perplexity']:.5g} " in out
    assert (row["epochs"], row["of_epochs"]) == ((1, 2) if when == "before its end" else (2, 2))


def test_a_run_without_a_summary_has_one_as_soon_as_it_goes_on(run, tmp_path):
    """As one of an earlier version."""
    run.stopped_at(STEPS + 9, signal.SIGINT, "--epochs", "2")
    (tmp_path / "run/summary.json").unlink()
    assert run.stopped_at(2, signal.SIGINT, "--resume")[0] == 130
    assert read_summary(tmp_path / "run").test_epoch is None
