"""Numbers that go wrong: what is said, what is saved, and how a run goes on."""

import json
import math
import re
import signal
from contextlib import suppress

import numpy as np
import pytest
from training_runs import metrics, rows, without_times

from rnnlm.cli.evaluate import main as evaluate
from rnnlm.cli.generate import main as generate
from rnnlm.formats.model_file import load_model, save_model
from rnnlm.models import LanguageModel
from rnnlm.text.vocabulary import Vocabulary
from rnnlm.training.optimizers import OPTIMIZERS, SGD

STEPS = 35  # of an epoch of the small corpus


@pytest.fixture
def spoil(monkeypatch):
    """Make the optimizer "sgd" spoil weights in a step if its rate is above a limit."""

    def at(step, limit=0.0):
        class Breaks(SGD):
            def update(self, params, *others):
                super().update(params, *others)
                if self.steps == step and self.lr > limit:
                    params[-1][...] = np.nan

        monkeypatch.setitem(OPTIMIZERS, "sgd", Breaks)

    return at


def all_is_finite(folder):
    """Whether every number of every checkpoint in a run folder is finite."""
    for path in folder.glob("checkpoint*.npz"):
        with np.load(path) as members:
            if not all(np.isfinite(members[name]).all() for name in members if name != "records"):
                return False
    return True


def test_divergence_is_said_with_what_to_do_and_the_last_good_state_stays(run, tmp_path, spoil):
    spoil(40)
    code, out, err = run("--epochs", "9", "--optimizer", "sgd")
    assert code == 1
    last = err.splitlines()[-1]
    assert "training diverged at step 41: loss nan, gradient norm nan, learning rate 0.02; " in last
    assert "run holds the run as it was after step 35: resume at half the rate with rnnlm train --resume --out" in last
    assert last.endswith("or start a new run with a lower --lr or a smaller --max-grad above 0")
    assert len(rows(out)) == len(metrics(tmp_path / "run")) == 1
    assert all(np.isfinite(p).all() for p in load_model(tmp_path / "run")[0].params)
    assert all_is_finite(tmp_path / "run")
    assert (tmp_path / "run/perplexity.png").exists()
    spoil(2)
    err = run("--epochs", "9", "--optimizer", "sgd", "--max-grad", "0", output="unclipped")[2]
    assert err.endswith("or start a new run with a lower --lr or --max-grad 0.25\n")


def test_the_advice_works(run, tmp_path, spoil):
    spoil(40, limit=0.015)
    run("--epochs", "3", "--optimizer", "sgd")
    _, _, err = run("--epochs", "3", "--optimizer", "sgd", "--resume")
    advice = err.split("with rnnlm train ")[1].split(", or")[0]
    code, _, err = run.bare(*advice.split())
    assert code == 0
    assert "training diverged at step 41" in err
    assert [record["lr"] for record in metrics(tmp_path / "run")] == [0.02, 0.01, 0.01]


def test_rollback_goes_back_to_the_last_checkpoint_at_half_the_rate(run, tmp_path, spoil):
    spoil(40, limit=0.006)
    options = ["--epochs", "4", "--optimizer", "sgd", "--on-divergence", "rollback"]
    code, out, err = run(*options)
    assert code == 0
    assert "training diverged at step 41: loss nan" in err
    assert "returned to step 35, base learning rate 0.01\n" in err
    assert "returned to step 35, base learning rate 0.005\n" in err
    assert [record["lr"] for record in metrics(tmp_path / "run")] == [0.02, 0.005, 0.005, 0.005]
    assert [record["iteration"] for record in metrics(tmp_path / "run")] == [STEPS * epoch for epoch in (1, 2, 3, 4)]
    assert len(rows(out)) == 4
    # After both rollbacks; a stop between them would be a new place to roll back to.
    assert run.stopped_at(STEPS + 15, signal.SIGINT, *options, output="stopped")[0] == 130
    assert run(*options, "--resume", output="stopped")[0] == 0
    assert (tmp_path / "stopped/model.npz").read_bytes() == (tmp_path / "run/model.npz").read_bytes()
    assert without_times(tmp_path / "stopped") == without_times(tmp_path / "run")


def test_rollback_before_the_first_epoch_is_over_goes_to_the_beginning(run, tmp_path, spoil):
    spoil(5, limit=0.015)
    code, _, err = run("--epochs", "1", "--optimizer", "sgd", "--on-divergence", "rollback")
    assert code == 0
    assert "returned to step 0, base learning rate 0.01" in err


