"""Interrupted and resumed = uninterrupted, bit for bit; nothing else passes for it."""

import errno
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest
from training_runs import SMALL, header_of, metrics, rows, without_times

from rnnlm.formats.model_file import load_model
from rnnlm.runs import opening
from rnnlm.training.trainer import Trainer

pytestmark = pytest.mark.slow

EPOCHS = ["--epochs", "3"]
STEPS = 35  # of an epoch of the small corpus


def same_end(folder, other):
    """Whether two runs ended alike."""
    return ((folder / "model.npz").read_bytes() == (other / "model.npz").read_bytes()
            and without_times(folder) == without_times(other))


def rewrite(path, change):
    """Alter a checkpoint's arrays, a dict by name, and write it with sums that fit."""
    with np.load(path) as members:
        arrays = dict(members)
    change(arrays)
    np.savez(path, **arrays)


def damage(path, offset=300):
    """Flip a bit of an array in a checkpoint."""
    data = bytearray(path.read_bytes())
    data[data.index(b"affine/W.npy") + offset] ^= 1  # behind the headers of ZIP and .npy
    path.write_bytes(data)


@pytest.mark.parametrize("options", [
    ["--optimizer", "sgd"], ["--optimizer", "momentum"], ["--optimizer", "adam"], ["--layers", "2"], ["--threads", "2"],
    ["--lr", "0.3", "--patience", "9"], ["--level", "char"], ["--max-tokens", "500", "--max-vocab", "9"],
    ["--cell", "lstm", "--tied", "--random-start", "--average", "tail", "--average-from", "0.4", "--schedule",
     "cosine"],
    ["--cell", "gru", "--optimizer", "rmsprop", "--weight-decay", "0.1", "--average", "exponential", "--warm-up", "9"],
    ["--activation", "relu", "--projection", "--weight-drop", "0.2", "--word-dropout", "0.1", "--dropout-start",
     "0.2", "--dropout-mask", "window", "--activation-penalty", "1", "--slowness-penalty", "1", "--schedule", "linear"],
    ["--optimizer", "adamw", "--noising", "0.2"],
    ["--cell", "mrnn", "--weight-drop", "0.2", "--optimizer", "adamw", "--matrix-weight-decay", "0.1"],
    ["--optimizer", "adagrad", "--random-length", "--time-size", "12"],
    ["--softmax", "adaptive", "--layers", "2"],
    ["--softmax", "adaptive", "--cutoffs", "4,9", "--tied", "--cell", "lstm", "--average", "exponential",
     "--word-dropout", "0.1", "--output-start", "frequencies"],
    ["--shuffle", "lines"], ["--shuffle", "lines", "--random-start", "--random-length", "--time-size", "12",
                             "--noising", "0.2"]],
    ids=" ".join)
def test_a_run_stopped_again_and_again_ends_where_it_would_have_ended(run, tmp_path, options):
    assert run(*EPOCHS, *options, output="whole")[0] == 0
    steps = metrics(tmp_path / "whole")[0]["iteration"]
    for step, resume in ((5, []), (steps, ["--resume"]), (3, ["--resume"]), (steps - 6, ["--resume"])):
        code, *_ = run.stopped_at(step, signal.SIGINT, *EPOCHS, *options, *resume)
        assert code == 130
    code, out, _ = run(*EPOCHS, *options, "--resume")
    assert code == 0
    assert f"resumed after step {2 * steps + 2}, in epoch 3" in out
    assert same_end(tmp_path / "run", tmp_path / "whole")
    assert len(rows(out)) == 1


@pytest.mark.parametrize("piece", ["state/rnn1/h", "generator", "optimizer/m/rnn1/Wh", "optimizer/v/embedding/W",
                                   "steps", "position", "start", "order", "average/affine/b", "count", "nothing"])
