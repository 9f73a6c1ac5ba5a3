"""Is it the same run?  One function answers; what was given is known, not guessed."""

import json
import shutil
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from training_runs import SMALL, header_of, options_of

from rnnlm.errors import RnnlmError
from rnnlm.files.archive import as_bytes
from rnnlm.files.whole import File
from rnnlm.runs.configuration import (
    ALWAYS_IN_EARLIER,
    Configuration,
    config_text,
    given_in_earlier,
    read_config,
    toml,
)
from rnnlm.runs.option import OF_THE_RUN
from rnnlm.runs.options import TRAIN, of_the_run
from rnnlm.runs.request import Request
from rnnlm.runs.resuming import MODEL, OPTIONS, SURROUNDINGS, TEXTS, Difference, differences, same_run

BEFORE = {OPTIONS: {"seed": 1, "epochs": 3, "schedule": "plateau", "lr": None}, TEXTS: "abc",
          MODEL: {"cell": "rnn", "layers": 1}, SURROUNDINGS: {"threads": 1, "numpy": "2.1"}}


def header(run):
    return {"run": {"options": run[OPTIONS], "corpus": run[TEXTS], "threads": 1}, "architecture": run[MODEL],
            "made_by": {"numpy": "2.1"}}


@pytest.mark.parametrize(("what", "now", "expected"), [
    (OPTIONS, {}, []), (OPTIONS, {"seed": 1, "new": 7}, []),
    (OPTIONS, {"seed": 2, "epochs": 4}, [Difference(OPTIONS, "seed", 1, 2, False),
                                         Difference(OPTIONS, "epochs", 3, 4, True)]),
    (OPTIONS, {"lr": 0.5}, [Difference(OPTIONS, "lr", None, 0.5, False)]),
    (TEXTS, "abd", [Difference(TEXTS, "", "abc", "abd", False)]),
    (MODEL, {"cell": "rnn", "layers": 1}, []),
    (MODEL, {"cell": "rnn", "tied": True}, [Difference(MODEL, "tied", None, True, False),
                                            Difference(MODEL, "layers", 1, None, False)]),
    (SURROUNDINGS, {"threads": 2}, [Difference(SURROUNDINGS, "threads", 1, 2, True)])])
def test_differences_between_two_runs(what, now, expected):
    assert differences(BEFORE, {what: now}) == expected


def test_the_epochs_may_differ_where_the_run_that_began_lets_them():
    linear = BEFORE | {OPTIONS: BEFORE[OPTIONS] | {"schedule": "linear"}}
    assert not differences(linear, {OPTIONS: {"epochs": 4}})[0].allowed


@pytest.mark.parametrize(("options", "corpus", "same"), [
    ({"epochs": 9}, "abc", True), ({"seed": 9}, "abc", False), ({}, "abd", False), ({"newer": 1}, "abc", True)])
def test_whether_a_checkpoint_is_of_the_run(options, corpus, same):
    run = {"options": BEFORE[OPTIONS] | options, "corpus": corpus}
    assert same_run(header(BEFORE), run) == same
    assert not same_run(header(BEFORE | {OPTIONS: []}), run)


@pytest.mark.parametrize("given", [
    {}, {"optimizer": "adamw"}, {"optimizer": "sgd", "lr": 0.5}, {"hidden_size": 9, "wordvec_size": 7},
    {"weight_decay": 0.3}, {"dropout": 0.2, "output_dropout": 0.1}, {"optimizer": "adagrad", "eps": 0.1}])
def test_of_an_earlier_run_only_what_follows_counts_as_not_given(given):
    """There all options are as resolved, and nothing says which of them were given."""
    resolved = of_the_run(TRAIN.resolved(given))["options"]
    found = given_in_earlier(resolved)
    assert given.items() <= found.items()
    assert not {option.name for option in TRAIN.options if option.derived and option.name not in given} & found.keys()
    assert of_the_run(TRAIN.resolved(found))["options"] == resolved


def test_a_config_holds_what_was_given_as_keys_and_the_others_as_comments(tmp_path):
    options = TRAIN.resolved({"corpus": "small", "hidden_size": 9, "tied": False, "output": "x"})
    path = tmp_path / "config.toml"
    path.write_text(config_text("runs/a\nb", options))
    read = read_config(path)
    assert read == Configuration({"corpus": "small", "hidden-size": 9, "tied": False}, by_a_run=True, earlier=False)
    lines = path.read_text().splitlines()
    assert lines[0].startswith(r"# options of the run in 'runs/a\nb'")
    assert {"# wordvec-size = 9", "# lr = 0.002", "# min-count is not set"} <= set(lines)
    said = {line.removeprefix("# ").split(" ")[0].replace("-", "_") for line in lines[1:]}
    assert of_the_run(options)["options"].keys() <= said


