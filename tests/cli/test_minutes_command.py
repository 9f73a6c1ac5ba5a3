"""``--minutes``: chosen once, then a run as any other; config.toml repeats it."""

import json
import os
import signal
import tomllib
from functools import partial
from pathlib import Path

import pytest
from device_arrays import StandIn
from training_runs import header_of, without_times

import rnnlm
from rnnlm.runs.budget import Budget
from rnnlm.runs.dial_measuring import Speed
from rnnlm.runs.later_epochs import Pace

MINUTES = ["--minutes", "0.2"]


@pytest.fixture
def minutes(run, monkeypatch):
    """``rnnlm train --minutes 0.2`` on the small corpus, with a speed made up.

    No time passes, and it keeps the epochs that it chose.
    """
    monkeypatch.setattr("rnnlm.runs.dialling.measure", lambda *arguments: Speed(1e-3, 3e-4))
    monkeypatch.setattr("rnnlm.runs.request.Budget", partial(Budget, clock=lambda: 0.0))
    monkeypatch.setattr(Pace, "epochs", lambda self, epoch, epochs: epochs)

    def train(*arguments, output="run", corpus=run.corpus):
        return run.bare("--corpus", str(corpus), "--output", output, *MINUTES, *arguments)

    train.run, train.monkeypatch = run, monkeypatch
    return train


def changing(monkeypatch, after, to):
    """Let the pace change the epochs at the end of one."""
    monkeypatch.setattr(Pace, "epochs", lambda self, epoch, epochs: to if epoch == after else epochs)


def written(folder):
    return tomllib.loads((folder / "config.toml").read_text(encoding="utf-8"))


def test_three_lines_come_first_and_the_options_are_in_config(minutes, tmp_path):
    code, out, err = minutes()
    assert code == 0, err
    lines = out.splitlines()
    assert lines[0].startswith("--minutes 0.2: ") and "Kneser-Ney 3-gram" in lines[0]
    assert lines[1].startswith("chosen: lstm of ") and lines[2].startswith("why: ")
    config = written(tmp_path / "run")
    assert f"lstm of {config['hidden-size']}" in lines[1]
    assert config["tied"] and config["schedule"] == "linear" and config["epochs"] > 1
    assert "minutes" not in config


def test_config_repeats_the_run_without_measuring(minutes, tmp_path, monkeypatch):
    assert minutes()[0] == 0
    monkeypatch.delattr("rnnlm.runs.dialling.measure")
    code, out, _ = minutes.run.bare("--config", "run", "--output", "again")
    assert code == 0 and "why:" not in out
    assert without_times(tmp_path / "run") == without_times(tmp_path / "again")


@pytest.mark.parametrize("to", [3, 12])
def test_a_change_at_an_epochs_end_is_told_recorded_and_repeated(minutes, tmp_path, monkeypatch, to):
    changing(monkeypatch, 2, to)
    code, _, err = minutes()
    assert code == 0, err
    assert f"time is left than measured: {to} epochs instead of" in err
    assert len(without_times(tmp_path / "run")) == to
    assert written(tmp_path / "run")["later-epochs"] == f"2:{to}"
    changing(monkeypatch, 0, 0)
    assert minutes.run.bare("--config", "run", "--output", "again")[0] == 0
    assert without_times(tmp_path / "run") == without_times(tmp_path / "again")


def stopped(minutes, step):
    """Stop a run in the folder cut; returns the later epochs in its checkpoint."""
    with minutes.monkeypatch.context() as patch:
        patch.setattr("training_runs.SMALL", [])
        code, *_ = minutes.run.stopped_at(step, signal.SIGINT, *MINUTES, "--output", "cut", output=None)
    assert code == 130
    return header_of(Path("cut/checkpoint.npz"))["run"]["options"]["later_epochs"]


def test_stopped_and_resumed_it_ends_where_it_would_have_ended(minutes, tmp_path, monkeypatch):
    changing(monkeypatch, 2, 6)
    assert minutes()[0] == 0
    assert stopped(minutes, 20) == "2:6"
    code, _, err = minutes.run.bare("--resume", "--output", "cut")
    assert code == 0, err
    assert without_times(tmp_path / "run") == without_times(tmp_path / "cut")