def test_a_piece_left_out_of_the_checkpoint_is_noticed(run, tmp_path, piece):
    """The negative control of the test above: without any one piece the end differs."""
    options = [*EPOCHS, "--random-start", "--shuffle", "lines", "--average", "exponential"]
    run(*options, output="whole")
    run.stopped_at(STEPS + 20, signal.SIGINT, *options)

    def leave_out(arrays):
        header = json.loads(arrays["header"].tobytes())
        numbers = header["numbers"]
        if piece == "generator":
            fresh = np.random.default_rng(1).spawn(1)[0].bit_generator.state
            numbers["dropout"]["state"] = fresh["state"]
        elif piece == "steps":
            numbers["optimizer"]["steps"] = 0
        elif piece == "position":
            numbers["batches"]["position"] -= 7
            numbers["sums"]["targets"] -= 4 * 7
        elif piece in ("start", "order"):
            numbers["batches"][piece] -= 1
        elif piece == "count":
            numbers["average"]["count"] -= 1
        elif piece != "nothing":
            assert arrays[piece].any()
            arrays[piece] = np.zeros_like(arrays[piece])
        arrays["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)

    rewrite(tmp_path / "run/checkpoint.npz", leave_out)
    assert run(*options, "--resume")[0] == 0
    assert same_end(tmp_path / "run", tmp_path / "whole") == (piece == "nothing")


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_step_saves_and_says_how_to_go_on(small_corpus, tmp_path, signum, code):
    command = [sys.executable, "-m", "rnnlm", "train", "--corpus", str(small_corpus), "--output", "a run", *SMALL,
               "--epochs", "1000000", "--patience", "1000000"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for(tmp_path / "a run/model.npz")
        process.send_signal(signum)
        out, err = process.communicate(timeout=300)
    assert process.returncode == code, err
    assert "stopping after this step; press Ctrl-C again to quit immediately" in err
    assert "best model so far: validation perplexity" in err
    assert "test perplexity" not in out  # it is read once, at the end
    assert (tmp_path / "a run/perplexity.png").exists()
    step = int(re.search(r"stopped after step ([\d,]+), (in|before) epoch", err)[1].replace(",", ""))
    line, = re.findall(r"to resume: rnnlm (.*)", err)
    assert line == "train --resume --output 'a run'"
    resumed = subprocess.run(f"{sys.executable} -m rnnlm {line} --epochs 1", shell=True, cwd=tmp_path,
                             capture_output=True, text=True)
    assert resumed.returncode == 0, resumed.stderr
    assert f"resumed after step {step:,}" in resumed.stdout


def wait_for(path):
    deadline = time.monotonic() + 300
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.02)


def test_a_run_stopped_in_its_first_epoch_says_that_there_is_no_model_yet(run, tmp_path):
    code, _, err = run.stopped_at(3, signal.SIGTERM)
    assert code == 143
    assert "stopped after step 3, in epoch 1" in err
    assert "best model" not in err
    assert not (tmp_path / "run/model.npz").exists()


@pytest.mark.parametrize("when", ["validation", "test"])
def test_a_signal_while_a_text_is_scored_is_no_loss_either(run, tmp_path, monkeypatch, when):
    import rnnlm.runs.session

    run(*EPOCHS, output="whole")
    plain, calls = rnnlm.runs.session.evaluate, itertools.count(1)
    at = {"validation": 2, "test": 4}[when]

    def signalled(*arguments, **options):
        if next(calls) == at:
            os.kill(os.getpid(), signal.SIGINT)
        return plain(*arguments, **options)

    monkeypatch.setattr(rnnlm.runs.session, "evaluate", signalled)
    code, out, err = run(*EPOCHS)
    assert code == 130
    assert "test perplexity" not in out
    assert {"validation": "stopped after step 70, in epoch 2", "test": "the test text is not scored"}[when] in err
    assert len(metrics(tmp_path / "run")) == {"validation": 1, "test": 3}[when]
    code, out, _ = run.bare("--resume", "--output", "run")
    assert code == 0
    assert "test perplexity" in out
    assert same_end(tmp_path / "run", tmp_path / "whole")


def test_a_second_signal_leaves_without_saving(run, tmp_path):
    code, _, err = run.stopped_at(STEPS + 3, signal.SIGINT, times=2)
    assert code == 130
    assert "to go on" not in err
    assert header_of(tmp_path / "run/checkpoint.npz")["numbers"]["iteration"] == STEPS
    assert run(*EPOCHS, "--resume")[0] == 0


def test_resume_takes_the_options_of_the_run(run, tmp_path):
    run(*EPOCHS, "--seed", "5", output="whole")
    run.stopped_at(40, signal.SIGINT, *EPOCHS, "--seed", "5")
    assert run.bare("--resume", "--output", "run")[0] == 0
    assert same_end(tmp_path / "run", tmp_path / "whole")


def test_options_on_which_the_training_depends_cannot_change(run, tmp_path):
    run("--epochs", "1")
    assert run("--resume", "--epochs", "2", "--patience", "8", "--max-grad", "0.25")[0] == 0
    assert run("--resume", "--epochs", "1")[0] == 0  # training is already complete: the run's own options stay
    assert tomllib.loads((tmp_path / "run/config.toml").read_text())["epochs"] == 2
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    (tmp_path / "c.toml").write_text("dropout = 0.7\nepochs = 9\n")
    code, out, err = run("--resume", "--seed", "2", "--hidden-size", "13", "--config", "c.toml", "--dropout", "0.1")
    assert (code, out) == (1, "")
    assert "--hidden-size is 13, was 12" in err
    assert "--seed is 2, was 1" in err
    assert "dropout" not in err
    code, _, err = run.bare("--resume", "--output", "run", "--config", "c.toml")
    assert "cannot be resumed with other options: --dropout is 0.7 in the --config, was 0.1. Leave --config out" in err
    err = run.bare("--resume", "--output", "run", "--config", "c.toml", "--seed", "2")[2]
    assert "--seed is 2, was 1" in err
    assert ". Leave them and --config out, or" in err
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before
    err = run("--resume", "--optimizer", "sgd", "--lr", "3")[2]
    assert "--optimizer is sgd, was adam; --lr is 3.0, was 0.02. Leave" in err
    err = run.bare("--resume", "--output", "run", "--optimizer", "sgd")[2]
    assert "--optimizer is sgd, was adam. Leave" in err


def test_a_run_from_before_an_option_was_there_goes_on(run, tmp_path, monkeypatch):
    """As its checkpoints do not hold it, it has the option's default."""
    run(*EPOCHS, output="whole")
    newer = ("momentum", "alpha", "beta1", "beta2", "eps", "noising", "dropout_start")
    plain = opening.of_the_run
    with monkeypatch.context() as patch:
        patch.setattr(opening, "of_the_run", lambda options: {"options": {
            name: value for name, value in plain(options)["options"].items() if name not in newer}})
        assert run.stopped_at(20, signal.SIGINT, *EPOCHS)[0] == 130
    assert not set(newer) & set(header_of(tmp_path / "run/checkpoint.npz")["run"]["options"])
    assert run("--resume")[0] == 0
    assert without_times(tmp_path / "run") == without_times(tmp_path / "whole")


def test_options_on_which_it_does_not_may_change(run, tmp_path, small_corpus):
    run("--epochs", "1", "--threads", "1")
    run(*EPOCHS, output="whole")
    small_corpus.rename(tmp_path / "moved")
    code, _, err = run.bare("--resume", "--output", "run", "--corpus", "moved", "--epochs", "3", "--patience", "7",
                            "--threads", "2", "--checkpoint-minutes", "3", "--on-divergence", "rollback")
    assert code == 0
    assert ("threads 1 before, 2 now: the result will be close to that of an uninterrupted run, but not bit for bit "
            "the same") in err
    assert without_times(tmp_path / "run") == without_times(tmp_path / "whole")  # so small a run uses one thread anyway
    config = tomllib.loads((tmp_path / "run/config.toml").read_text())
    assert (config["epochs"], config["patience"], config["corpus"]) == (3, 7, str(tmp_path / "moved"))


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_another_text_is_noticed(run, small_corpus, split):
    run("--epochs", "1")
    with open(small_corpus / f"{split}.txt", "a") as file:
        file.write("the dog .\n")
    code, _, err = run("--epochs", "2", "--resume")
    assert code == 1
    assert "the run in run was trained on different text from" in err
    assert "pass its original --corpus" in err


@pytest.mark.parametrize("which", ["newest", "its header"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_taken(run, tmp_path, which):
    run(*EPOCHS, output="whole")
    run.stopped_at(STEPS + 9, signal.SIGINT, *EPOCHS)
    newest = tmp_path / "run/checkpoint.npz"
    if which == "newest":
        damage(newest)
    else:
        newest.write_bytes(newest.read_bytes()[:300])
    data = newest.read_bytes()
    code, out, err = run(*EPOCHS, "--resume")
    assert code == 0
    assert "run/checkpoint.npz is not a whole rnnlm checkpoint" in err
    assert "it is kept as checkpoint-damaged.npz, and the one before it is used" in err
    assert f"resumed after step {STEPS}, before epoch 2" in out
    assert (tmp_path / "run/checkpoint-damaged.npz").read_bytes() == data
    assert same_end(tmp_path / "run", tmp_path / "whole")


def test_when_all_are_damaged_nothing_is_touched(run, tmp_path):
    run.stopped_at(2 * STEPS + 9, signal.SIGINT, *EPOCHS)
    for name in ("checkpoint.npz", "checkpoint-previous.npz"):
        damage(tmp_path / "run" / name)
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    code, _, err = run(*EPOCHS, "--resume")
    assert code == 1
    assert err.count("is not a whole rnnlm checkpoint") == 2
    assert "Start a new run with another --output; model.npz stays as it is" in err
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before


@pytest.mark.parametrize("harm", ["removed", "cut", "doubled", "foreign"])
def test_metrics_have_no_line_twice_and_none_missing(run, tmp_path, harm):
    run(*EPOCHS, output="whole")
    run.stopped_at(2 * STEPS + 9, signal.SIGINT, *EPOCHS)
    path = tmp_path / "run/metrics.jsonl"
    content = path.read_bytes()
    path.write_bytes({"removed": b"", "cut": content[:-20], "doubled": content * 2, "foreign": b"\xff\n"}[harm])
    assert run(*EPOCHS, "--resume")[0] == 0
    assert same_end(tmp_path / "run", tmp_path / "whole")


def test_the_best_model_is_made_again_where_the_run_was_killed_before_it_was_saved(run, tmp_path):
    run("--epochs", "1", output="whole")
    run("--epochs", "1")
    (tmp_path / "run/model.npz").unlink()
    code, _, err = run("--resume", "--epochs", "1")
    assert code == 0
    assert "training is already complete; to train further, give a larger --epochs" in err
    assert same_end(tmp_path / "run", tmp_path / "whole")


def test_a_finished_run_goes_on_with_more_epochs_or_patience(run, tmp_path):
    stop_early = ["--lr", "0.3", "--lr-factor", "10", "--epochs", "60"]
    run(*stop_early, "--patience", "4", output="whole")
    run(*stop_early, "--patience", "2")
    assert len(metrics(tmp_path / "run")) < len(metrics(tmp_path / "whole")) < 60
    code, *_ = run.bare("--resume", "--output", "run", "--patience", "4")
    assert code == 0
    assert same_end(tmp_path / "run", tmp_path / "whole")


def test_where_there_is_no_checkpoint_yet_the_run_starts_from_its_beginning(run, tmp_path):
    run(*EPOCHS, "--seed", "3", output="whole")
    code, _, err = run(*EPOCHS, "--seed", "3", "--resume")
    assert code == 0
    assert "run holds no checkpoint yet: training starts from the beginning, on " in err
    assert same_end(tmp_path / "run", tmp_path / "whole")
    for path in (tmp_path / "run").iterdir():  # all that a run leaves which is killed before its first checkpoint
        if path.name != "config.toml":
            path.unlink()
    assert run.bare("--resume", "--output", "run")[0] == 0
    assert same_end(tmp_path / "run", tmp_path / "whole")


def test_a_run_from_before_a_rule_was_there_goes_on(run, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("rnnlm.runs.request.require_possible_rates", lambda options: None)
        run("--epochs", "1", "--optimizer", "sgd", "--lr", "0.1", "--weight-decay", "11")
    assert run.bare("--resume", "--output", "run", "--epochs", "2")[0] == 0


def test_what_was_not_given_is_said_so(run):
    run("--epochs", "1")
    err = run.bare("--resume", "--output", "run", "--recurrent-start", "identity")[2]
    assert "--recurrent-start is identity, was not given. Leave" in err


def test_resume_and_overwrite_exclude_each_other(run):
    code, _, err = run("--resume", "--overwrite")
    assert code == 1
    assert "--resume continues a run and --overwrite replaces it: give only one of them" in err


@pytest.mark.parametrize("how", [[], ["--resume"], ["--overwrite"]])
def test_a_second_run_into_the_same_folder_is_refused_while_the_first_lives(run, small_corpus, tmp_path, how):
    command = [sys.executable, "-m", "rnnlm", "train", "--corpus", str(small_corpus), "--output", "run", *SMALL,
               "--epochs", "1000000", "--patience", "1000000"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for(tmp_path / "run/model.npz")
        code, out, err = run(*how)
        process.kill()
    assert (code, out) == (1, "")
    assert f"run is in use by process {process.pid} on" in err
    code, _, err = run("--epochs", "1", *how)  # the lock is gone with its process, the run is not
    assert code == (0 if how else 1)
    assert how or "continue it with --resume, or replace it with --overwrite" in err


def test_a_checkpoint_is_saved_within_an_epoch_too(run, tmp_path, monkeypatch):
    import rnnlm.runs.saving
    from rnnlm.runs.saving import Saver

    now = itertools.count(0, 20)  # every look at the clock is 20 seconds later
    monkeypatch.setattr(rnnlm.runs.saving.time, "monotonic", lambda: next(now))
    saved = []
    plain = Saver.save

    def save(saver):
        saved.append(saver.trainer.iteration)
        plain(saver)

    monkeypatch.setattr(Saver, "save", save)
    run("--epochs", "1", "--checkpoint-minutes", "3")
    assert saved[-1] == STEPS
    assert 2 < len(saved) < STEPS / 2
    assert saved[:-1] == list(range(saved[0], STEPS + 1, 4))


def test_what_a_killed_run_left_half_written_is_swept_and_nothing_else(run, tmp_path):
    (tmp_path / "run").mkdir()
    for name in (".checkpoint-next.npz.0a1b2c3d.tmp", ".model.npz.00000000.tmp", ".mine.tmp", "notes.tmp",
                 ".backup.20240131.tmp", ".lock"):
        (tmp_path / "run" / name).write_text("x")
    run("--epochs", "1")
    assert {".mine.tmp", "notes.tmp", ".backup.20240131.tmp", ".lock"} == {
        name for name in os.listdir(tmp_path / "run") if name.endswith((".tmp", "lock"))}


def test_what_a_run_needs_is_checked_before_it_begins(run, tmp_path, monkeypatch):
    import shutil

    room = shutil.disk_usage(tmp_path)._replace(free=20_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: room)
    code, out, err = run()
    assert (code, out) == (1, "")
    assert re.search(r"run needs 1\.\d MB more for checkpoints and models, but only 0\.0 MB are free: free", err)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("more", ["--average exponential", "--optimizer adam"])
def test_the_room_asked_for_holds_all_that_a_checkpoint_does(run, tmp_path, monkeypatch, more):
    from rnnlm.runs.run_folder import RunFolder

    asked, written, ask = [], [], RunFolder.require_space

    def recorded(folder, checkpoint_bytes, *others):
        asked.append(checkpoint_bytes)
        ask(folder, checkpoint_bytes, *others)

    monkeypatch.setattr(RunFolder, "require_space", recorded)
    for options in (["--optimizer", "sgd"], ["--optimizer", "sgd", *more.split()]):
        run("--epochs", "1", "--hidden-size", "64", *options, output=" ".join(options))
        written.append((tmp_path / " ".join(options) / "checkpoint.npz").stat().st_size)
    assert written[1] - written[0] == pytest.approx(asked[1] - asked[0], abs=4000)
    assert asked[1] - asked[0] > 20_000


def test_a_checkpoint_of_another_model_is_refused(run, tmp_path):
    run("--epochs", "1")
    run("--epochs", "1", "--hidden-size", "9", output="other")
    header = header_of(tmp_path / "run/checkpoint.npz")
    path = tmp_path / "other/checkpoint.npz"
    header["architecture"] = header_of(path)["architecture"]
    rewrite(path, lambda arrays: arrays.update(header=np.frombuffer(json.dumps(header).encode(), np.uint8)))
    path.rename(tmp_path / "run/checkpoint.npz")
    code, _, err = run("--resume", "--epochs", "2")
    assert code == 1
    assert "contradicts itself" in err


def test_options_in_a_checkpoint_are_checked_like_those_of_a_file(run, tmp_path):
    run("--epochs", "1")
    path = tmp_path / "run/checkpoint.npz"
    for options, message in (({"batch_size": -1}, "batch_size must be a whole number of at least 1, got '-1'"),
                             ({"nonsense": 1}, "unknown option 'nonsense'"), ([], "options must be a JSON object")):
        header = header_of(path)
        header["run"]["options"] = options
        data = np.frombuffer(json.dumps(header).encode(), np.uint8)
        rewrite(path, lambda arrays, data=data: arrays.update(header=data))
        code, _, err = run("--resume")
        assert code == 1
        assert message in err
        assert len(err.splitlines()) == 1


@pytest.mark.parametrize(("column", "value"), [
    ("epoch", 2), ("iteration", np.nan), ("tokens", -1), ("train_loss", np.inf), ("valid_loss", -1),
    ("valid_loss", np.nan), ("lr", np.inf), ("grad_norm", np.nan), ("seconds", -np.inf), ("improved", np.nan)])
def test_records_that_no_epoch_can_have_had_are_refused(run, tmp_path, column, value):
    run("--epochs", "1")
    place = list(metrics(tmp_path / "run")[0]).index(column)
    path = tmp_path / "run/checkpoint.npz"

    def spoil(arrays):
        arrays["records"][0, place] = value

    rewrite(path, spoil)
    code, _, err = run("--resume")
    assert code == 1
    assert "records hold numbers that no epoch can have had: [" in err.splitlines()[-1]


def test_training_state_is_not_touched_by_saving(run, tmp_path):
    run(*EPOCHS, output="whole")
    run(*EPOCHS, "--checkpoint-minutes", "1e-9")
    assert same_end(tmp_path / "run", tmp_path / "whole")


def test_the_model_in_the_folder_is_whole_at_every_step(run, tmp_path, monkeypatch):
    plain, looks = Trainer.step, []

    def look(trainer, xs, ts):
        if trainer.iteration > STEPS:
            load_model(tmp_path / "run")
            looks.append(trainer.iteration)
        return plain(trainer, xs, ts)

    monkeypatch.setattr(Trainer, "step", look)
    run(*EPOCHS)
    assert len(looks) == 2 * STEPS - 1


@pytest.mark.parametrize("left", ["model.npz", "metrics.jsonl"])
def test_a_run_that_left_no_checkpoint_is_not_begun_anew_by_resume(run, tmp_path, left):
    run("--epochs", "1")
    for path in (tmp_path / "run").iterdir():
        if path.name not in (left, "config.toml"):
            path.unlink()
    before = (tmp_path / "run" / left).read_bytes()
    code, _, err = run("--resume")
    assert code == 1
    assert f"run holds {left} but no checkpoint to resume from: replace it with --overwrite" in err
    assert (tmp_path / "run" / left).read_bytes() == before


def test_overwriting_that_is_killed_leaves_the_old_run_or_the_new_one(run, tmp_path):
    """Wherever it dies, --resume continues one, and nothing of the other is left."""
    class Killed(BaseException):
        pass

    run("--epochs", "1", "--seed", "1", output="old")
    run("--epochs", "1", "--seed", "2", output="new")
    ends = []
    for at in range(1, 60):
        run("--epochs", "1", "--seed", "1", "--overwrite")
        left = at

        def deadly(plain):
            def call(*arguments, **options):
                nonlocal left
                left -= 1
                if left == 0:
                    raise Killed
                return plain(*arguments, **options)

            return call

        with run.monkeypatch.context() as patch:
            for place, names in ((os, ("replace", "unlink", "open")), (Path, ("unlink",))):
                for name in names:
                    patch.setattr(place, name, deadly(getattr(place, name)))
            try:
                run("--epochs", "1", "--seed", "2", "--overwrite")
            except Killed:
                pass
            else:
                break
        run.capsys.readouterr()
        code, _, err = run.bare("--resume", "--output", "run")
        assert code == 0, err
        ends.append(next(name for name in ("old", "new") if same_end(tmp_path / "run", tmp_path / name)))
        seed = tomllib.loads((tmp_path / "run/config.toml").read_text())["seed"]
        assert seed == {"old": 1, "new": 2}[ends[-1]]
        assert not (tmp_path / "run/checkpoint-next.npz").exists()
    assert ends == sorted(ends, reverse=True)
    assert set(ends) == {"old", "new"}


@pytest.mark.parametrize("code", [errno.EMFILE, errno.EIO, errno.EACCES])
def test_a_checkpoint_that_cannot_be_read_just_now_is_not_taken_for_damaged(run, tmp_path, code):
    run.stopped_at(STEPS + 9, signal.SIGINT, *EPOCHS)
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").glob("*.npz")}
    plain = open

    def fails(path, *arguments, **options):
        if str(path).endswith("checkpoint.npz"):
            raise OSError(code, os.strerror(code))
        return plain(path, *arguments, **options)

    with run.monkeypatch.context() as patch:
        patch.setattr("builtins.open", fails)
        exit_code, _, err = run(*EPOCHS, "--resume")
    assert exit_code == 1
    assert f"run/checkpoint.npz could not be read: {os.strerror(code).lower()}" in err.splitlines()[-1]
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").glob("*.npz")} == before


def test_files_of_the_users_own_stay(run, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "precious.txt").write_text("mine")
    (tmp_path / "run/.rnnlm.lock").symlink_to(tmp_path / "precious.txt")
    code, _, err = run("--epochs", "1")
    assert code == 1
    assert "could not be prepared" in err
    assert (tmp_path / "precious.txt").read_text() == "mine"
    (tmp_path / "run/.rnnlm.lock").unlink()
    (tmp_path / "run/perplexity.png").mkdir()
    for how in ([], ["--overwrite"]):
        code, _, err = run("--epochs", "1", *how)
        assert code == 1
    assert "run/perplexity.png is a folder, but the run writes a file there: move it" in err
    assert not (tmp_path / "run/config.toml").exists()


@pytest.mark.parametrize("harm", ["missing", "damaged"])
def test_a_best_model_that_is_gone_is_said_at_once(run, tmp_path, harm):
    run.stopped_at(STEPS + 9, signal.SIGINT, *EPOCHS)
    path = tmp_path / "run/model.npz"
    path.unlink()
    if harm == "damaged":
        path.write_bytes(b"x")
    _, _, err = run.stopped_at(3, signal.SIGINT, *EPOCHS, "--resume")
    assert "unless a later epoch gives a better model, the run will end without one" in err


def test_a_signal_that_is_ignored_stays_ignored(run):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert run.stopped_at(3, signal.SIGINT, "--epochs", "1")[0] == 0
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_folder_with_a_line_break_in_its_name_breaks_no_line(run):
    _, out, err = run("--epochs", "1", output="a\nb")
    assert r"run folder a\nb" in out
    assert r"picture are in a\nb; to write" in err


def test_a_terminal_that_closes_sends_sighup_more_than_once(run, tmp_path):
    code, _, err = run.stopped_at(STEPS + 3, signal.SIGHUP, times=2)
    assert code == 129
    assert "stopped after step 38, in epoch 2" in err


def test_a_whole_checkpoint_of_another_run_is_not_taken_for_a_damaged_one(run, tmp_path):
    """After --overwrite was killed, and its first checkpoint damaged.

    The old run does not get the new options.
    """
    run("--epochs", "2", "--hidden-size", "150", output="old")
    run.stopped_at(1, signal.SIGINT, "--epochs", "2", "--hidden-size", "150", "--seed", "9")
    newest = tmp_path / "old/checkpoint-next.npz"
    newest.write_bytes((tmp_path / "run/checkpoint.npz").read_bytes())
    damage(newest, 8000)  # further than anything is read of an array before all headers are
    before = {path.name: path.read_bytes() for path in (tmp_path / "old").iterdir()}
    code, _, err = run.bare("--resume", "--output", "old")
    assert code == 1, err
    assert "old/checkpoint.npz belongs to another run than the newer checkpoint, which is damaged: delete" in err
    assert {path.name: path.read_bytes() for path in (tmp_path / "old").iterdir()} == before
    newest.unlink()
    assert run.bare("--resume", "--output", "old")[0] == 0


def test_a_corpus_that_no_system_could_have_is_one_short_line(run):
    code, _, err = run(corpus="x" * 5000)
    assert code == 1
    assert "no corpus 'xxx" in err
    assert len(err) < 600