EARLIER = (Path(__file__).parents[1] / "golden/earlier-gru/config.toml").read_text(encoding="utf-8")
WITHOUT_ITS_COMMENT = EARLIER.split("\n", 1)[1]


@pytest.mark.parametrize("text", [
    EARLIER, f"# mine, of last year\n\n{EARLIER}", f"\ufeff{EARLIER}", WITHOUT_ITS_COMMENT,
    WITHOUT_ITS_COMMENT.replace("hidden-size", "hidden_size"),
    WITHOUT_ITS_COMMENT.replace("threads = 1\n", "").replace("max-vocab = 20\n", "").replace("max-tokens = 400\n", ""),
    '# run folder: \'x\'\ncell = "gru"\n'])
def test_a_config_of_an_earlier_run_is_known_by_its_comment_or_its_keys(text, tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    read = read_config(path)
    assert (read.values["cell"], read.by_a_run, read.earlier) == ("gru-textbook", True, True)


@pytest.mark.parametrize("text", [
    'cell = "gru"\n', '# about the run folder:\ncell = "gru"\n', WITHOUT_ITS_COMMENT.replace("slowest = 0.95\n", ""),
    f"# options of the run in 'x': what was given\n{WITHOUT_ITS_COMMENT}"])
def test_another_file_means_what_it_says(text, tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    read = read_config(path)
    assert (read.values["cell"], read.by_a_run, read.earlier) == ("gru", "options of the run" in text, False)


def test_a_run_is_known_by_its_comment_on_any_line(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("# mine\n" + config_text("runs/a", TRAIN.resolved({"corpus": "stories"})))
    assert read_config(path) == Configuration({"corpus": "stories"}, by_a_run=True, earlier=False)


def test_every_key_of_an_earlier_config_but_those_that_may_be_unset_tells_it():
    keys = {option.key for option in TRAIN.options if option.scope == OF_THE_RUN}
    assert keys >= ALWAYS_IN_EARLIER
    assert tomllib.loads(EARLIER).keys() - ALWAYS_IN_EARLIER == {"max-vocab", "max-tokens", "threads"}
    assert tomllib.loads(EARLIER).keys() >= ALWAYS_IN_EARLIER


class Folder:
    """What Request.resumed asks of a RunFolder."""

    path = "run"


def resumed(tmp_path, was, text, typed=()):
    """The options of a resumed run that began with ``was``, with --config text."""
    (tmp_path / "other.toml").write_text(text)
    header = {"run": of_the_run(TRAIN.resolved({"corpus": "stories", **was}))}
    return Request({"resume": True, "config": str(tmp_path / "other.toml"), **dict(typed)}).resumed(Folder(), header)


def earlier_text(**options):
    return f"# run folder: 'other'\n{toml(of_the_run(TRAIN.resolved({'corpus': 'stories', **options}))['options'])}"


@pytest.mark.parametrize("text", [earlier_text(), earlier_text(lr=0.002), "lr = 0.002\n", earlier_text(lr=0.02)])
def test_what_a_file_states_is_compared_on_resume_even_a_default(text, tmp_path):
    with pytest.raises(RnnlmError, match=r"cannot be resumed with other options: --lr is 0\.0\d+ in the --config, was "
                                         r"0\.01\. Leave --config out, or start"):
        resumed(tmp_path, {"lr": 0.01}, text)
    assert resumed(tmp_path, {"lr": 0.01}, text, {"lr": 0.01}).lr == 0.01  # the line overrides the file


def test_what_a_file_states_overrides_what_a_run_without_a_checkpoint_left(tmp_path):
    (tmp_path / "config.toml").write_text("lr = 0.01\n")
    (tmp_path / "other.toml").write_text(earlier_text())
    folder = SimpleNamespace(path="run", held=SimpleNamespace(file=lambda name: File(tmp_path / name)),
                             require_nothing_but_options=lambda: None)
    assert Request({"resume": True, "config": str(tmp_path / "other.toml")}).resumed(folder, None).lr == 0.002


def test_numbers_of_other_rules_in_an_earlier_file_are_no_other_options(tmp_path):
    text = earlier_text(lr=0.01) + "momentum = 0.9\nalpha = 0.99\n"
    text = text.replace("# momentum is not set\n", "").replace("# alpha is not set\n", "")
    options = resumed(tmp_path, {"lr": 0.01}, text)
    assert (options.lr, options.momentum) == (0.01, None)


def in_the_earlier_form(folder):
    """Let a run's files say what earlier versions said, but not which were given."""
    options = options_of(folder)
    (folder / "config.toml").write_text(f"# run folder: {str(folder)!r}\n{toml(options)}")
    for path in folder.glob("checkpoint*.npz"):
        old = header_of(path)
        del old["run"]["given"]
        with np.load(path) as members:
            arrays = dict(members)
        np.savez(path, **arrays | {"header": as_bytes(json.dumps(old))})


def arrays_of(folder):
    with np.load(folder / "model.npz") as members:
        return {name: members[name].tobytes() for name in members.files}


CHANGES = ["", "--optimizer sgd", "--optimizer adamw --lr 0.01 --weight-decay 0.1", "--cell lstm --layers 2 --tied",
           "--dropout 0.3 --layers 2 --output-dropout 0.1", "--hidden-size 9 --no-tied",
           "--optimizer rmsprop --eps 0.1",
           "--schedule linear --epochs 2 --average tail", "--level char --max-tokens 300 --seed 7", "--config my.toml",
           "--config lstm-quick --batch-size 4 --hidden-size 8 --wordvec-size 6 --epochs 1"]


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("earlier", [False, True])
def test_the_config_of_a_run_repeats_it_exactly(change, earlier, run, tmp_path):
    (tmp_path / "my.toml").write_text("nhid = 7\nbptt = 11\n")
    lines = ["--corpus", str(run.corpus), "--batch-size", "4", "--epochs", "1", *change.split()]
    assert run.bare(*lines, "--output", "one")[0] == 0
    if earlier:
        in_the_earlier_form(tmp_path / "one")
    code, _, err = run.bare("--config", "one", "--output", "two")
    assert code == 0, err
    assert arrays_of(tmp_path / "one") == arrays_of(tmp_path / "two")
    assert options_of(tmp_path / "one") == options_of(tmp_path / "two")


@pytest.mark.slow
@pytest.mark.parametrize("earlier", [False, True])
def test_what_was_not_given_follows_anew_where_a_runs_options_are_changed(earlier, run, tmp_path):
    assert run.bare("--corpus", str(run.corpus), "--batch-size", "4", "--epochs", "1", "--output", "one")[0] == 0
    if earlier:
        in_the_earlier_form(tmp_path / "one")
    assert run.bare("--config", "one", "--optimizer", "sgd", "--hidden-size", "9", "--output", "two")[0] == 0
    assert {name: options_of(tmp_path / "two")[name] for name in ("lr", "wordvec_size")} == {"lr": 1, "wordvec_size": 9}


@pytest.mark.slow
def test_a_default_that_was_given_stays_given(run, tmp_path):
    """--lr 0.002 is Adam's own rate.  An earlier run's file could not tell."""
    line = ["--corpus", str(run.corpus), "--batch-size", "4", "--epochs", "1", "--hidden-size", "8", "--lr", "0.002"]
    assert run.bare(*line, "--output", "one")[0] == 0
    assert header_of(tmp_path / "one/checkpoint.npz")["run"]["given"] == [
        "corpus", "hidden_size", "epochs", "batch_size", "lr"]
    assert run.bare("--config", "one", "--optimizer", "sgd", "--output", "two")[0] == 0
    assert options_of(tmp_path / "two")["lr"] == 0.002
    shutil.copytree(tmp_path / "one", tmp_path / "old")
    in_the_earlier_form(tmp_path / "old")
    assert run.bare("--config", "old", "--optimizer", "sgd", "--output", "three")[0] == 0
    assert options_of(tmp_path / "three")["lr"] == 1.0


@pytest.mark.slow
def test_an_earlier_run_is_resumed_and_keeps_its_options(run, tmp_path):
    assert run("--epochs", "1", "--seed", "3")[0] == 0
    assert run("--epochs", "2", "--seed", "3", output="whole")[0] == 0
    in_the_earlier_form(tmp_path / "run")
    code, _, err = run.bare("--resume", "--output", "run", "--epochs", "2")
    assert code == 0, err
    assert "config.toml" not in err
    assert arrays_of(tmp_path / "run") == arrays_of(tmp_path / "whole")
    assert {"seed": 3, "epochs": 2}.items() <= tomllib.loads((tmp_path / "run/config.toml").read_text()).items()
    assert header_of(tmp_path / "run/checkpoint.npz")["run"]["given"]


@pytest.mark.slow
@pytest.mark.parametrize("given", [3, [1], {"lr": 1}])
def test_given_of_a_strangers_checkpoint_is_looked_at(given, run, tmp_path):
    assert run("--epochs", "1", *SMALL)[0] == 0
    path = tmp_path / "run/checkpoint.npz"
    with np.load(path) as members:
        arrays = dict(members)
    changed = header_of(path)
    changed["run"]["given"] = given
    np.savez(path, **arrays | {"header": as_bytes(json.dumps(changed))})
    code, _, err = run.bare("--resume", "--output", "run")
    assert code == 1
    assert "given must be a list of names of options" in err
