"""Models that a run keeps on its way, by the number of tokens read."""

import os
import shutil
import signal
from contextlib import suppress

import numpy as np
import pytest
from training_runs import header_of, metrics

import rnnlm
from rnnlm.errors import RnnlmError
from rnnlm.formats.kept import kept_models
from rnnlm.formats.model_file import load_model
from rnnlm.runs.marks import Marks
from rnnlm.runs.observer import Observer
from rnnlm.runs.options import TRAIN
from rnnlm.runs.run_folder import RunFolder
from rnnlm.runs.saving import Saver
from rnnlm.training.optimizers import OPTIMIZERS, SGD

STEPS, STEP, EPOCH = 35, 28, 956  # steps of an epoch of the small corpus; targets of a step, of an epoch
KEEP = ["--keep-every", "300", "--keep-at", "50,600-1k:200"]
MARKS = [50, 300, 600, 800, 900, 1000, 1200, 1500, 1800]  # in two epochs
TOKENS = [56, 308, 616, 812, 924, 1012, 1208, 1516, 1824]


class Killed(BaseException):
    """Ends a run where it is, as a kill does: nothing more is saved."""


class Ends(Observer):
    """Kills a run when it has been resumed."""

    def on_resumed(self, saved):
        raise Killed


def kept(folder):
    """The content of the kept models, by name."""
    return {path.name: path.read_bytes() for path in sorted((folder / "kept").iterdir())}


def names(*marks):
    return [f"tokens-{mark:012}.npz" for mark in marks]


def arrays_of(path):
    with np.load(path) as members:
        return {name: members[name] for name in members.files if name not in ("header", "counts", "vocabulary")}


def test_a_model_of_the_very_step_of_a_checkpoint_stays(run, tmp_path):
    assert run("--epochs", "1", "--keep-every", str(EPOCH))[0] == 0
    assert run.bare("--resume", "--output", "run", "--epochs", "2")[0] == 0
    assert list(kept(tmp_path / "run")) == names(EPOCH, 2 * EPOCH)


