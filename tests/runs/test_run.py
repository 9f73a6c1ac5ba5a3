"""``rnnlm.train``: the command's run from Python, told to an observer."""

import inspect
import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
from training_runs import without_times

import rnnlm
from rnnlm.cli.progress import Screen
from rnnlm.cli.seeds_screen import SeedsScreen
from rnnlm.cli.train import main as train_command
from rnnlm.runs.observer import Observer
from rnnlm.training.trainer import Trainer

SMALL = {"hidden_size": 12, "batch_size": 4, "time_size": 7, "lr": 0.02, "dropout": 0.1, "input_dropout": 0.1}


class Told(Observer):
    """Keeps the name and arguments of every method that is called, except for steps."""

    def __init__(self):
        self.calls, self.steps = [], 0

    def __getattribute__(self, name):
        if not name.startswith("on_"):
            return super().__getattribute__(name)
        return lambda *arguments: self.told(name, arguments)

    def told(self, name, arguments):
        if name == "on_step":
            self.steps += 1
        else:
            self.calls.append((name, *arguments))

    @property
    def names(self):
        return [name for name, *_ in self.calls]


@pytest.fixture
def train(small_corpus, tmp_path, run):
    """rnnlm.train on the small corpus; ``run`` is in tmp_path, the picture replaced."""
    return lambda **options: rnnlm.train(**{"corpus": small_corpus, "output": "run", **SMALL, **options})


def arrays(path):
    with np.load(path) as file:
        return {name: file[name] for name in file.files if name != "header"}


def are_equal(one, other):
    one, other = arrays(one), arrays(other)
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("options", [
    {"epochs": 2}, {"epochs": 2, "level": "char", "cell": "lstm", "threads": 2},
    {"epochs": 3, "tied": True, "average": "exponential", "optimizer": "sgd", "random_start": True, "dropout": None},
    {"epochs": 2, "projection": False, "layers": 2, "seed": 7, "max_tokens": 500}])
def test_it_is_the_run_of_the_command_bit_for_bit(train, small_corpus, tmp_path, options):
    run = train(**options)
    line = []
    for name, value in {**SMALL, **options}.items():
        flag = name.replace("_", "-")
        line += [f"--{flag}" if value else f"--no-{flag}"] if isinstance(value, bool) else (
            [] if value is None else [f"--{flag}", str(value)])
    assert train_command(["--corpus", str(small_corpus), "--output", "other", *line]) == 0
    assert are_equal(tmp_path / "run/model.npz", tmp_path / "other/model.npz")
    assert without_times(tmp_path / "run") == without_times(tmp_path / "other")
    assert len(run.records) == options["epochs"]


def test_what_comes_back(train, small_corpus):
    run = train(epochs=3)
    assert run.folder == Path("run")
    assert run.best is min(run.records, key=lambda record: record.valid_loss)
    assert run.model.evaluate(small_corpus / "test.txt").log_prob == pytest.approx(run.test.log_prob, rel=1e-6)
    assert run.test.targets == len((small_corpus / "test.txt").read_text().replace("\n", " . ").split())


def test_by_default_nothing_is_shown(train, capsys):
    train(epochs=1)
    assert capsys.readouterr() == ("", "")


def test_without_output_the_folder_is_numbered(train):
    assert [train(output=None, epochs=1).folder for _ in range(2)] == [Path("runs/small"), Path("runs/small-2")]


def test_numbers_of_numpy_and_paths_are_options_too(train, small_corpus):
    run = train(corpus=small_corpus, output=Path("there"), epochs=np.int64(1), lr=np.float32(0.5), tied=np.bool_(True))
    assert run.folder == Path("there")
    assert run.records[0].lr == 0.5


def test_a_recipe_and_a_file_of_options(train):
    Path("mine.toml").write_text("hidden-size = 5\nepochs = 1\ncell = 'lstm'\n")
    run = rnnlm.train(corpus=Path("small"), config="mine.toml", output="run", hidden_size=6, batch_size=4)
    assert (run.model.model.architecture["cell"], run.model.model.architecture["hidden_size"]) == ("lstm", 6)


