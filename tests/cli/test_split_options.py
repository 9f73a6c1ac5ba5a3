"""Corpora of several files, of standard input, split as asked for, and scored again."""

import gzip
import io
import json
import os
import subprocess
import sys
import tomllib

import pytest
from training_runs import SMALL, header_of, metrics, without_times

import rnnlm
from rnnlm.cli.evaluate import main as evaluate
from rnnlm.cli.train import main as train

QUICK = ["--epochs", "1", "--threads", "1"]
LINES = "the cat sat on the mat .\nthe dog ran to the door .\n\na bird sang in the tree .\n"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache."""
    monkeypatch.setenv("RNNLM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def texts(tmp_path):
    """A folder of three texts of many documents."""
    folder = tmp_path / "texts"
    folder.mkdir()
    for name, start in (("b.txt", 0), ("a.txt", 20), ("c.txt", 50)):
        (folder / name).write_text("".join(f"n{i % 7} {LINES}" for i in range(start, start + 16)))
    return folder


def corpus_of(folder):
    """The fingerprint of what a run read."""
    return header_of(folder / "checkpoint.npz")["run"]["corpus"]


def test_several_files_and_a_folder_are_one_text(run, texts, tmp_path):
    files = [str(texts / name) for name in ("a.txt", "b.txt", "c.txt")]
    assert run.bare("--corpus", *files, "--output", "one", *SMALL, *QUICK)[0] == 0
    assert run.bare("--corpus", files[0], "--corpus", *files[1:], "--output", "two", *SMALL, *QUICK)[0] == 0
    _, _, err = run.bare("--corpus", str(texts), "--output", "three", *SMALL, *QUICK)
    assert f"note: 3 files of {texts}, sorted by name, split in order at line ends 90/5/5\n" in err
    assert err.count("3 files") == 1
    assert len({corpus_of(tmp_path / name) for name in ("one", "two", "three")}) == 1
    assert without_times(tmp_path / "one") == without_times(tmp_path / "three")
    assert tomllib.loads((tmp_path / "one/config.toml").read_text())["corpus"] == files
    assert run.bare("--config", "one/config.toml", "--output", "again")[0] == 0
    assert corpus_of(tmp_path / "again") == corpus_of(tmp_path / "one")


@pytest.mark.usefixtures("run")
def test_the_library_takes_a_list(texts):
    files = [texts / "a.txt", str(texts / "b.txt")]
    done = rnnlm.train(files, hidden_size=4, epochs=1, threads=1, split="random", split_by="documents")
    assert done.folder.name == "a-and-1-more"
    header = header_of(done.folder / "checkpoint.npz")["run"]
    assert header["options"]["corpus"] == [str(file) for file in files]
    assert rnnlm.load_corpus(files).train.size > 100
    with pytest.raises(rnnlm.RnnlmError, match="an empty list"):
        rnnlm.train([], epochs=1)


def test_a_run_on_several_files_goes_on_and_is_found_by_them(run, texts, tmp_path):
    files = ["texts/b.txt", "texts/a.txt"]
    assert run.bare("--corpus", *files, *SMALL, *QUICK)[0] == 0
    code, out, err = run.bare("--resume", "--corpus", *files, "--epochs", "2")
    assert (code, "resumed after step" in out) == (0, True), err
    assert "in runs: runs/b-and-1-more\n" in err
    code, _, err = run.bare("--resume", "--corpus", *reversed(files), "--output", "runs/b-and-1-more", "--epochs", "3")
    assert (code, "was trained on different text from" in err) == (1, True)


@pytest.mark.parametrize("options", [["--split", "random"], ["--split-by", "documents"], ["--split-shares", "60/20/20"],
                                     ["--split", "random", "--split-by", "documents", "--split-seed", "7"]],
                         ids=" ".join)
def test_the_split_is_saved_and_training_on_it_is_the_same_run(run, texts, tmp_path, options):
    run(*QUICK, corpus=texts, output="plain")
    code, _, err = run(*QUICK, *options, "--save-splits", "saved/here", corpus=texts)
    assert code == 0, err
    assert "note: the three texts are saved in " in err
    assert corpus_of(tmp_path / "run") != corpus_of(tmp_path / "plain")
    assert run(*QUICK, corpus="saved/here", output="again")[0] == 0
    assert corpus_of(tmp_path / "again") == corpus_of(tmp_path / "run")
    assert without_times(tmp_path / "again") == without_times(tmp_path / "run")


def test_another_seed_of_the_run_leaves_the_texts_and_another_of_the_split_does_not(run, texts, tmp_path):
    for output, options in (("a", ["--seed", "5"]), ("b", ["--seed", "6"]), ("c", ["--split-seed", "2"])):
        assert run(*QUICK, "--split", "random", *options, corpus=texts, output=output)[0] == 0
    assert corpus_of(tmp_path / "a") == corpus_of(tmp_path / "b") != corpus_of(tmp_path / "c")


@pytest.mark.parametrize(("options", "message"), [
    (["--split-seed", "3"], "--split-seed does nothing here: it works only with --split random"),
    (["--save-splits", "texts"], "--save-splits must be a new folder, texts holds a.txt: choose another name"),
    (["--split-by", "documents", "--split-shares", "1/1/1000000"], "train text would be empty")])
def test_a_split_that_cannot_be_is_one_line(run, texts, tmp_path, options, message):
    code, out, err = run(*QUICK, *options, corpus=texts)
    assert (code, out, err.count("\n")) == (1, "", 1), err
    assert message in err
    assert not (tmp_path / "run").exists()


def test_shares_that_are_none_are_wrong_usage(capsys):
    with pytest.raises(SystemExit):
        train(["--split-shares", "90/10"])
    said = capsys.readouterr().err
    assert "argument --split-shares: must be three numbers above 0, as in 90/5/5, got '90/10'" in said


def test_a_corpus_with_three_texts_is_saved_and_not_split(run, small_corpus, tmp_path):
    assert run(*QUICK, "--save-splits", "saved")[0] == 0
    for name in ("train.txt", "valid.txt", "test.txt"):
        assert (tmp_path / "saved" / name).read_bytes() == (small_corpus / name).read_bytes()
    code, _, err = run(*QUICK, "--split", "random", output="other")
    assert (code, "so there is nothing to split" in err) == (1, True)


@pytest.fixture
def typed(monkeypatch):
    """A function that puts bytes on standard input."""
    def put(data):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    return put


def test_standard_input_is_kept_and_a_run_on_it_goes_on(run, typed, tmp_path, cache):
    typed((LINES * 20).encode())
    code, out, err = run.bare("--corpus", "-", *SMALL, *QUICK)
    assert (code, "run folder runs/standard-input\n" in out) == (0, True), err
    (kept,) = (cache / "standard-input").iterdir()
    assert kept.read_text() == LINES * 20
    assert f"note: standard input is kept in {kept}, from where the run is resumed: remove the file" in err
    assert header_of(tmp_path / "runs/standard-input/checkpoint.npz")["run"]["options"]["corpus"] == str(kept)
    typed(b"")
    code, out, err = run.bare("--resume", "--output", "runs/standard-input", "--epochs", "2")
    assert (code, "resumed after step" in out) == (0, True), err
    assert evaluate(["runs/standard-input"]) == 0
    code, _, err = run.bare("--resume", "--corpus", "-")
    assert (code, "--resume reads no standard input (--corpus -)" in err) == (1, True)


def test_standard_input_may_be_one_of_several_texts_and_compressed(run, typed, texts, tmp_path):
    (tmp_path / "plain.txt").write_text(LINES * 5)
    run.bare("--corpus", str(texts), "plain.txt", "--output", "a", *SMALL, *QUICK)
    typed(gzip.compress((LINES * 5).encode()))
    assert run.bare("--corpus", str(texts), "-", "--output", "b", *SMALL, *QUICK)[0] == 0
    assert corpus_of(tmp_path / "a") == corpus_of(tmp_path / "b")


@pytest.mark.parametrize(("data", "names", "message"), [
    (b"", ["-"], "standard input must hold at least one line of text, but it is empty"),
    (b"a\xff\n", ["-"], "must be UTF-8: line 1"), (b"a\n", ["-", "-"], "standard input (-) can be read only once")])
def test_what_is_wrong_with_standard_input_is_one_line(run, typed, tmp_path, data, names, message):
    typed(data)
    code, out, err = run.bare("--corpus", *names, *QUICK)
    assert (code, out) == (1, "")
    assert message in err.splitlines()[-1]
    assert not (tmp_path / "runs").exists()


def test_standard_input_that_no_run_can_read_is_kept_only_if_another_run_has_it(run, typed, cache):
    text = (LINES * 20 + "a <eos>\n").encode()
    typed(text)
    code, _, err = run.bare("--corpus", "-", *SMALL, *QUICK)
    assert code == 1 and ", line " in err.splitlines()[-1]
    assert err.splitlines()[-2].endswith(" is removed")
    assert list((cache / "standard-input").iterdir()) == []
    typed(text)
    assert run.bare("--corpus", "-", *SMALL, *QUICK, "--level", "char")[0] == 0
    typed(text)
    assert run.bare("--corpus", "-", *SMALL, *QUICK)[0] == 1
    assert len(list((cache / "standard-input").iterdir())) == 1


def test_a_full_disk_is_one_line_before_anything_is_made(run, typed, tmp_path, cache, monkeypatch):
    typed(b"a\n" * 99)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rnnlm.files.whole.os.fsync", full)
    code, _, err = run.bare("--corpus", "-", *QUICK)
    assert (code, err.count("\n")) == (1, 1)
    assert "could not be written: no space left on device; free some disk space first, or set RNNLM_CACHE" in err
    assert list((cache / "standard-input").iterdir()) == []


def test_a_wrong_option_is_told_before_standard_input_is_read(run, typed):
    typed(b"a\n" * 99)
    assert "--split-seed does nothing" in run.bare("--corpus", "-", "--split-seed", "3", *QUICK)[2]
    assert sys.stdin.read() == "a\n" * 99


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a shell's pipe")
def test_a_real_pipe_is_a_corpus(texts, tmp_path):
    command = f"cat {texts}/*.txt | {sys.executable} -m rnnlm train --corpus - {' '.join(SMALL + QUICK)} --output run"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (tmp_path / "all.txt").write_bytes(b"".join(path.read_bytes() for path in sorted(texts.iterdir())))
    again = rnnlm.load_corpus(tmp_path / "all.txt")
    assert corpus_of(tmp_path / "run") == again.fingerprint()


def scored(capsys, *arguments):
    assert evaluate([*arguments, "--threads", "1", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("options", [[], ["--split", "random", "--split-by", "documents"], ["--max-tokens", "300"],
                                     ["--level", "char", "--split-shares", "4/1/1"]], ids=" ".join)
def test_a_runs_own_texts_are_scored_again(run, texts, tmp_path, capsys, options):
    code, out, err = run(*QUICK, *options, "--save-splits", "saved", corpus=texts)
    assert code == 0, err
    for name in ("train", "valid", "test"):
        own = scored(capsys, "run", *([] if name == "test" else ["--split", name]))
        assert (own.pop("file"), own.pop("corpus"), own.pop("split")) == (None, str(texts), name)
        if name != "train" or "--max-tokens" not in options:
            other = scored(capsys, "run", f"saved/{name}.txt")
            assert other.pop("file") == f"saved/{name}.txt"
            assert own == other
        else:
            assert own["targets"] == 300
    assert evaluate(["run", "--split", "valid"]) == 0
    assert capsys.readouterr().out.startswith(f"validation text of {texts}: ")
    assert evaluate(["run"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"test text of {texts}: ")
    assert printed.split("perplexity ")[1][:5] == out.split("test perplexity ")[1][:5]
    assert metrics(tmp_path / "run")[0]["valid_perplexity"] == pytest.approx(
        scored(capsys, "run", "--split", "valid")["perplexity"], rel=1e-5)


def test_the_texts_of_a_run_on_the_default_are_those_of_the_stories(run, capsys):
    run.bare(*SMALL, *QUICK, "--max-tokens", "2000", "--output", "run")
    assert scored(capsys, "run")["corpus"] == "stories"


def test_a_text_that_changed_is_one_line(run, texts, capsys):
    run(*QUICK, corpus=texts)
    with open(texts / "b.txt", "a") as file:
        file.write("one more line\n")
    assert evaluate(["run"]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert f"the run in run was trained on different text from {texts}: put the text back as it was, or name" in err


def test_texts_that_are_gone_are_one_line_with_a_remedy(run, texts, tmp_path, capsys):
    run(*QUICK, corpus=texts)
    texts.rename(tmp_path / "moved")
    assert evaluate(["run"]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert f"the texts of the run in run cannot be read again: no corpus '{texts}': it must be" in err
    assert err.endswith("; put them back as they were, or name a text to score\n")
    code, _, err = run.bare("--resume", "--output", "run")
    assert code == 1
    assert f"the run in run cannot read its text again: no corpus '{texts}'" in err
    assert err.endswith("; put it back, or pass --corpus with where it is now\n")
    assert run.bare("--resume", "--output", "run", "--corpus", "moved")[0] == 0


def test_without_a_checkpoint_the_options_of_the_run_tell_its_texts(run, texts, tmp_path, capsys):
    run(*QUICK, "--split", "random", corpus=texts)
    before = scored(capsys, "run")
    for path in (tmp_path / "run").glob("checkpoint*"):
        path.unlink()
    assert scored(capsys, "run") == before
    (tmp_path / "run/config.toml").unlink()
    assert evaluate(["run"]) == 1
    said = capsys.readouterr().err
    assert "run holds neither a checkpoint nor config.toml, so the texts of its run are not known" in said


def test_a_model_file_does_not_know_its_texts(run, tmp_path, capsys):
    run(*QUICK)
    (tmp_path / "run/model.npz").rename(tmp_path / "m.npz")
    assert evaluate(["m.npz"]) == 1
    assert "m.npz is a model file, which does not know the texts of its run: name a text" in capsys.readouterr().err
    (tmp_path / "m.npz").rename(tmp_path / "run/model.npz")
    assert evaluate(["run/model.npz"]) == 1
    assert "or give the run folder (run)\n" in capsys.readouterr().err


def test_a_split_is_not_chosen_for_a_text_that_is_named(run, small_corpus, capsys):
    run(*QUICK)
    assert evaluate(["run", str(small_corpus / "test.txt"), "--split", "valid"]) == 1
    assert "--split valid is for the run's own texts: leave it out, or name no text" in capsys.readouterr().err