def test_models_are_kept_at_the_first_step_that_has_read_so_many_tokens(run, tmp_path):
    code, _, err = run("--epochs", "2", *KEEP)
    assert code == 0
    assert metrics(tmp_path / "run")[0]["tokens"] == EPOCH
    assert list(kept(tmp_path / "run")) == names(*MARKS)
    assert [model.tokens for model in kept_models(tmp_path / "run")] == TOKENS
    for model in kept_models(tmp_path / "run"):
        training = header_of(model.path)["training"]
        epoch = 1 + (model.tokens > EPOCH)
        steps = -(-(model.tokens - (epoch - 1) * EPOCH) // STEP) + (epoch - 1) * STEPS
        assert training == {"tokens": model.tokens, "epoch": epoch, "iteration": steps}
        assert len(load_model(model.path)[1]) == 16
    size = "3.0 kB"  # 700 parameters of 4 bytes, the words and their counts
    assert f"note: up to 9 models of {size} each will be kept in run/kept" in err.splitlines()


def test_they_change_nothing_else(run, tmp_path):
    run("--epochs", "2", *KEEP, output="one")
    run("--epochs", "2", output="other")
    assert not (tmp_path / "other/kept").exists()
    assert (tmp_path / "one/model.npz").read_bytes() == (tmp_path / "other/model.npz").read_bytes()


@pytest.mark.parametrize("options", [[], ["--average", "exponential"], ["--average", "tail", "--average-from", "0.1"]],
                         ids=str)
def test_they_have_the_weights_that_would_be_validated(run, tmp_path, options):
    """At an epoch's end: those of model.npz, with an average not those of training."""
    run("--epochs", "1", "--keep-at", f"{EPOCH}", *options)
    (name,) = kept(tmp_path / "run")
    own, best = arrays_of(tmp_path / "run/kept" / name), arrays_of(tmp_path / "run/model.npz")
    training = arrays_of(tmp_path / "run/checkpoint.npz")
    assert own.keys() == best.keys()
    assert all((own[name] == best[name]).all() for name in own)
    assert all((own[name] == training[name]).all() for name in own) == (not options)


def test_of_several_numbers_within_a_step_the_last_one_is_kept(run, tmp_path):
    run("--epochs", "1", "--keep-at", "1-60:1")
    assert list(kept(tmp_path / "run")) == names(28, 56, 60)
    assert [model.tokens for model in kept_models(tmp_path / "run")] == [28, 56, 84]


@pytest.mark.parametrize("options", [
    ["--average", "exponential"], pytest.param(["--layers", "2", "--random-start"], marks=pytest.mark.slow)],
    ids=" ".join)
def test_a_run_stopped_again_and_again_keeps_the_models_of_one_that_was_not(run, tmp_path, options):
    options = ["--epochs", "2", *KEEP, *options]
    run(*options, output="whole")
    for step, resume in ((2, []), (11, ["--resume"]), (20, ["--resume"]), (3, ["--resume"])):  # the 2nd keeps 50
        assert run.stopped_at(step, signal.SIGINT, *options, *resume)[0] == 130
    assert run(*options, "--resume")[0] == 0
    assert kept(tmp_path / "run") == kept(tmp_path / "whole")


@pytest.mark.parametrize("kill", ["before the checkpoint of its step", *(
    pytest.param(when, marks=pytest.mark.slow) for when in ("before it was kept", "after it was kept"))])
def test_a_run_that_was_killed_keeps_them_too(run, tmp_path, monkeypatch, kill):
    options = ["--epochs", "2", *KEEP]
    run(*options, output="whole")
    keep, save = Saver.keep_model, Saver.save

    def killed_at_a_model(saver, mark):
        if mark != 1200 or kill != "before it was kept":
            keep(saver, mark)
        if mark == 1200 and kill != "before the checkpoint of its step":
            raise Killed

    def killed_at_a_checkpoint(saver):
        if saver.trainer.tokens == 1208 and kill == "before the checkpoint of its step":
            raise Killed
        save(saver)

    with monkeypatch.context() as patch:
        patch.setattr(Saver, "keep_model", killed_at_a_model)
        patch.setattr(Saver, "save", killed_at_a_checkpoint)
        patch.setattr(Saver, "is_due", lambda saver, minutes: saver.trainer.tokens in (1180, 1208))
        with pytest.raises(Killed):
            run(*options)
    last = 1000 if kill == "before it was kept" else 1200
    assert list(kept(tmp_path / "run")) == names(*[mark for mark in MARKS if mark <= last])
    half = tmp_path / "run/kept/.tokens-000000000300.npz.01234567.tmp"
    half.write_bytes(b"half")  # what a kill in the middle of a write leaves
    with pytest.raises(Killed):  # again, before it has come so far
        rnnlm.train(output="run", resume=True, observer=Ends())
    assert header_of(tmp_path / "run/checkpoint.npz")["numbers"]["tokens"] == 1180
    assert list(kept(tmp_path / "run")) == names(*[mark for mark in MARKS if mark <= 1180])  # none of a future
    assert run(*options, "--resume")[0] == 0
    assert kept(tmp_path / "run") == kept(tmp_path / "whole")


def test_after_a_rollback_there_are_none_of_the_discarded_future(run, tmp_path, monkeypatch):
    broken = []

    class Breaks(SGD):
        def update(self, params, *others):
            super().update(params, *others)
            if self.steps == STEPS + 20 and not broken:
                broken.append([path.name for path in (tmp_path / "run/kept").iterdir()])
                params[-1][...] = np.nan

    options = ["--epochs", "2", "--optimizer", "sgd", "--on-divergence", "rollback", *KEEP]
    run(*options, output="whole")
    monkeypatch.setitem(OPTIMIZERS, "sgd", Breaks)
    assert run(*options)[0] == 0
    assert sorted(broken[0]) == names(*MARKS[:-2])
    ours, others = kept(tmp_path / "run"), kept(tmp_path / "whole")
    assert list(ours) == list(others)
    assert [ours[name] == others[name] for name in ours] == [mark <= EPOCH for mark in MARKS]  # then at half the rate


def test_weights_that_are_not_finite_are_not_kept(run, tmp_path, monkeypatch):
    class Breaks(SGD):
        def update(self, params, *others):
            super().update(params, *others)
            if self.steps == 11:  # 308 tokens
                params[-1][...] = np.nan

    monkeypatch.setitem(OPTIMIZERS, "sgd", Breaks)
    code, _, err = run("--optimizer", "sgd", *KEEP)
    assert code == 1
    assert "training diverged at step 11: " in err.splitlines()[-1]
    assert "holds numbers that are not finite" in err.splitlines()[-1]
    assert list(kept(tmp_path / "run")) == names(50)


def test_overwriting_removes_them_with_the_run_and_nothing_else(run, tmp_path):
    run("--epochs", "1", *KEEP)
    mine = {"kept/notes.txt": "mine", "kept/tokens-1.npz": "mine, too"}
    for name, text in mine.items():
        (tmp_path / "run" / name).write_text(text)
    assert run("--epochs", "1", "--keep-at", "500", "--overwrite")[0] == 0
    assert sorted(kept(tmp_path / "run")) == sorted([*names(500), "notes.txt", "tokens-1.npz"])
    for name, text in mine.items():
        assert (tmp_path / "run" / name).read_text() == text
        (tmp_path / "run" / name).unlink()
    assert run("--epochs", "1", "--overwrite")[0] == 0
    assert not (tmp_path / "run/kept").exists()


def test_what_replaced_a_run_and_was_killed_at_once_has_none_of_its_models(run, tmp_path, monkeypatch):
    def killed(folder):
        raise Killed

    run("--epochs", "1", *KEEP)
    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "_remove_older", killed)
        with suppress(Killed):
            run("--epochs", "1", "--seed", "2", "--overwrite")
    assert len(kept(tmp_path / "run")) == 5
    assert run("--epochs", "1", "--resume", "--seed", "2", "--keep-at", "900")[0] == 0
    assert list(kept(tmp_path / "run")) == names(900)
    assert header_of(tmp_path / "run/checkpoint.npz")["run"]["options"]["seed"] == 2