@pytest.mark.parametrize(("options", "message"), [
    ({"hidden_sise": 3}, r"rnnlm\.train has no option 'hidden_sise': did you mean hidden_size\?$"),
    ({"emsize": 3}, r"did you mean wordvec_size\?$|wordvec"), ({"debug": True}, "'debug': --debug is for"),
    ({"help": True}, "has no option 'help'"),
    ({"recipes": True}, r"has no option 'recipes': --recipes is for the command line only$"),
    ({"recipe": "char"}, r"has no option 'recipe': did you mean config\?$"),
    ({"corpus": b"stories"}, r"^rnnlm\.train: corpus must be a string or a path, got bytes: os\.fsdecode turns"),
    ({"output": b"run"}, "output must be a string or a path, got bytes"),
    ({"seed": 2**128}, r"seed must be a number of at most 128 bits, got one of 129$"),
    ({"hidden_size": 0}, r"^rnnlm\.train: hidden_size must be a whole number of at least 1, got '0'"),
    ({"hidden_size": 2.5}, "hidden_size must be a whole number"), ({"tied": "yes"}, "tied must be true or false"),
    ({"lr": float("nan")}, "lr must be a number above 0"), ({"cell": "lstn"}, "cell must be one of .*lstm"),
    ({"dropout": [0.1]}, r"dropout must be a number of at least 0 and below 1, got \[0\.1\]$"),
    ({"split_shares": (90, 5, 5)}, r"split_shares must be three numbers above 0, as in 90/5/5, got \[90, 5, 5\]$"),
    ({"shuffle": True}, r"^rnnlm\.train: shuffle must be one of none, documents, lines, got True$"),
    ({"corpus": {"a"}}, r"^rnnlm\.train: corpus must be a string, or a list of strings, got \{'a'\}$"),
    ({"freeze": {"a"}}, "freeze must be a string, or a list of strings, got"), ({"tokenizer": 3.5j}, "a string, got"),
    ({"tied": [2**99999]}, "tied must be true or false, got a list with a number of thousands of digits"),
    ({"corpus": "nowhere"}, "no corpus 'nowhere'"),
    ({"optimizer": "adam", "momentum": 0.5}, "momentum does nothing here"), ({"observer": print}, "observer must be"),
    ({"config": "nothing"}, "config must be a file"), ({"batch_size": 10**6}, "batch_size must be at most"),
    ({"resume": True, "overwrite": True}, "give only one of them"),
    ({"resume": True, "output": None, "corpus": None}, "there is no run in runs"),
])
def test_what_cannot_be_is_one_line(train, options, message):
    with pytest.raises(rnnlm.RnnlmError, match=message) as error:
        train(**options)
    assert "\n" not in str(error.value)
    assert not Path("run").exists()


@pytest.mark.parametrize("output", ["typo", "small", None])
def test_what_is_no_run_is_not_resumed(train, small_corpus, output):
    """The command begins a new run there and notes it, but nobody may hear a note."""
    folder = output or "runs/small"
    with pytest.raises(rnnlm.RnnlmError, match=f"^{folder} holds no run to resume: give .*, or leave out") as error:
        train(output=output, resume=True, epochs=1)
    assert "\n" not in str(error.value)
    assert not Path("typo").exists()
    assert not Path("runs").exists()
    assert [path.name for path in small_corpus.iterdir() if path.suffix != ".txt"] == []


def test_a_run_that_left_only_its_options_is_begun_again(train):
    train(epochs=1)
    for path in Path("run").iterdir():
        if path.name != "config.toml":
            path.unlink()
    assert len(rnnlm.train(output="run", resume=True).records) == 1


def test_an_observer_is_told_everything_in_order(train):
    told = Told()
    run = train(epochs=2, observer=told, max_tokens=700)
    notes = [line for name, *line in told.calls if name == "on_note"]
    assert [name for name in told.names if name != "on_note"] == [
        "on_threads", "on_corpus", "on_model", "on_training", *2 * ["on_validation", "on_epoch"], "on_training_over",
        "on_test", "on_end"]
    assert all("\n" not in line for line, in notes)
    facts = {name: arguments for name, *arguments in told.calls}
    assert facts["on_model"][1] == run.folder
    assert facts["on_test"][:2] == [run.test, run.best]
    assert facts["on_end"] == [run.folder, True]
    assert facts["on_epoch"] == [run.records[-1]]
    assert told.steps == run.records[-1].iteration
    again = Told()
    train(epochs=2, resume=True, observer=again, max_tokens=700)
    assert [name for name in again.names if name != "on_note"] == [
        "on_threads", "on_corpus", "on_model", "on_resumed", "on_complete", "on_test", "on_end"]
    saved = {name: arguments for name, *arguments in again.calls}["on_resumed"][0]
    assert (saved.step, saved.epoch, saved.when) == (told.steps, 3, "before")


