"""``rnnlm.train(seeds=...)``: the command's runs of several seeds from Python."""

import math
from pathlib import Path

import numpy as np
import pytest
from training_runs import QuickPicture

import rnnlm
from rnnlm.runs.observer import Observer
from rnnlm.runs.run import _given
from rnnlm.runs.seed_results import Spread
from rnnlm.training.trainer import Trainer

SMALL = {"hidden_size": 12, "batch_size": 4, "time_size": 7, "lr": 0.02, "epochs": 1}


@pytest.fixture
def train(small_corpus, tmp_path, run, monkeypatch):
    """rnnlm.train on the small corpus, the pictures replaced."""
    monkeypatch.setattr("rnnlm.reports.seeds_chart.seeds_figure", QuickPicture)
    return lambda **options: rnnlm.train(**{"corpus": small_corpus, "output": "runs", **SMALL, **options})


class Told(Observer):
    """Keeps what it hears of seeds."""

    def __init__(self):
        self.heard = []

    def on_seeds(self, seeds, ended, folder):
        self.heard.append((seeds, ended, folder))

    def on_seed(self, seed, folder):
        self.heard.append((seed, folder))

    def on_seed_end(self, run):
        self.heard.append((run.seed, run.error))

    def on_seeds_end(self, results, drawn):
        self.heard.append((len(results.runs), drawn))


@pytest.mark.parametrize("seeds", ["1,3", [1, 3], (1, 3), np.array([1, 3]), range(1, 4, 2), ["1", "3"]])
def test_ways_to_name_the_seeds(seeds):
    assert _given({"seeds": seeds}) == {"seeds": [1, 3]}


def test_what_comes_back(train):
    told = Told()
    result = train(seeds=[1, 3], observer=told)
    runs = [rnnlm.train(corpus="small", output=f"alone-{seed}", seed=seed, **SMALL) for seed in (1, 3)]
    assert result.folder == Path("runs")
    assert result.seeds == [1, 3]
    assert [run.folder for run in result.runs] == [Path("runs/seed-1"), Path("runs/seed-3")]
    assert [run.valid_losses for run in result.runs] == [[record.valid_loss for record in run.records] for run in runs]
    assert [run.test_perplexity for run in result.runs] == pytest.approx([run.test.perplexity for run in runs])
    assert result.test == Spread.of(run.test_perplexity for run in result.runs)
    assert result.valid.mean == pytest.approx(sum(run.best.valid_perplexity for run in runs) / 2)
    assert rnnlm.load(result.runs[0].folder).perplexity(Path("small/test.txt")) == pytest.approx(
        runs[0].test.perplexity, rel=1e-6)
    assert told.heard == [([1, 3], [], Path("runs")), (1, Path("runs/seed-1")), (1, None), (3, Path("runs/seed-3")),
                          (3, None), (2, True)]


def test_nothing_is_shown_and_more_seeds_are_added(train, capsys):
    train(seeds="1-2")
    told = Told()
    result = rnnlm.train(output="runs", resume=True, seeds="1-3", observer=told)
    assert told.heard[0] == ([1, 2, 3], [1, 2], Path("runs"))
    assert [run.seed for run in result.runs] == [1, 2, 3]
    assert capsys.readouterr() == ("", "")
    assert rnnlm.train(output="runs", resume=True) == result


def test_a_seed_that_diverges_is_among_the_failed(train, monkeypatch):
    plain, count = Trainer.step, iter(range(1, 1000))

    def stepping(trainer, xs, ts):
        step = plain(trainer, xs, ts)
        if next(count) == 40:
            trainer.model.params[-1][...] = np.nan
        return step

    monkeypatch.setattr(Trainer, "step", stepping)
    result = train(seeds="1-2")
    assert [run.seed for run in result.finished] == [1]
    assert [(run.seed, run.error[:27]) for run in result.failed] == [(2, "training diverged at step 6")]
    assert math.isnan(result.test.standard_deviation)


def test_where_none_ends_it_is_an_error(train):
    with pytest.raises(rnnlm.RnnlmError, match=r"^2 seeds of 2 ended early \(1, 2\); seed 1: training diverged at"):
        train(seeds="1-2", lr=1e30, optimizer="sgd", max_grad=0, dropout=0.0, activation="relu")


@pytest.mark.parametrize(("options", "message"), [
    ({"seeds": 3}, r"^rnnlm\.train: seeds must be at least two seeds, got '3': for seeds 1 to 3 give 1-3"),
    ({"seeds": []}, r"^rnnlm\.train: seeds must be seeds and ranges"), ({"seeds": [2, 1]}, "in rising order"),
    ({"seeds": "1-2", "seed": 3}, r"^--seed and --seeds exclude each other: give only one of them$"),
    ({"seeds": "1-2", "resume": True}, r"^runs holds no runs to resume: give the folder of several seeds"),
    ({"seeds": "1-2", "lr_factor": 3, "schedule": "linear"}, r"^--lr-factor does nothing here")])
def test_what_is_wrong_is_said_and_leaves_nothing(train, options, message):
    with pytest.raises(rnnlm.RnnlmError, match=message):
        train(**options)
    assert not Path("runs").exists()


def test_ctrl_c_says_how_to_continue(train, monkeypatch):
    plain, count = Trainer.step, iter(range(1, 1000))
    whole = train(seeds="1-2", output="whole")

    def stepping(trainer, xs, ts):
        if next(count) == 50:
            raise KeyboardInterrupt
        return plain(trainer, xs, ts)

    monkeypatch.setattr(Trainer, "step", stepping)
    with pytest.raises(KeyboardInterrupt):
        train(seeds="1-2")
    result = rnnlm.train(output="runs", resume=True)
    assert result.test == whole.test
