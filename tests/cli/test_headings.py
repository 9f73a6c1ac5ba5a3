"""What the commands that score say of the model that they used."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from rnnlm.cli.main import main
from rnnlm.formats import model_file
from rnnlm.formats.model_file import load_model, load_model_and_sha256, save_model
from rnnlm.models import LanguageModel
from rnnlm.text.vocabulary import Vocabulary

COMMANDS = {
    "score": ["score", "m.npz", "text"],
    "score as json": ["score", "m.npz", "text", "--format", "json"],
    "pairs": ["pairs", "m.npz", "pairs"],
    "pairs as json": ["pairs", "m.npz", "pairs", "--json"],
    "rescore": ["rescore", "m.npz", "lists", "--nbest-format", "kaldi"],
    "rescore with a reference": ["rescore", "m.npz", "lists", "--nbest-format", "kaldi", "--tune", "references"],
    "page": ["page", "m.npz", "text", "--output", "page.html"]}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in {"text": "a b\n", "pairs": "a b\tb a\n", "lists": "u-1 a b\n", "references": "u a b\n"}.items():
        Path(name).write_text(text)
    for seed, name in enumerate(["m.npz", "other.npz"]):
        model = LanguageModel(3, 2, 2, rng=np.random.default_rng(seed))
        save_model(name, model, Vocabulary(["<eos>", "a", "b"]))
    return tmp_path


def digest(name):
    return hashlib.sha256(Path(name).read_bytes()).hexdigest()


@pytest.mark.parametrize("command", COMMANDS)
def test_the_digest_is_that_of_the_model_that_was_used(command, monkeypatch, capsys):
    """Another model takes the file's name as soon as its arrays are being read."""
    used = digest("m.npz")
    plain = model_file.LanguageModel

    def replacing(*arguments, **options):
        Path("other.npz").replace("m.npz")
        return plain(*arguments, **options)

    monkeypatch.setattr(model_file, "LanguageModel", replacing)
    assert main(COMMANDS[command]) == 0
    said = capsys.readouterr().out if command != "page" else Path("page.html").read_text(encoding="utf-8")
    assert used in said
    assert digest("m.npz") != used and digest("m.npz") not in said


@pytest.mark.parametrize("command", ["score", "pairs", "rescore", "rescore with a reference"])
def test_a_table_begins_with_the_same_lines(command, capsys):
    assert main(COMMANDS[command]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in lines[:6]] == [
        "# rnnlm", "# model", "# sha256", "# protocol", "# base", "# first_word"]
    assert lines[5] == "# first_word: scored, after <eos> and from a state of zeros"


def test_json_begins_with_the_same_keys(capsys):
    assert main(COMMANDS["score as json"]) == 0
    score = json.loads(capsys.readouterr().out.splitlines()[0])["head"]
    assert main(COMMANDS["pairs as json"]) == 0
    pairs = json.loads(capsys.readouterr().out)["about"]
    assert list(score)[:6] == list(pairs)[:6] == ["rnnlm", "model", "sha256", "protocol", "base", "first_word"]


def test_a_run_folder_has_the_digest_of_its_model(folder):
    (folder / "run").mkdir()
    Path("m.npz").rename("run/model.npz")
    model, vocabulary, sha256 = load_model_and_sha256("run")
    again, words = load_model("run")
    assert sha256 == digest("run/model.npz")
    assert (vocabulary.words, model.architecture) == (words.words, again.architecture)
    for ours, theirs in zip(model.params, again.params, strict=True):
        np.testing.assert_array_equal(ours, theirs)
