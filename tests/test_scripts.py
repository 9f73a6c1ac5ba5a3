"""The commands as a person types them: from another folder, in their own process."""

import json
import re
import runpy
import subprocess
import sys

import numpy as np
import pytest
from conftest import REPOSITORY

import rnnlm
from rnnlm.cli.main import COMMANDS, main
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.text.vocabulary import Vocabulary


def run(*command, cwd):
    return subprocess.run([sys.executable, *command], cwd=cwd, capture_output=True, text=True)


def test_train_evaluate_generate(small_corpus, tmp_path):
    scripts = REPOSITORY / "scripts"
    trained = run(scripts / "train_rnnlm.py", "--corpus", small_corpus, "--epochs", "2", "--batch-size", "4",
                  cwd=tmp_path)
    assert trained.returncode == 0, trained.stderr
    assert "test perplexity" in trained.stdout
    scored = run(scripts / "evaluate_rnnlm.py", "runs/small", small_corpus / "test.txt", "--json", cwd=tmp_path)
    printed = float(re.search(r"^test perplexity ([\d.]+) \([\d.]+ bits per byte\)$", trained.stdout, re.M)[1])
    assert printed == pytest.approx(json.loads(scored.stdout)["perplexity"], rel=1e-4)  # it has five digits
    written = run(scripts / "generate_text.py", "runs/small", "--sentences", "2", "--seed", "1", cwd=tmp_path)
    assert (written.returncode, len(written.stdout.splitlines())) == (0, 2)


@pytest.mark.parametrize("script", ["train_rnnlm.py", "evaluate_rnnlm.py", "generate_text.py"])
def test_help_names_the_script_and_its_options(script, monkeypatch, capsys):
    started = []
    monkeypatch.setattr("rnnlm.cli.main.start", started.append)  # it would change this process for good
    monkeypatch.setattr("sys.argv", [str(REPOSITORY / "scripts" / script), "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(sys.argv[0], run_name="__main__")
    assert not ended.value.code
    assert started == [script]
    shown = capsys.readouterr().out
    assert f"usage: {script}" in shown
    assert "--debug" in shown


def test_a_full_disk_behind_standard_output_loses_no_score(tmp_path):
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "rnnlm", "evaluate", str(make_model(tmp_path)), str(tmp_path / "t")]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    text, score, bits, error = done.stderr.splitlines()
    assert "1 sentence, 1 word" in text and score.startswith("perplexity ")
    assert bits.endswith(" bits per byte")
    assert error == ("rnnlm evaluate: error: standard output could not be written: no space left on device; "
                     "free some disk space, or redirect it elsewhere")


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("train", "--help"), ("train", "--recipes")])
def test_a_reader_who_has_left_is_told_nothing(arguments):
    command = [sys.executable, "-m", "rnnlm", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert process.stderr.read() == ""


def make_model(folder):
    (folder / "t").write_text("a\n")
    model = LanguageModel(2, 3, 3, rng=np.random.default_rng(0))
    save_model(folder / "m.npz", model, Vocabulary(["<eos>", "a"]))
    return folder / "m.npz"


def test_an_error_leaves_standard_output_as_it_was(tmp_path):
    code = "from rnnlm.cli.evaluate import main; print('before'); main(['none', 'x']); print('after')"
    assert run("-c", code, cwd=tmp_path).stdout == "before\nafter\n"


def test_one_command_for_all(tmp_path, capsys):
    for name in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert not ended.value.code
        assert f"usage: rnnlm {name}" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"rnnlm {rnnlm.__version__}\n"
    help = run("-m", "rnnlm", cwd=tmp_path).stdout
    assert "train      train a language model" in help
    examples = [line.split() for line in help.splitlines() if line.startswith("  rnnlm ")]
    assert [words[1] for words in examples] == ["train", "score"]
    assert "A MODEL is a run folder" in help
    wrong = run("-m", "rnnlm", "tarin", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "no command 'tarin': it must be train, evaluate" in wrong.stderr
    assert "did you mean train?" in wrong.stderr
