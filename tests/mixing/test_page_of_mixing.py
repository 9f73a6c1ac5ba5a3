"""docs/mixing.md: its commands and its Python run, and print what it says."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from conftest import REPOSITORY

import rnnlm
from rnnlm.cli.main import main
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.text.vocabulary import Vocabulary

PAGE = (REPOSITORY / "docs/mixing.md").read_text(encoding="utf-8")
ARPA = """\\data\\
ngram 1=6

\\1-grams:
-0.7\t</s>
-99\t<s>
-0.7\t<unk>
-0.7\tthe
-0.7\tfox
-0.7\t.

\\end\\
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stories").mkdir()
    for name in ("train", "valid", "test"):
        (tmp_path / f"stories/{name}.txt").write_text("the fox .\n<unk> fox .\n")
    rnnlm.train(corpus="stories", hidden_size=5, batch_size=1, epochs=1, output="runs/stories")
    for seed, name in enumerate(["runs/other", "."]):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        save_model(tmp_path / name / "model.npz", LanguageModel(5, 4, 5, rng=np.random.default_rng(seed)),
                   Vocabulary(["<eos>", "<unk>", "the", "fox", "."]))
    for name in ("test.txt", "valid.txt"):
        (tmp_path / name).write_text("the fox .\na fox .\n")
    (tmp_path / "stories.arpa").write_text(ARPA)
    (tmp_path / "test.probs").write_text("0.5\n" * 8)
    return tmp_path


def test_the_commands_of_the_page_run(folder, capsys):
    lines = re.findall(r"^rnnlm (evaluate .*)$", PAGE, re.M)
    mixed = []
    for line in lines:
        assert main(line.split()) == 0, line
        parts = capsys.readouterr().out.count("whose own perplexity is")
        assert main([*line.split(), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert len(found.get("weights", [])) == len(found.get("parts", [])) == parts
        mixed.append(parts)
    assert [parts for parts in mixed if parts] == [3, 2]


def test_the_python_of_the_page_runs(folder):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("True\n", "")


@pytest.mark.skipif(not shutil.which("awk"), reason="awk is not installed")
@pytest.mark.parametrize("tool", ["SRILM", "the classic toolkit"])
def test_what_is_kept_of_the_output_of_tools_is_a_file_of_probabilities(tool, folder, capsys):
    """From our own tables, which are as those of the tools; a is unknown."""
    (command,) = re.findall(rf"^\| {tool} \| .* \| `(awk .*)` \|$", PAGE, re.M)
    assert main(["score", "runs/other", "test.txt", "--format", {"SRILM": "srilm"}.get(tool, "classic")]) == 0
    table = capsys.readouterr().out
    kept = subprocess.run(["sh", "-c", command], input=table, capture_output=True, text=True, check=True).stdout
    (folder / "test.probs").write_text(kept)
    assert len(kept.splitlines()) == 8
    line = "--weights 0.5,0.5 --protocol sentence --columns log_prob --no-header --by sentence".split()
    assert main(["score", "runs/stories", "test.txt", "--probs", "test.probs", *line]) == 0
    mixed = capsys.readouterr().out
    assert main(["score", "runs/stories", "test.txt", "--mix", "runs/other", *line]) == 0
    whole = capsys.readouterr().out
    first, second = ([float(row) for row in table.splitlines()[1:]] for table in (mixed, whole))
    assert first[0] == pytest.approx(second[0], rel=1e-5)
    assert (first[1] == pytest.approx(second[1], rel=1e-5)) == (tool == "SRILM")  # the other has 0 for a


@pytest.mark.skipif(not shutil.which("sed"), reason="sed is not installed")
def test_words_get_their_names_back_in_an_arpa_file(folder, capsys):
    """As it is after KenLM, with <unk> as a word and a rest for unknown words."""
    (command,) = re.findall(r"^sed (-e .*) renamed.arpa > stories.arpa$", PAGE, re.M)
    renamed = ARPA.replace("ngram 1=6", "ngram 1=7").replace("<unk>", "UNKNOWN\t0\n-3\t<unk>\t0")
    kept = subprocess.run(["sh", "-c", f"sed {command}"], input=renamed, capture_output=True, text=True, check=True)
    (folder / "stories.arpa").write_text(kept.stdout)
    assert main("evaluate runs/stories test.txt --mix stories.arpa --weights 0.5,0.5".split()) == 0
    assert "1 word (<rest>) only in stories.arpa: counted as <unk>" in capsys.readouterr().err
