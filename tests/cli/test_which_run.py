"""Which folder a run works in: the newest for --resume; impossible names."""

import json
import os
import shutil
import signal
import tomllib

import numpy as np
import pytest

pytestmark = pytest.mark.slow

EPOCHS = ["--epochs", "2"]


def tree(folder):
    """All names below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def saved_at(path, time):
    """Let the files of a run be as old as if they had been saved at this time."""
    for file in path.iterdir():
        os.utime(file, (time, time))


@pytest.fixture
def corpora(tmp_path, small_corpus):
    """Two more corpora, beside small: enwik and enwik-8."""
    for name in ("enwik", "enwik-8"):
        shutil.copytree(small_corpus, tmp_path / name)
    return tmp_path


def test_resume_alone_takes_the_run_whose_checkpoint_is_newest_and_says_which(run, corpora):
    for name in ("small", "enwik"):
        run.stopped_at(3, signal.SIGINT, *EPOCHS, corpus=corpora / name, output=None)
    saved_at(corpora / "runs/small", 2_000_000_000)  # in 2033
    os.utime(corpora / "runs/enwik/config.toml", (3e9, 3e9))  # was looked at in an editor
    code, out, err = run.bare("--resume")
    assert code == 0
    assert "note: resuming the newest run in runs: runs/small\n" in err
    assert "resumed after step 3, in epoch 1" in out
    assert not (corpora / "runs/enwik/model.npz").exists()
    saved_at(corpora / "runs/small", 2_000_000_000)
    code, out, err = run.bare("--resume")  # the finished one is still the newest
    assert code == 0
    assert "resuming the newest run in runs: runs/small" in err
    assert "training is already complete" in err
    assert tree(corpora / "runs")[0] == "enwik"
    assert not (corpora / "runs/stories").exists()


@pytest.mark.parametrize("there", [None, "runs", "runs/empty", "runs/other/model.npz"])
def test_resume_alone_where_there_is_no_run_makes_none(run, tmp_path, there):
    if there:
        (tmp_path / there).mkdir(parents=True)
    before = tree(tmp_path)
    code, out, err = run.bare("--resume")
    assert (code, out) == (1, "")
    assert "there is no run in runs to resume: give its folder with --output, or start a run without --resume" in err
    assert tree(tmp_path) == before


def test_a_corpus_in_a_configuration_is_as_good_as_one_on_the_line(run, corpora):
    (corpora / "c.toml").write_text('corpus = "enwik"\n')
    run.stopped_at(3, signal.SIGINT, *EPOCHS, corpus=corpora / "enwik", output=None)
    run.stopped_at(3, signal.SIGINT, *EPOCHS, output=None)
    saved_at(corpora / "runs/small", 2_000_000_000)
    assert "run folder runs/enwik" in run.bare("--resume", "--config", "c.toml")[1]


@pytest.mark.parametrize("name", ["enwik", "enwik-8"])
def test_a_corpus_is_known_by_what_the_checkpoint_says_not_by_the_folders_name(run, corpora, name):
    """The run of enwik-8 is called like a second run of enwik."""
    for number, corpus in enumerate(("enwik", "enwik-8", "small"), 1):
        run.stopped_at(number, signal.SIGINT, *EPOCHS, corpus=corpora / corpus, output=None)
        saved_at(corpora / "runs" / corpus, number * 1e9)
    code, out, err = run.bare("--resume", "--corpus", name)
    assert code == 0
    assert f"newest run on {corpora / name} in runs: runs/{name}\n" in err
    assert f"run folder runs/{name}\n" in out


def test_a_name_of_two_corpora_means_what_exists_first(run, corpora):
    run.stopped_at(3, signal.SIGINT, *EPOCHS, "--max-tokens", "2000", output="runs/known", corpus="stories")
    (corpora / "small").rename(corpora / "stories")
    assert "in runs: runs/known\n" in run.bare("--resume", "--corpus", "stories", "--epochs", "1")[2]
    run.stopped_at(3, signal.SIGINT, *EPOCHS, output="runs/own", corpus="stories")
    saved_at(corpora / "runs/known", 2_000_000_000)
    assert "in runs: runs/own\n" in run.bare("--resume", "--corpus", "stories")[2]


@pytest.mark.parametrize("how", ["link", "relative", "parent"])
def test_however_the_corpus_is_written_it_is_the_same(run, corpora, how):
    run.stopped_at(3, signal.SIGINT, *EPOCHS, output="runs/my run")
    (corpora / "link").symlink_to("small")
    corpus = {"link": "link", "relative": "./small/", "parent": "enwik/../small"}[how]
    code, out, _ = run.bare("--resume", "--corpus", corpus)
    assert code == 0
    assert "run folder runs/my run" in out


@pytest.mark.parametrize("what", ["its newest is damaged", "all are damaged", "none is there yet"])
def test_where_a_checkpoint_cannot_tell_the_corpus_others_of_the_run_do(run, corpora, what):
    run.stopped_at(40, signal.SIGINT, *EPOCHS, output="runs/x")
    for name in {"its newest is damaged": ["checkpoint.npz"]}.get(what, ["checkpoint.npz", "checkpoint-previous.npz"]):
        (corpora / "runs/x" / name).write_bytes(b"x")
        if what == "none is there yet":
            (corpora / "runs/x" / name).unlink()
    (corpora / "runs/x/model.npz").unlink()
    (corpora / "runs/x/metrics.jsonl").unlink()
    code, _, err = run.bare("--resume", "--corpus", "small")
    assert "resuming the newest run on" in err
    assert code == (1 if what == "all are damaged" else 0), err


def test_a_known_corpus_is_known_by_its_name(run, corpora):
    run.stopped_at(3, signal.SIGINT, *EPOCHS, "--max-tokens", "2000", corpus="stories", output="runs/x")
    run.stopped_at(3, signal.SIGINT, *EPOCHS, output="runs/stories")
    saved_at(corpora / "runs/stories", 2_000_000_000)
    _, out, err = run.stopped_at(3, signal.SIGINT, "--resume", corpus="stories", output=None)
    assert "newest run on stories in runs: runs/x\n" in err
    assert "resumed after step 3" in out


def test_a_stranger_among_the_runs_is_passed_over(run, corpora):
    run.stopped_at(3, signal.SIGINT, *EPOCHS, output=None)
    for number, options in enumerate([{"corpus": "a\0b"}, {"corpus": 7}, [], {"corpus": ["small"]}]):
        path = corpora / f"runs/stranger-{number}"
        shutil.copytree(corpora / "runs/small", path)
        (path / "checkpoint-previous.npz").unlink()
        with np.load(path / "checkpoint.npz") as members:
            arrays = dict(members)
        header = json.loads(arrays["header"].tobytes())
        header["run"]["options"] = options
        arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
        np.savez(path / "checkpoint.npz", **arrays)
        (path / "config.toml").write_bytes(b"\xff")
        saved_at(path, 2_000_000_000)
    code, out, err = run.bare("--resume", "--corpus", "small")
    assert code == 0, err
    assert "run folder runs/small\n" in out


def test_without_a_run_of_the_corpus_one_is_started_and_the_newest_other_one_named(run, corpora):
    """So a script can always pass --resume; another run's folder is never taken."""
    run.bare("--corpus", "small", "--output", "runs/enwik", *EPOCHS)
    run.bare("--corpus", "small", "--output", "runs/my run", *EPOCHS)
    (corpora / "runs/locked").mkdir(mode=0)
    (corpora / "runs/enwik-2").mkdir()  # as a run leaves it that is killed before it writes anything
    code, out, err = run.bare("--resume", "--corpus", "enwik", *EPOCHS)
    assert code == 0
    assert (f"note: there is no run on {corpora / 'enwik'} in runs; to resume the newest run on another corpus, give "
            "--output 'runs/my run'\n") in err
    assert "run folder runs/enwik-2\n" in out
    assert tomllib.loads((corpora / "runs/enwik/config.toml").read_text())["corpus"] == str(corpora / "small")