def test_a_folder_with_nothing_but_kept_models_is_no_empty_one(run, tmp_path):
    run("--epochs", "1", *KEEP)
    for path in (tmp_path / "run").iterdir():
        if path.is_file():
            path.unlink()
    before = kept(tmp_path / "run")
    code, _, err = run("--epochs", "1")
    assert (code, "run already holds a run: choose another --output" in err) == (1, True)
    code, _, err = run("--epochs", "1", "--resume")
    assert (code, "run holds kept models but no checkpoint to resume from" in err) == (1, True)
    assert kept(tmp_path / "run") == before


def test_a_resumed_run_may_keep_others(run, tmp_path):
    run.stopped_at(20, signal.SIGINT, "--epochs", "1", "--keep-every", "300")
    code, _, err = run("--resume", "--keep-every", "200")
    assert code == 0
    assert list(kept(tmp_path / "run")) == names(300, 600, 800)  # 300 stays, 600 was reached at 616
    assert "note: the run has already read 560 tokens, so it cannot keep models at 200, 400" in err.splitlines()
    assert "keep-every = 200\n" in (tmp_path / "run/config.toml").read_text()
    run.stopped_at(20, signal.SIGINT, "--epochs", "1", "--keep-every", "300", output="same")
    assert "cannot keep" not in run("--resume", output="same")[2]


def test_the_config_of_the_run_repeats_it(run, tmp_path):
    run("--epochs", "1", *KEEP)
    assert run.bare("--config", "run", "--output", "again")[0] == 0
    assert kept(tmp_path / "again") == kept(tmp_path / "run")


def test_what_can_never_be_kept_is_noted(run, tmp_path):
    code, _, err = run("--epochs", "1", "--keep-at", "1M,500")
    assert code == 0
    assert "note: --keep-at: the run reads at most 956 tokens, so it does not reach 1,000,000" in err.splitlines()
    assert list(kept(tmp_path / "run")) == names(500)


