"""config.toml of a run: the checkpoint is the truth, the file its copy."""

import json
import os
import signal
import tomllib

import numpy as np
import pytest
from training_runs import metrics, options_of, without_times

from rnnlm.files.archive import as_bytes
from rnnlm.runs.configuration import read_config

pytestmark = pytest.mark.slow

EPOCHS = ["--epochs", "2"]


def edit(folder, *changes):
    """Replace lines of config.toml by name, whether they are keys or comments."""
    path = folder / "config.toml"
    lines = path.read_text(encoding="utf-8").splitlines()
    for name, line in changes:
        lines = [line if old.removeprefix("# ").split(" =")[0] == name else old for old in lines]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize("finished", [True, False])
def test_an_edited_config_is_noted_and_made_true_again(run, tmp_path, finished):
    if finished:
        run(*EPOCHS)
    else:
        run.stopped_at(40, signal.SIGINT, *EPOCHS)
    path = tmp_path / "run/config.toml"
    before = path.read_bytes()
    edit(tmp_path / "run", ("epochs", "epochs = 9"), ("hidden-size", "hidden_size = 300"), ("tied", "tied = true"),
         ("cell", 'sell = "lstm"'))
    code, _, err = run.bare("--resume", "--output", "run")
    assert code == 0
    line, = [line for line in err.splitlines() if "config.toml" in line]
    assert line == (
        "note: run/config.toml says sell = 'lstm' (no such option), hidden-size = 300 (checkpoint: 12), epochs = 9 "
        "(checkpoint: 2), tied = True (checkpoint: False); the checkpoint's options are used, and the file is "
        "corrected; to change it in this run, add --epochs 9; for a new run: rnnlm train --config run/config.toml "
        "--hidden-size 300 --tied")
    assert path.read_bytes() == before
    assert len(metrics(tmp_path / "run")) == 2
    assert "config.toml" not in run.bare("--resume", "--output", "run")[2]


def test_what_the_note_says_brings_what_was_wanted(run, tmp_path):
    run(*EPOCHS)
    edit(tmp_path / "run", ("epochs", "epochs = 3"))
    code, out, err = run.bare("--resume", "--output", "run", "--epochs", "3")
    assert code == 0
    assert "config.toml" not in err  # the file says what is asked for
    assert len(metrics(tmp_path / "run")) == 3
    assert tomllib.loads((tmp_path / "run/config.toml").read_text())["epochs"] == 3
    edit(tmp_path / "run", ("hidden-size", "hidden-size = 9"))
    run.bare("--resume", "--output", "run")
    code, out, _ = run.bare("--config", "run/config.toml", "--hidden-size", "9", "--output", "new")
    assert code == 0
    assert "RNN of 9" in out


@pytest.mark.parametrize(("content", "message"), [
    (b"epochs = ", "run/config.toml must be TOML: Invalid value"), (b"\xff", "run/config.toml must be TOML"),
    (b"#" * ((1 << 20) + 1), "must be a configuration of at most 1,048,576 bytes, it has more"),
    (b"hidden_size = 12\nhidden-size = 12\n", "hidden_size and hidden-size are the same option: remove one"),
    (b"epochs = 0x" + b"f" * 5000, "says epochs = 0xfff"),
    (b'a = "\\u001b[2J"\n"b\\u001b" = 1\n', r"says a = '\x1b[2J' (no such option), b\x1b = 1 (no such option)"),
    (b"".join(b"o%d = 1\n" % i for i in range(900)), "o4 = 1 (no such option), ...; the checkpoint's options")])
def test_a_config_that_says_nothing_is_written_again(run, tmp_path, content, message):
    run("--epochs", "1")
    path = tmp_path / "run/config.toml"
    before = path.read_bytes()
    path.write_bytes(content)
    code, _, err = run.bare("--resume", "--output", "run")
    assert code == 0
    line, = [line for line in err.splitlines() if "config.toml" in line]
    assert message in line
    assert line.isprintable()
    assert len(line) < 600
    assert path.read_bytes() == before


def test_a_config_that_is_gone_comes_back_and_a_folder_that_moved_is_in_it(run, tmp_path):
    run("--epochs", "1")
    before = (tmp_path / "run/config.toml").read_text()
    (tmp_path / "run/config.toml").unlink()
    (tmp_path / "run").rename(tmp_path / "moved")
    code, _, err = run.bare("--resume", "--output", "moved")
    assert code == 0
    assert "config.toml" not in err
    assert (tmp_path / "moved/config.toml").read_text() == before.replace("'run'", "'moved'")


def test_where_the_checkpoint_is_refused_the_edited_file_stays(run, tmp_path):
    run("--epochs", "1")
    edit(tmp_path / "run", ("epochs", "epochs = 9"))
    before = (tmp_path / "run/config.toml").read_bytes()
    for path in (tmp_path / "run").glob("checkpoint*"):
        path.write_bytes(b"x")
    assert run.bare("--resume", "--output", "run")[0] == 1
    assert (tmp_path / "run/config.toml").read_bytes() == before


@pytest.mark.parametrize("name", [b"caf\xe9", b"100% \xff#\"\\", "ü".encode()])
def test_a_corpus_whose_path_is_not_utf_8_is_read_back(run, small_corpus, tmp_path, name):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/" + name)
    small_corpus.rename(path)
    code, _, _ = run("--epochs", "1", corpus=path)
    assert code == 0
    config = (tmp_path / "run/config.toml").read_text(encoding="utf-8")
    assert tomllib.loads(config)["corpus"].startswith("/" if name.isascii() or name == "ü".encode() else "file:///")
    assert read_config(tmp_path / "run/config.toml").values["corpus"] == path
    code, _, err = run.bare("--config", "run/config.toml", "--output", "again")
    assert code == 0, err
    assert without_times(tmp_path / "again") == without_times(tmp_path / "run")
    code, _, err = run.bare("--resume", "--output", "run")
    assert code == 0
    assert "config.toml" not in err


OF_OLD = {"dropout": 1e-6, "input_gain": 1e31, "recurrent_gain": 1e-40, "time_size": 2_000_000,
          "slowness_penalty": 1e-60, "weight_decay": 1e-50, "beta2": 0.99999999999}


def test_a_run_that_began_with_values_that_a_new_run_may_not_have_is_resumed(run, tmp_path):
    """Earlier versions took them."""
    run(*EPOCHS)
    for path in (tmp_path / "run").glob("checkpoint*.npz"):
        with np.load(path) as members:
            arrays = dict(members)
        header = json.loads(arrays["header"].tobytes())
        header["run"]["options"] |= OF_OLD
        np.savez(path, **arrays | {"header": as_bytes(json.dumps(header))})
    code, _, err = run.bare("--resume", "--output", "run", "--epochs", "3")
    assert code == 0, err
    assert len(metrics(tmp_path / "run")) == 3
    options = options_of(tmp_path / "run")
    assert {name: options[name] for name in OF_OLD} == OF_OLD
    for name, value in OF_OLD.items():
        (tmp_path / "one.toml").write_text(f"{name} = {value!r}\n")
        code, _, err = run("--config", "one.toml", output="new")
        assert (code, (tmp_path / "new").exists()) == (1, False), name
        assert f"one.toml: {name} must be" in err