def test_rollbacks_come_to_an_end(run, tmp_path, spoil):
    spoil(40)
    code, out, err = run("--epochs", "9", "--optimizer", "sgd", "--on-divergence", "rollback")
    assert code == 1
    assert err.count("returned to step 35") == 10
    assert "10 times in a row, each time at half the rate; run holds the run as it was after step 35" in err
    assert len(rows(out)) == 1


@pytest.mark.parametrize("step", [STEPS, STEPS - 3])
def test_weights_that_are_not_finite_are_never_saved(run, tmp_path, spoil, step):
    """Spoilt in an epoch's last step, no step's loss shows it.

    Or with a checkpoint after every step.
    """
    spoil(step)
    code, out, err = run("--epochs", "2", "--optimizer", "sgd", "--checkpoint-minutes", "1e-9")
    assert code == 1
    assert f"training diverged at step {step}: embedding/W holds numbers that are not finite, so nothing is " in err
    assert re.search(r"gradient norm [0-9.]+, learning rate 0\.02; run holds", err)
    assert f"as it was after step {step - 1}: resume at" in err
    assert all_is_finite(tmp_path / "run")
    assert not (tmp_path / "run/model.npz").exists()
    assert (rows(out), (tmp_path / "run/metrics.jsonl").exists()) == ([], False)


@pytest.mark.parametrize("policy", ["stop", "rollback"])
def test_a_signal_in_the_step_that_spoils_the_weights_saves_nothing_and_says_how_to_go_on(run, tmp_path, spoil, policy):
    spoil(40, limit=0.015)
    code, _, err = run.stopped_at(40, signal.SIGINT, "--epochs", "3", "--optimizer", "sgd", "--on-divergence", policy)
    assert code == 130
    assert "note: training diverged at step 40: embedding/W holds numbers that are not finite" in err
    assert "stopped after step 35, before epoch 2" in err
    assert all_is_finite(tmp_path / "run")
    assert run.bare("--resume", "--output", "run", "--on-divergence", "rollback")[0] == 0


def test_a_perplexity_too_large_for_a_number_is_inf_and_its_loss_is_kept(run, tmp_path):
    code, out, _ = run("--optimizer", "sgd", "--lr", "3000", "--max-grad", "1e6", "--epochs", "1",
                       "--dropout", "0", "--input-dropout", "0")
    assert code == 0
    assert re.search(r"best validation perplexity inf \([\d.]+ bits per byte\) after epoch 1\n", out)
    line, = (tmp_path / "run/metrics.jsonl").read_text().splitlines()
    assert "Infinity" not in line
    record = json.loads(line)
    assert record["valid_perplexity"] is None
    assert math.log(1e308) < record["valid_loss"] < math.inf
    code, out, _ = run.bare("--resume", "--output", "run")
    assert code == 0
    assert re.search(r"best validation perplexity inf \([\d.]+ bits per byte\) after epoch 1\n", out)
    assert json.loads((tmp_path / "run/metrics.jsonl").read_text()) == record


@pytest.fixture
def overflowing(tmp_path):
    """A model of finite weights whose scores are none, and a text."""
    model = LanguageModel(3, 4, 4, rng=np.random.default_rng(0))
    model.output.params[0][...] = np.where(model.output.params[0] > 0, 3e38, -3e38)
    model.recurrent[0].params[2][...] = 9
    save_model(tmp_path / "m.npz", model, Vocabulary(["<eos>", "a", "b"]))
    (tmp_path / "t.txt").write_text("a b\n")
    return str(tmp_path / "m.npz"), str(tmp_path / "t.txt")


@pytest.mark.parametrize("json_option", [[], ["--json"]])
def test_a_model_without_probabilities_scores_nothing(overflowing, capsys, json_option):
    assert evaluate([*overflowing, *json_option]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1].endswith("t.txt: its scores are not finite")


def test_a_model_without_probabilities_writes_nothing(overflowing, capsys):
    assert generate([overflowing[0]]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "gives no probabilities" in err.splitlines()[-1]


@pytest.mark.parametrize(("option", "value"), [
    ("input-gain", "1e39"), ("recurrent-gain", "1e39"), ("recurrent-gain", "1e-50"), ("activation-penalty", "1e39")])
def test_first_weights_that_no_model_can_have_are_refused_before_a_folder_is_made(option, value, run, tmp_path, capsys):
    err = ""
    with suppress(SystemExit):  # where it is the option that is refused
        err = run(f"--{option}", value)[2]
    line = err or capsys.readouterr().err
    assert re.fullmatch(rf".*error: .*{option[:5]}.* must be .*, got .*{re.escape(value[:2])}.*\n", line)
    assert not (tmp_path / "run").exists()