def test_too_many_are_refused_before_anything_is_written(run, tmp_path):
    code, out, err = run("--epochs", "2", "--keep-every", "1")
    assert (code, out) == (1, "")
    assert err.endswith("error: --keep-every 1 would keep 1,912 models in the 1,912 tokens of all epochs, and a run "
                        "keeps at most 1,000: give at least 2, or name fewer numbers with --keep-at\n")
    assert err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_the_disk_must_have_room_for_those_that_are_not_there_yet(run, tmp_path, monkeypatch):
    full = shutil.disk_usage(tmp_path)._replace(free=0)

    def needed(*options, **where):
        with monkeypatch.context() as patch:
            patch.setattr(shutil, "disk_usage", lambda path: full)
            code, _, err = run("--epochs", "1", *options, **where)
        assert code == 1
        return 1e6 * float(err.split(" needs ")[1].split(" MB")[0])

    room = needed("--keep-every", "2") - needed()
    assert 478 * 3000 < room < 478 * 13_100  # their arrays have 3.0 kB, and 10 kB are for what is around these
    run("--epochs", "1", "--keep-every", "2")
    there = sum(map(len, kept(tmp_path / "run").values()))
    assert len(kept(tmp_path / "run")) == STEPS
    more = needed("--keep-every", "2", "--overwrite") - needed("--overwrite")
    assert more == pytest.approx(room - there, abs=110_000)  # both are rounded


def test_something_else_of_the_name_of_their_folder_is_told_at_once(run, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/kept").write_text("mine")
    code, _, err = run("--epochs", "1", *KEEP)
    assert code == 1
    assert "run/kept is a file, but the run keeps models in a folder of that name: move it, or choose" in err
    assert run("--epochs", "1")[0] == 0
    assert (tmp_path / "run/kept").read_text() == "mine"


@pytest.mark.parametrize("option", [["--keep-every", "0"], ["--keep-every", "1G"], ["--keep-at", "1M-"],
                                    ["--keep-at", ""], ["--keep-at", "1-9999:1"]])
def test_wrong_usage(run, option):
    with pytest.raises(SystemExit) as left:
        run(*option)
    assert left.value.code == 2
    err = run.capsys.readouterr().err
    assert f"argument {option[0]}: must be " in err
    assert err.count("\n") == 1


def test_a_folder_that_was_moved_meanwhile_gets_no_new_one_in_its_place(run, tmp_path, monkeypatch):
    plain = Saver.keep_model

    def moved(saver, mark):
        if mark == 300:
            os.rename("run", "moved")
            os.mkdir("run")
        plain(saver, mark)

    monkeypatch.setattr(Saver, "keep_model", moved)
    code, _, err = run("--epochs", "1", *KEEP)
    assert code == 1
    assert "was removed, emptied, moved or replaced while this run was working in it" in err
    assert os.listdir("run") == []
    assert list(kept(tmp_path / "moved")) == names(50, 300)


def test_from_python_numbers_and_texts_are_taken(small_corpus, run, tmp_path):
    rnnlm.train(small_corpus, output="a", epochs=1, hidden_size=5, batch_size=4, time_size=7, keep_every=500,
                keep_at="0.1k")
    assert [(model.tokens, model.path.name) for model in kept_models("a")] == list(zip((112, 504), names(100, 500),
                                                                                       strict=True))
    options = header_of(tmp_path / "a/checkpoint.npz")["run"]["options"]
    assert (options["keep_every"], options["keep_at"]) == (500, "0.1k")


@pytest.mark.parametrize("given", [[100, "0.5k"], ("100-500:400",), [500, 100.0]])
def test_marks_may_be_a_list_as_cutoffs_may(given):
    text = TRAIN.by_name["keep_at"].in_a_file(given, "keep_at")
    assert Marks(at=text).up_to(1000) == {100, 500}


def test_a_list_of_marks_holds_marks_alone():
    for wrong in ([True], [[100]], [], [100, "x"]):
        with pytest.raises(RnnlmError, match="keep_at must be a number of tokens, such as 500k"):
            TRAIN.by_name["keep_at"].in_a_file(wrong, "keep_at")
