"""``rnnlm train --seeds``: a run for each seed, what they reach together, no loss."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib

import numpy as np
import pytest
from training_runs import QuickPicture, options_of, without_times

from rnnlm.cli.compare import main as compare
from rnnlm.cli.evaluate import main as evaluate
from rnnlm.cli.generate import main as generate
from rnnlm.cli.score import main as score
from rnnlm.cli.seeds_screen import SeedsScreen
from rnnlm.cli.train import main as train_command
from rnnlm.runs.seeds_folder import SeedsFolder
from rnnlm.training.trainer import Trainer

TWO = ["--epochs", "2", "--seeds", "1-2"]
EPOCHS = ["--epochs", "2"]
STEPS = 70  # of a run with two epochs of the small corpus


@pytest.fixture
def seeds(run, monkeypatch):
    """``run`` with a quick picture of several seeds, too."""
    monkeypatch.setattr("rnnlm.reports.seeds_chart.seeds_figure", QuickPicture)
    return run


@pytest.fixture
def at_step(monkeypatch):
    """Call ``do(trainer)`` after a step of this process, counted over all runs."""

    def set_up(number, do):
        count, plain = iter(range(1, 10**9)), Trainer.step

        def stepping(trainer, xs, ts):
            step = plain(trainer, xs, ts)
            if next(count) == number:
                do(trainer)
            return step

        monkeypatch.setattr(Trainer, "step", stepping)
        return lambda: monkeypatch.setattr(Trainer, "step", plain)

    return set_up


def spoil(trainer):
    trainer.model.params[-1][...] = np.nan


def contents(folder):
    """The bytes of each file, by its path."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def results(folder):
    """seeds.json, without the times."""
    values = json.loads((folder / "seeds.json").read_text())
    return values | {"runs": [run | {"seconds": None} for run in values["runs"]]}


def is_same(one, other):
    """Whether the runs of all seeds in two folders are the same, bit for bit."""
    names = sorted(path.name for path in one.iterdir())
    return (names == sorted(path.name for path in other.iterdir()) and results(one) == results(other)
            and all((one / name / "model.npz").read_bytes() == (other / name / "model.npz").read_bytes()
                    and without_times(one / name) == without_times(other / name)
                    for name in names if name.startswith("seed-")))


def rows(out):
    """The seed and the epoch of each line of the table."""
    return [line.split()[:2] for line in out.splitlines() if re.match(r" +\d+ +\d+ ", line)]


def error_of(err):
    return err.splitlines()[-1].partition("error: ")[2]


def test_each_seed_is_the_run_of_that_seed_bit_for_bit(seeds, tmp_path):
    assert seeds(*EPOCHS, "--seeds", "1,3", "--tied", output="runs")[0] == 0
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [
        "config.toml", "perplexity.png", "seed-1", "seed-3", "seeds.json"]
    for seed in (1, 3):
        assert seeds(*EPOCHS, "--tied", "--seed", str(seed), output=f"alone-{seed}")[0] == 0
        one, alone = tmp_path / f"runs/seed-{seed}", tmp_path / f"alone-{seed}"
        assert (one / "model.npz").read_bytes() == (alone / "model.npz").read_bytes()
        assert without_times(one) == without_times(alone)
        assert options_of(one) == options_of(alone)
        assert (one / "config.toml").read_text().split("\n")[1:] == (alone / "config.toml").read_text().split("\n")[1:]


def test_what_is_shown_and_kept(seeds, tmp_path):
    _, out, err = seeds("--overwrite", *TWO)
    lines = out.splitlines()
    assert lines[0] == "2 seeds, 1-2; their runs are in run"
    assert rows(out) == [["1", "1"], ["1", "2"], ["2", "1"], ["2", "2"]]
    assert [out.count(words) for words in ("corpus small", "model: ", "seed epoch")] == [1, 1, 1]
    found = [re.fullmatch(r"seed (\d): best validation perplexity (\S+) after epoch 2, test perplexity (\S+)", line)
             for line in lines]
    found = [match for match in found if match]
    kept = results(tmp_path / "run")
    for match, run in zip(found, kept["runs"], strict=True):
        one = json.loads(evaluated(tmp_path / f"run/seed-{match[1]}", seeds))
        assert run["test_perplexity"] == pytest.approx(one["perplexity"], rel=1e-6)
        assert match[3] == f"{one['perplexity']:.5g}"
        assert match[2] == f"{without_times(tmp_path / f'run/seed-{match[1]}')[-1]['valid_perplexity']:.5g}"
    valid, test = ([run[f"{name}_perplexity"] for run in kept["runs"]] for name in ("valid", "test"))
    for name, said, (a, b) in (("valid", "best validation", valid), ("test", "test", test)):
        mean, deviation = (a + b) / 2, abs(a - b) / 2**0.5  # of two numbers
        assert kept[f"{name}_perplexity"] == {"n": 2, "mean": pytest.approx(mean),
                                              "standard_deviation": pytest.approx(deviation)}
        assert (f"2 seeds: mean {said} perplexity {mean:.5g}, standard deviation {deviation:.3g} (of a sample, n - 1)"
                in lines)
    assert err.endswith("note: all runs, seeds.json and a picture are in run\n".removeprefix("note: "))
    assert err.count("the test text has only") == 1
    assert "note: seed" not in err