def test_a_resumed_run_changes_nothing_more(minutes, tmp_path, monkeypatch):
    changing(monkeypatch, 2, 6)
    assert stopped(minutes, 4) is None
    assert minutes.run.bare("--resume", "--output", "cut")[0] == 0
    assert len(without_times(tmp_path / "cut")) == written(tmp_path / "cut")["epochs"] != 6


def test_a_part_of_a_text_is_kept_in_config(minutes, tmp_path, monkeypatch):
    monkeypatch.setattr("rnnlm.runs.dial.SHORTEST", 1)
    monkeypatch.setattr("rnnlm.runs.dialling.measure", lambda *arguments: Speed(2e-2, 1e-3))
    code, out, err = minutes()
    assert code == 0, err
    config = written(tmp_path / "run")
    assert config["epochs"] == 1 and 1 < config["max-tokens"] < 900
    assert f"only the first {config['max-tokens']:,} of " in out
    assert out.count("why: ") == 1


def test_options_beside_it_are_kept(minutes, tmp_path):
    code, _, err = minutes("--cell", "gru", "--hidden-size", "24", "--level", "char", "--dropout", "0.3",
                           "--no-tied", "--average-decay", "0.9")
    assert code == 0, err
    config = written(tmp_path / "run")
    assert (config["cell"], config["hidden-size"], config["level"], config["dropout"], config["tied"],
            config["average-decay"]) == ("gru", 24, "char", 0.3, False, 0.9)
    assert config["time-size"] == 100


def test_a_recipe_gives_all_but_the_epochs(minutes, tmp_path):
    code, _, err = minutes("--config", "lstm-quick", "--hidden-size", "16", "--wordvec-size", "8")
    assert code == 0, err
    config = written(tmp_path / "run")
    assert (config["lr"], config["dropout"], config["warm-up"]) == (0.01, 0.2, 300)
    assert config["epochs"] != 2


@pytest.mark.parametrize(("given", "line"), [
    (["--epochs", "5"], "--epochs and --minutes exclude each other"),
    (["--later-epochs", "1:3"], "--later-epochs and --minutes exclude each other"),
    (["--resume"], "--resume continues one with its own"),
    (["--minutes", "0"], "must be a number above 0"),
    (["--minutes", "nan"], "must be a number above 0"),
    (["--patience", "2"], "--patience does nothing here"),
    (["--minutes", "0.01"], "--minutes 0.01 is too short"),
    (["--activation", "relu"], "--activation relu is for --cell"),
])
def test_contradictions_are_one_line_and_leave_nothing(minutes, tmp_path, given, line):
    try:
        code, _, err = minutes(*given)
    except SystemExit as left:  # of a wrong value
        code, err = left.code, minutes.run.capsys.readouterr().err
    assert code in (1, 2)
    assert line in err.splitlines()[-1]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_measuring_leaves_nothing(minutes, tmp_path, monkeypatch, signum):
    monkeypatch.setattr("rnnlm.runs.dialling.measure", lambda *arguments: os.kill(os.getpid(), signum) or Speed(1, 1))
    code, _, err = minutes()
    assert code == 128 + signum
    assert "Traceback" not in err
    assert not (tmp_path / "run").exists()


def test_all_seeds_have_what_was_chosen_once(minutes, tmp_path):
    code, out, err = minutes("--seeds", "1-2")
    assert code == 0, err
    assert ("2 seeds of 0.2 minutes each take about 0.4 minutes in all; all have the same number of epochs, which no "
            "seed changes on the way") in err
    assert out.count("why: ") == 1
    one, other = (written(tmp_path / f"run/seed-{seed}") for seed in (1, 2))
    assert one | {"seed": 2} == other


def test_a_run_that_diverges_goes_back_and_ends(minutes, tmp_path, monkeypatch):
    plain, calls = rnnlm.Trainer.step, []

    def diverging(trainer, xs, ts):
        calls.append(1)
        if len(calls) == 40:
            raise rnnlm.errors.DivergenceError("training diverged")
        return plain(trainer, xs, ts)

    monkeypatch.setattr(rnnlm.Trainer, "step", diverging)
    code, _, err = minutes()
    assert code == 0, err
    assert "returned to step" in err


def test_from_python(minutes, tmp_path):
    told = []

    class Told(rnnlm.Observer):
        def on_choice(self, lines):
            told.extend(lines)

    result = rnnlm.train(minutes.run.corpus, minutes=0.2, hidden_size=16, output="python", observer=Told())
    assert result.model.model.architecture.hidden_size == 16
    assert len(told) == 3
    with pytest.raises(rnnlm.RnnlmError, match="--resume continues one"):
        rnnlm.train(minutes.run.corpus, minutes=0.2, output="python", resume=True)


