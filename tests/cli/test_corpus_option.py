"""Which corpus the training command takes where a name means two."""

import shutil
import tomllib

import pytest
from conftest import REPOSITORY

from rnnlm.cli.train import main as train

QUICK = ["--hidden-size", "3", "--epochs", "1", "--max-tokens", "2000", "--threads", "1"]
WORDS = 16  # of the small corpus, <eos> included


@pytest.fixture
def both(run, small_corpus, tmp_path):
    """A folder with the small corpus under the names stories and ptb."""
    for name in ("stories", "ptb"):
        shutil.copytree(small_corpus, tmp_path / name)
    return run


def vocabulary(out):
    return int(out.split("vocabulary ")[1].split()[0])


def test_a_name_on_the_command_line_means_what_exists_and_a_note_names_the_other(both, tmp_path):
    code, out, err = both.bare("--corpus", "stories", "--output", "run", *QUICK)
    assert (code, vocabulary(out)) == (0, WORDS)
    assert (f"note: the corpus stories is the folder {tmp_path / 'stories'}, which overrides the known corpus of "
            f"that name: for the known one, give --corpus {REPOSITORY / 'datasets/stories'}\n") in err
    assert tomllib.loads((tmp_path / "run/config.toml").read_text())["corpus"] == str(tmp_path / "stories")
    code, out, err = both.bare("--corpus", "ptb", "--output", "ptb-run", *QUICK)
    assert (code, vocabulary(out)) == (0, WORDS)


def test_the_default_stays_the_shipped_stories_and_a_note_names_the_folder(both, tmp_path):
    code, out, err = both.bare("--output", "run", *QUICK)
    assert code == 0
    assert vocabulary(out) > WORDS
    assert (f"note: the corpus is the known one called stories, not {tmp_path / 'stories'}: for that one, give "
            "--corpus ./stories\n") in err
    assert tomllib.loads((tmp_path / "run/config.toml").read_text())["corpus"] == "stories"


@pytest.mark.parametrize("arguments", [[], ["--corpus", "stories"]])
def test_a_run_on_the_shipped_stories_goes_on_with_them(both, arguments):
    both.bare(*QUICK)
    code, out, err = both.bare("--resume", "--epochs", "2", *arguments)
    assert code == 0, err
    assert "resumed after step" in out
    assert vocabulary(out) > WORDS


def test_a_run_on_the_folder_goes_on_with_it_from_anywhere(both, tmp_path, monkeypatch):
    both.bare("--corpus", "stories", "--output", "run", *QUICK)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    code, out, _ = both.bare("--resume", "--output", "../run", "--epochs", "2")
    assert (code, vocabulary(out)) == (0, WORDS)


def test_a_name_in_a_configuration_that_a_person_wrote_is_typed(both, tmp_path):
    (tmp_path / "my.toml").write_text('corpus = "stories"\n')
    code, out, err = both.bare("--config", "my.toml", "--output", "run", *QUICK)
    assert (code, vocabulary(out)) == (0, WORDS)
    assert "overrides the known corpus" in err


def test_a_name_in_the_configuration_of_a_run_means_what_the_run_read(both):
    both.bare("--output", "run", *QUICK)
    code, out, err = both.bare("--config", "run/config.toml", "--output", "again")
    assert code == 0
    assert vocabulary(out) > WORDS
    assert "for that one, give --corpus ./stories" in err


def test_a_name_in_a_recipe_means_the_known_corpus(both, monkeypatch, tmp_path):
    monkeypatch.setenv("RNNLM_CACHE", str(tmp_path / "cache"))

    def fetch(url, *_):
        raise OSError(5, f"asked for {url}")

    monkeypatch.setattr("rnnlm.files.download.fetch", fetch)
    code, _, err = both.bare("--config", "lstm-small", "--output", "run")
    assert code == 1
    assert "ptb.train.txt" in err
    assert "for that one, give --corpus ./ptb" in err


def test_an_empty_name_is_wrong_usage(run, capsys):
    with pytest.raises(SystemExit):
        train(["--corpus", ""])
    assert "argument --corpus: must not be empty" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "message"), [
    ("loop", "no corpus 'loop'"),
    ("x" * 300, "no corpus 'xxx"), ("/dev/zero", "must be a regular file or a pipe")])
def test_what_is_no_corpus_is_one_line(run, tmp_path, name, message):
    (tmp_path / "loop").symlink_to("loop")
    code, out, err = run.bare("--corpus", name, *QUICK)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert message in err
    assert not (tmp_path / "runs").exists()


def test_a_corpus_with_the_longest_name_of_all_has_runs(run, tmp_path):
    """Folders' names may have 255 bytes, and the second run gets a number after it."""
    (tmp_path / ("ü" * 127)).write_text("the cat sat on the mat .\n" * 40, encoding="utf-8")
    for _ in range(2):
        assert run.bare("--corpus", "ü" * 127, *QUICK)[0] == 0
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"ü" * 60, "ü" * 60 + "-2"}