def evaluated(folder, run):
    assert evaluate([str(folder), str(run.corpus / "test.txt"), "--json"]) == 0
    return run.capsys.readouterr().out


def test_stopped_and_resumed_it_is_what_it_would_have_been(seeds, tmp_path):
    three = [*EPOCHS, "--seeds", "1-3"]
    seeds(*three, output="whole")
    code, out, err = seeds.stopped_at(STEPS + 40, signal.SIGINT, *three)
    assert code == 130
    assert err.splitlines()[-1] == "to resume: rnnlm train --resume --output run"
    assert "stopped after step 40, in epoch 2; all of the run is saved in run" in err
    assert [run["seed"] for run in results(tmp_path / "run")["runs"]] == [1]
    first = (tmp_path / "run/seed-1/model.npz").stat()
    code, out, err = seeds.bare("--resume", "--output", "run")
    assert code == 0
    assert out.startswith("3 seeds, 1-3, of which 1 has ended; their runs are in run\n")
    assert "seed 2 resumed after step 40, in epoch 2" in out
    assert rows(out) == [["2", "2"], ["3", "1"], ["3", "2"]]
    assert (tmp_path / "run/seed-1/model.npz").stat() == first
    assert is_same(tmp_path / "run", tmp_path / "whole")


def test_a_stop_that_comes_after_the_last_step_of_a_seed(seeds, tmp_path, monkeypatch):
    """The seed has ended and is not scored again; the next one does not begin."""
    seeds(*TWO, output="whole")
    tested = []

    def on_test(self, *_):
        tested.append(self.seed)
        if len(tested) == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(SeedsScreen, "on_test", on_test)
    code, _, err = seeds(*TWO)
    assert code == 143
    assert err.splitlines()[-2:] == ["stopped between two seeds; all is saved in run",
                                     "to resume: rnnlm train --resume --output run"]
    assert not (tmp_path / "run/seed-2").exists()
    assert seeds(*TWO, "--resume")[0] == 0
    assert tested == [1, 2]
    assert is_same(tmp_path / "run", tmp_path / "whole")


@pytest.mark.slow
def test_more_seeds_later_have_the_options_of_the_first(seeds, tmp_path):
    seeds(*TWO)
    assert seeds.bare("--resume", "--output", "run", "--seeds", "3-4")[0] == 0
    assert seeds(*EPOCHS, "--seeds", "1-4", output="whole")[0] == 0
    assert is_same(tmp_path / "run", tmp_path / "whole")
    assert tomllib.loads((tmp_path / "run/config.toml").read_text())["seeds"] == "1-4"


@pytest.mark.slow
def test_all_have_ended(seeds):
    seeds(*TWO)
    code, out, _ = seeds.bare("--resume", "--output", "run")
    assert code == 0
    assert out.startswith("2 seeds, 1-2, of which 2 have ended; their runs are in run\n2 seeds: mean best validation")


@pytest.mark.slow
def test_more_epochs_are_trained_with_each(seeds, tmp_path):
    seeds(*TWO)
    code, out, _ = seeds.bare("--resume", "--output", "run", "--epochs", "3")
    assert code == 0
    assert rows(out) == [["1", "3"], ["2", "3"]]
    seeds("--epochs", "3", "--seeds", "1-2", output="whole")
    assert is_same(tmp_path / "run", tmp_path / "whole")