def test_an_observer_is_told_of_divergence_and_of_the_schedules_end(train):
    told = Told()
    run = train(epochs=60, lr=0.3, patience=1, observer=told)
    assert "on_stalled" in told.names
    assert len(run.records) < 60
    with pytest.raises(rnnlm.RnnlmError, match="training diverged"):
        train(output="wild", lr=1e30, optimizer="sgd", max_grad=0, dropout=0.0, observer=told, activation="relu")
    assert told.names[-1] == "on_training_over"


def test_the_command_is_an_observer_of_everything():
    methods = {name for name in vars(Observer) if name.startswith("on_")}
    shown = vars(Screen) | vars(SeedsScreen)
    assert methods == {name for name in shown if name.startswith("on_")}
    for name in methods - {"on_fetching", "on_encoding"}:
        assert (list(inspect.signature(getattr(Observer, name)).parameters)
                == list(inspect.signature(shown[name]).parameters)), name


def at_step(monkeypatch, step, do):
    """Call ``do`` in the middle of a step of this process."""
    plain, count = Trainer.step, iter(range(1, 10**9))

    def stepping(trainer, xs, ts):
        if next(count) == step:
            do()
        return plain(trainer, xs, ts)

    monkeypatch.setattr(Trainer, "step", stepping)


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_saves_a_checkpoint_and_then_interrupts(train, tmp_path, monkeypatch):
    train(epochs=2, output="whole")
    told, before = Told(), signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        at_step(patch, 9, interrupt)
        with pytest.raises(KeyboardInterrupt) as stopped:
            train(epochs=2, observer=told)
    assert told.steps == 9  # the step was made to its end
    assert [name for name in told.names if name != "on_note"][-2:] == ["on_training_over", "on_stop"]
    assert told.calls[-1][1].step == 9
    assert "rnnlm.train(output='run', resume=True)" in stopped.value.__notes__[0]
    assert signal.getsignal(signal.SIGINT) is before
    rnnlm.train(output="run", resume=True)
    for name in ("model.npz", "checkpoint.npz"):
        if name == "model.npz":
            assert are_equal(tmp_path / "run" / name, tmp_path / "whole" / name)
    assert without_times(tmp_path / "run") == without_times(tmp_path / "whole")


def test_a_second_ctrl_c_does_not_wait(train, monkeypatch):
    told = Told()
    at_step(monkeypatch, 9, lambda: (interrupt(), interrupt()))
    with pytest.raises(KeyboardInterrupt) as stopped:
        train(epochs=2, observer=told)
    assert told.steps == 8
    assert "on_stop" not in told.names
    assert not hasattr(stopped.value, "__notes__")


def test_a_ctrl_c_after_the_last_step_ends_the_callers_loop_and_the_run_is_whole(train, tmp_path):
    class Hurried(Observer):
        def on_end(self, folder, drawn):
            interrupt()

    train(epochs=1, output="whole")
    with pytest.raises(KeyboardInterrupt):
        train(epochs=1, observer=Hurried())
    assert are_equal(tmp_path / "run/model.npz", tmp_path / "whole/model.npz")
    assert without_times(tmp_path / "run") == without_times(tmp_path / "whole")


def test_a_handler_of_ones_own_is_left_alone(train, monkeypatch):
    heard = []
    at_step(monkeypatch, 9, interrupt)
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(True))
    try:
        train(epochs=1)
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [True]


def test_what_an_observer_raises_ends_the_run_which_can_be_resumed(train, tmp_path):
    class Bored(Observer):
        def on_epoch(self, record):
            raise LookupError("enough")

    train(epochs=2, output="whole")
    with pytest.raises(LookupError, match="enough"):
        train(epochs=2, observer=Bored())
    assert len(rnnlm.train(output="run", resume=True).records) == 2
    assert are_equal(tmp_path / "run/model.npz", tmp_path / "whole/model.npz")


def test_in_a_thread_of_its_own(train):
    runs = []
    thread = threading.Thread(target=lambda: runs.append(train(epochs=1)))
    thread.start()
    thread.join()
    assert len(runs[0].records) == 1


def test_an_observer_need_not_show_how_far_files_are(train, monkeypatch, tmp_path):
    """A method that returns nothing is as good as one that returns a function."""
    from rnnlm.text import numbered_cache

    monkeypatch.setenv("RNNLM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(numbered_cache, "LONG", 100)
    told = Told()
    train(epochs=1, observer=told)
    assert "on_encoding" in told.names