def test_a_text_of_a_few_lines_is_trained(minutes, tmp_path):
    (tmp_path / "few.txt").write_text("a b a\nb a\nc a b\n" * 4)
    code, _, err = minutes(corpus=tmp_path / "few.txt")
    assert code == 0, err


def test_the_splits_are_saved_once(minutes, tmp_path):
    (tmp_path / "one.txt").write_text("the cat sat .\n" * 100)
    code, _, err = minutes("--seeds", "1-2", "--save-splits", "three", corpus=tmp_path / "one.txt")
    assert code == 0, err
    assert (tmp_path / "three/train.txt").exists()


def test_the_device_of_the_run_is_measured(minutes, monkeypatch):
    def measured(options, corpus, workers, device, *more):
        raise rnnlm.RnnlmError(f"--device {options.device} is {device.name}")

    monkeypatch.setattr("rnnlm.runs.dialling.measure", measured)
    monkeypatch.setattr("rnnlm.runs.gpus.device_by_name", lambda name, number: StandIn())
    for more in ([], ["--seeds", "1-2"]):
        code, _, err = minutes("--device", "cuda", *more)
        assert (code, err.splitlines()[-1].endswith("--device cuda is a stand-in")) == (1, True), err


@pytest.mark.parametrize(("perplexity", "said"), [(1.0, True), (1e9, False)])
def test_several_seeds_that_end_above_the_ngram_model_say_so_once(minutes, tmp_path, monkeypatch, perplexity, said):
    monkeypatch.setattr("rnnlm.runs.dial.ngram_perplexity", lambda corpus: perplexity)
    code, _, err = minutes("--seeds", "1-2")
    assert code == 0, err
    mean = json.loads((tmp_path / "run/seeds.json").read_text())["valid_perplexity"]["mean"]
    assert err.count(f"a Kneser-Ney 3-gram predicts the validation text better: 1 to {mean:.5g}; ") == said
    assert err.count("--mix FILE.arpa") == said


@pytest.mark.parametrize("enough", [False, True])
@pytest.mark.parametrize(("perplexity", "said"), [(1.0, True), (1e9, False)])
def test_a_run_that_ends_above_the_ngram_model_says_what_to_do(minutes, monkeypatch, perplexity, said, enough):
    monkeypatch.setattr("rnnlm.runs.dial.ngram_perplexity", lambda corpus: perplexity)
    monkeypatch.setattr("rnnlm.runs.dial.Dial.leaves_time", lambda dial, options: enough)
    code, _, err = minutes()
    assert code == 0, err
    line = "a Kneser-Ney 3-gram predicts the validation text better: 1 to "
    assert (line in err) == ("--mix FILE.arpa" in err) == said
    assert ("give more minutes" in err) == (said and not enough)


def test_later_epochs_can_be_given(minutes, tmp_path):
    code, *_ = minutes.run("--epochs", "2", "--later-epochs", "1:3", output="given")
    assert code == 0
    assert len(without_times(tmp_path / "given")) == 3
    code, _, err = minutes.run.bare("--resume", "--output", "given", "--epochs", "5")
    assert code == 1 and "--epochs is 5, was 2" in err


@pytest.mark.parametrize(("typed", "later"), [
    (("--epochs", "2"), None), (("--epochs", "2", "--later-epochs", "1:4"), "1:4"), ((*MINUTES,), None), ((), "1:3"),
])
def test_epochs_that_are_typed_are_not_changed_by_those_of_a_file(typed, later, minutes, tmp_path):
    (tmp_path / "changed.toml").write_text('epochs = 1\nlater-epochs = "1:3"\n', encoding="utf-8")
    code, _, err = minutes.run("--config", str(tmp_path / "changed.toml"), *typed, output="given")
    assert code == 0, err
    assert written(tmp_path / "given").get("later-epochs") == later


@pytest.mark.slow
def test_a_real_measure_chooses_a_run_that_trains(run, tmp_path):
    code, out, err = run.bare("--corpus", str(run.corpus), "--output", "run", "--minutes", "0.1")
    assert code == 0, err
    assert "tokens a second" in out