@pytest.mark.parametrize("seed", [pytest.param(1, marks=pytest.mark.slow), 2, pytest.param(3, marks=pytest.mark.slow)])
def test_a_seed_that_diverges_leaves_the_others_alone(seeds, tmp_path, at_step, seed):
    three = [*EPOCHS, "--seeds", "1-3"]
    seeds(*three, output="whole")
    healed = at_step(STEPS * (seed - 1) + 50, spoil)
    code, out, err = seeds(*three)
    assert code == 1
    others = [other for other in (1, 2, 3) if other != seed]
    found = results(tmp_path / "run")
    assert [run["seed"] for run in found["runs"] if run["error"] is None] == others
    assert found["test_perplexity"]["n"] == 2
    assert f"note: seed {seed} ended early: training diverged at step 51" in err
    assert "2 of 3 seeds: mean test perplexity" in out
    assert error_of(err).startswith(f"1 seed of 3 ended early ({seed}); seed {seed}: training diverged at step 51")
    assert error_of(err).endswith("and rnnlm train --resume --output run tries again")
    for other in others:
        name = f"seed-{other}/model.npz"
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    healed()
    assert seeds.bare("--resume", "--output", "run")[0] == 0
    assert is_same(tmp_path / "run", tmp_path / "whole")


@pytest.mark.slow
def test_all_may_diverge(seeds, tmp_path):
    wild = ["--optimizer", "sgd", "--lr", "1e30", "--max-grad", "0", "--activation", "relu"]
    code, out, err = seeds(*TWO, *wild)
    assert code == 1
    assert error_of(err).startswith("2 seeds of 2 ended early (1, 2); seed 1: training diverged at step ")
    assert "mean" not in out
    assert not (tmp_path / "run/perplexity.png").exists()


@pytest.mark.slow
def test_without_output_the_newest_folder_of_seeds_is_resumed(seeds, tmp_path):
    seeds(*TWO, output=None)
    assert seeds(*TWO, output=None)[2].splitlines()[-1] == "all runs, seeds.json and a picture are in runs/small-2"
    seeds(*EPOCHS, output="runs/alone")
    for name, time in (("small", 3e9), ("small-2", 2e9), ("alone", 4e9)):
        for path in (tmp_path / "runs" / name).rglob("*"):
            os.utime(path, (time, time))
    err = seeds.bare("--resume", "--seeds", "1-2")[2]
    assert err.startswith("note: resuming the newest run in runs: runs/small\n")
    os.utime(tmp_path / "runs/small-2/seed-2/checkpoint.npz", (5e9, 5e9))
    err = seeds.bare("--resume")[2]
    assert err.startswith("note: resuming the newest run in runs: runs/small-2\n")
    os.utime(tmp_path / "runs/alone/checkpoint.npz", (6e9, 6e9))
    assert "runs/alone" in seeds.bare("--resume")[2]