@pytest.mark.parametrize("output", ["link", "link/inside", "loop"])
@pytest.mark.parametrize("how", [[], ["--resume"], ["--overwrite"]])
def test_a_link_that_leads_nowhere_is_named(run, tmp_path, output, how):
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    before = tree(tmp_path)
    code, out, err = run(*how, output=output)
    assert (code, out) == (1, "")
    name, target = ("loop", "loop") if output == "loop" else ("link", "nowhere")
    assert f"error: {name} is a symbolic link to {target}, which does not exist: create that folder, or" in err
    assert tree(tmp_path) == before


def test_runs_that_is_such_a_link_or_a_file_ends_no_search(run, tmp_path):
    """The name that is not taken yet would be looked for without end."""
    (tmp_path / "runs").symlink_to("nowhere")
    assert "runs is a symbolic link to nowhere, which does not exist" in run(output=None)[2]
    (tmp_path / "runs").unlink()
    (tmp_path / "runs").write_text("mine")
    code, _, err = run(output=None)
    assert code == 1
    assert "--output must be a folder, runs is a file: choose another name" in err


def test_a_picture_that_was_not_drawn_is_not_promised(run, tmp_path, monkeypatch):
    def fails(*arguments):
        raise RuntimeError("no font")

    assert "model, metrics and picture are in run;" in run("--epochs", "1")[2]
    monkeypatch.setattr("rnnlm.reports.curves.perplexity_figure", fails)
    code, _, err = run("--epochs", "1", output="other")
    assert code == 0
    assert "note: perplexity.png could not be drawn: no font" in err
    assert "model and metrics are in other;" in err
    assert not (tmp_path / "other/perplexity.png").exists()