def test_nothing_stays_where_nothing_could_begin(seeds, tmp_path):
    code, _, err = seeds(*TWO, corpus=tmp_path / "nowhere")
    assert code == 1
    assert "nowhere" in error_of(err)
    assert not (tmp_path / "run").exists()
    (tmp_path / "text.txt").write_text("a\n")
    assert seeds(*TWO, corpus=tmp_path / "text.txt")[0] == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_standard_input_is_read_once(seeds, tmp_path, monkeypatch):
    monkeypatch.setenv("RNNLM_CACHE", str(tmp_path / "cache"))
    text = (tmp_path / "small/train.txt").read_text() * 4
    (tmp_path / "text.txt").write_text(text)
    code = "import sys; from rnnlm.cli.train import main; sys.exit(main(sys.argv[1:]))"
    options = ["--hidden-size", "5", "--epochs", "1", "--seeds", "1-2"]
    done = subprocess.run([sys.executable, "-c", code, "--corpus", "-", "--output", "piped", *options],
                          input=text.encode(), capture_output=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(b"standard input is kept") == 1
    assert seeds.bare("--corpus", "text.txt", "--output", "read", *options)[0] == 0
    for name in ("seed-1", "seed-2"):
        assert without_times(tmp_path / "piped" / name) == without_times(tmp_path / "read" / name)


@pytest.mark.slow
def test_the_three_texts_are_saved_once(seeds, tmp_path):
    (tmp_path / "text.txt").write_text((tmp_path / "small/train.txt").read_text() * 4)
    code, _, err = seeds(*TWO, "--save-splits", "texts", corpus=tmp_path / "text.txt")
    assert code == 0
    assert err.count("texts") >= 1
    assert sorted(path.name for path in (tmp_path / "texts").iterdir()) == ["test.txt", "train.txt", "valid.txt"]


@pytest.mark.slow
def test_a_configuration_may_name_the_seeds(seeds, tmp_path):
    seeds(*TWO)
    assert seeds.bare("--config", "run", "--output", "again")[0] == 0
    assert is_same(tmp_path / "run", tmp_path / "again")
    assert seeds.bare("--config", "run", "--output", "one", "--seed", "2")[0] == 0  # the line overrides the file
    assert (tmp_path / "one/model.npz").read_bytes() == (tmp_path / "run/seed-2/model.npz").read_bytes()
    assert seeds.bare("--config", "one", "--output", "several", "--seeds", "1-2")[0] == 0
    assert is_same(tmp_path / "run", tmp_path / "several")
    (tmp_path / "both.toml").write_text("seed = 3\nseeds = [1, 2]\n")
    assert error_of(seeds.bare("--config", "both.toml", "--output", "both")[2]).startswith("--seed and --seeds exclude")


REFUSED = [
    (["--output", "run"], "run holds the runs of several seeds, beside which no other run goes: choose another --outp"),
    (["--output", "run", "--overwrite"], "run holds the runs of several seeds, beside which"),
    (["--output", "run", "--seeds", "1-2"], "run already holds runs: choose another --output, or continue them with"),
    (["--output", "run", "--seeds", "1-2", "--overwrite"], "--overwrite replaces one run, not those of several seeds"),
    (["--output", "one", "--seeds", "1-2"], "one already holds runs"),
    (["--output", "one", "--seeds", "1-2", "--resume"], "one holds the run of one seed: choose another --output"),
    (["--output", "run", "--seed", "2", "--resume"], "run holds the runs of several seeds: leave out --seed, or resume "
     "one of them with --output run/seed-2"),
    (["--output", "run", "--resume", "--hidden-size", "13", "--seeds", "1-3"], "cannot be resumed with other options: "
     "--hidden-size is 13, was 12"),
    (["--output", "run", "--resume", "--seeds", "3-101"], "--seeds must be at most 100 seeds with those of run, got 1"),
    (["--resume", "--seeds", "1-2"], "there are no runs of several seeds in runs to resume: give their folder with "),
    (["--output", "run", "--resume", "--overwrite"], "--resume continues a run and --overwrite replaces it")]


def test_what_does_not_go_together(seeds, tmp_path):
    seeds(*TWO)
    seeds(*EPOCHS, output="one")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    for arguments, message in REFUSED:
        code, _, err = seeds.bare("--corpus", "small", *arguments)
        assert code == 1
        assert message in error_of(err)
        assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before


def test_one_seed_is_no_list_and_seed_and_seeds_exclude_each_other(seeds):
    for arguments in (["--seeds", "5"], ["--seeds", "1-2", "--seed", "3"]):
        with pytest.raises(SystemExit) as ended:
            seeds(*arguments)
        assert ended.value.code == 2


@pytest.mark.slow
def test_new_seeds_read_no_other_text(seeds, tmp_path):
    seeds(*TWO)
    (tmp_path / "small/train.txt").write_text("a b c .\n" * 200)
    code, _, err = seeds.bare("--resume", "--output", "run", "--seeds", "1-3")
    assert code == 1
    assert error_of(err).startswith("the other seeds in run were trained on different text from ")
    assert results(tmp_path / "run")["test_perplexity"]["n"] == 2


DAMAGED = [b"", b"{}", b"\xff", b"[]", b'{"version": 1, "seeds": [1, 2], "runs": [3]}',
           b'{"version": 1, "seeds": [1], "runs": [], "title": 3}', b"[" * 100_000]


@pytest.mark.slow
def test_damaged_results_are_one_line_and_made_again(seeds, tmp_path):
    seeds(*TWO)
    shutil.copytree(tmp_path / "run", tmp_path / "whole")
    for content in DAMAGED:
        (tmp_path / "run/seeds.json").write_bytes(content)
        code, _, err = seeds.bare("--resume", "--output", "run")
        assert code == 1
        assert error_of(err).startswith("run/seeds.json must be the results of several seeds: ")
        assert error_of(err).endswith("; remove it, and --resume makes it again")
        assert (tmp_path / "run/seeds.json").read_bytes() == content
    (tmp_path / "run/seeds.json").unlink()
    code, out, _ = seeds.bare("--resume", "--output", "run")
    assert code == 0
    assert "of which 2 have ended" in out  # their own files tell it: the test text is not read again
    assert is_same(tmp_path / "run", tmp_path / "whole")


def test_a_run_that_ended_just_before_a_kill_is_not_scored_again(seeds, tmp_path, monkeypatch):
    """Also where it has no checkpoint any more."""
    seeds(*TWO, "--discard-checkpoints", output="whole")
    plain = SeedsFolder.add

    def killed(folder, run):
        if run.seed == 1:
            raise KeyboardInterrupt
        plain(folder, run)

    with monkeypatch.context() as patch:
        patch.setattr(SeedsFolder, "add", killed)
        assert seeds(*TWO, "--discard-checkpoints")[0] == 130
    assert results(tmp_path / "run")["runs"] == []
    code, out, _ = seeds.bare("--resume", "--output", "run")
    assert code == 0
    assert "of which 1 has ended" in out
    assert is_same(tmp_path / "run", tmp_path / "whole")


@pytest.mark.slow
def test_a_run_with_other_options_in_the_folder_of_a_seed_does_not_count(seeds, tmp_path):
    seeds(*TWO)
    shutil.rmtree(tmp_path / "run/seed-2")
    seeds(*EPOCHS, "--seed", "2", "--tied", output="run/seed-2")
    (tmp_path / "run/seeds.json").unlink()
    code, _, err = seeds.bare("--resume", "--output", "run")
    assert code == 1
    assert ("1 seed of 2 ended early (2); seed 2: run/seed-2 holds a run with other options than the other seeds "
            "(--tied): remove it, and it is trained again") in err


@pytest.mark.slow
def test_more_epochs_without_checkpoints_change_nothing(seeds, tmp_path):
    seeds(*TWO, "--discard-checkpoints")
    before = contents(tmp_path / "run")
    code, _, err = seeds.bare("--resume", "--output", "run", "--epochs", "3")
    assert code == 1
    assert error_of(err).startswith("the run in run/seed-1 has ended, and its checkpoints are gone")
    assert contents(tmp_path / "run") == before
    assert seeds.bare("--resume", "--output", "run")[0] == 0


@pytest.mark.slow
def test_the_checkpoints_of_seeds_that_have_ended_can_be_removed_later(seeds, tmp_path):
    seeds(*TWO)
    before, reached = contents(tmp_path / "run"), results(tmp_path / "run")
    code, _, err = seeds.bare("--resume", "--output", "run", "--discard-checkpoints")
    assert code == 0, err
    after = contents(tmp_path / "run")
    assert {path.parent.name for path in before.keys() - after.keys()} == {"seed-1", "seed-2"}
    assert {path.name for path in before.keys() - after.keys()} == {"checkpoint.npz"}
    assert seeds.bare("--resume", "--output", "run")[0] == 0
    assert results(tmp_path / "run") == reached


@pytest.mark.slow
def test_a_seed_that_was_continued_alone_has_its_new_numbers(seeds, tmp_path):
    seeds(*TWO)
    before = results(tmp_path / "run")["runs"]
    seeds.bare("--resume", "--output", "run/seed-2", "--epochs", "3")
    code, out, _ = seeds.bare("--resume", "--output", "run")
    assert code == 0
    assert "of which 1 has ended" in out
    first, second = results(tmp_path / "run")["runs"]
    assert first == before[0]
    assert (len(second["valid_losses"]), second["best_epoch"]) == (3, 3)
    assert second["test_perplexity"] == pytest.approx(
        json.loads(evaluated(tmp_path / "run/seed-2", seeds))["perplexity"], rel=1e-6)
    assert "of which 2 have ended" in seeds.bare("--resume", "--output", "run")[1]


@pytest.mark.slow
def test_seeds_that_begin_from_a_model(seeds, tmp_path):
    seeds(*EPOCHS, "--tied", output="first")
    tuned = ["--init-from", "first", *EPOCHS, "--seeds"]
    assert seeds.bare("--corpus", "small", "--output", "whole", *tuned, "1-3")[0] == 0
    assert seeds.bare("--corpus", "small", "--output", "run", *tuned, "1-2")[0] == 0
    assert seeds.bare("--resume", "--output", "run", "--seeds", "1-3")[0] == 0
    assert is_same(tmp_path / "run", tmp_path / "whole")
    (tmp_path / "first/model.npz").unlink()
    assert "of which 3 have ended" in seeds.bare("--resume", "--output", "run")[1]
    assert "first holds no model.npz" in error_of(seeds.bare("--resume", "--output", "run", "--seeds", "4-5")[2])


def test_runs_of_several_seeds_are_compared_one_by_one(seeds, tmp_path, capsys):
    seeds(*TWO)
    assert compare([*map(str, sorted((tmp_path / "run").iterdir())), "--csv"]) == 0
    table, notes = capsys.readouterr()
    assert [line.split(",")[0] for line in table.splitlines()[1:]] in (["seed-1", "seed-2"], ["seed-2", "seed-1"])
    assert "seeds.json" in notes
    assert compare(["run"]) == 1
    assert error_of(capsys.readouterr().err) == (
        "run holds the runs of several seeds: give one of them, run/seed-1, run/seed-2")
    assert compare(["run", "run/seed-1"]) == 0
    assert "note: left out: run holds the runs of several seeds" in capsys.readouterr().err


@pytest.mark.slow
def test_a_damaged_run_leaves_the_others_alone(seeds, tmp_path):
    three = [*EPOCHS, "--seeds", "1-3"]
    seeds(*three, output="whole")
    seeds.stopped_at(STEPS + 40, signal.SIGINT, *three)
    for path in (tmp_path / "run/seed-2").glob("checkpoint*.npz"):
        path.write_bytes(path.read_bytes()[:100])
    code, out, err = seeds.bare("--resume", "--output", "run")
    assert code == 1
    assert error_of(err).startswith("1 seed of 3 ended early (2); seed 2: no checkpoint can be used: ")
    assert "2 of 3 seeds: mean test perplexity" in out
    shutil.rmtree(tmp_path / "run/seed-2")
    assert seeds.bare("--resume", "--output", "run")[0] == 0
    assert is_same(tmp_path / "run", tmp_path / "whole")


@pytest.mark.slow
def test_a_removed_run_is_trained_again(seeds, tmp_path):
    seeds(*TWO, output="whole")
    shutil.copytree(tmp_path / "whole", tmp_path / "run")
    shutil.rmtree(tmp_path / "run/seed-1")
    assert seeds.bare("--resume", "--output", "run")[0] == 0
    assert is_same(tmp_path / "run", tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.parametrize("left", ["seeds.json", "config.toml"])
def test_killed_between_its_first_two_files(seeds, tmp_path, left):
    seeds(*TWO, output="whole")
    (tmp_path / "run").mkdir()
    shutil.copy(tmp_path / "whole/config.toml", tmp_path / "run")
    (tmp_path / "run/seeds.json").write_text('{"version": 1, "seeds": [1, 2], "runs": []}')
    other = ({"seeds.json", "config.toml"} - {left}).pop()
    (tmp_path / "run" / other).unlink()
    code, _, err = seeds(*TWO, "--resume")
    if left == "seeds.json":  # somebody removed config.toml: it is written first
        assert error_of(err).startswith("run already holds runs, but no config.toml with their options: ")
    else:
        assert code == 0, err
        assert is_same(tmp_path / "run", tmp_path / "whole")


def test_a_command_that_needs_one_model_names_those_inside(seeds, tmp_path, capsys):
    seeds(*TWO)
    for main, arguments in ((evaluate, ["run", "small/test.txt"]), (evaluate, ["run"]), (generate, ["run"]),
                            (score, ["run", "small/test.txt", "--kept"]),
                            (train_command, ["--init-from", "run", "--corpus", "small", "--output", "x"])):
        assert main(arguments) == 1
        assert error_of(capsys.readouterr().err).endswith(
            "run holds the runs of several seeds: give one of them, run/seed-1, run/seed-2".replace(
                "run/", f"{tmp_path}/run/" if main is train_command else "run/"))


@pytest.mark.slow
def test_the_picture_and_a_terminal(small_corpus, tmp_path, on_terminal):
    seen = on_terminal(["train", "--corpus", str(small_corpus), "--hidden-size", "12", "--epochs", "2", "--seeds",
                        "1-2", "--output", "run"], tmp_path, 100)
    assert "seed 2, epoch 1/2" in seen
    assert (tmp_path / "run/perplexity.png").read_bytes().endswith(b"IEND\xaeB`\x82")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_a_pipe_in_a_folder_is_not_waited_for(run, tmp_path):
    (tmp_path / "run").mkdir()
    os.mkfifo(tmp_path / "run/config.toml")
    for arguments in ([], ["--resume"], ["--seeds", "1-2"], ["--seeds", "1-2", "--resume"]):
        assert run(*arguments)[0] == 1
