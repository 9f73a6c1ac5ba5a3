"""Files from before --cell gru changed its form mean the textbook's, in every use."""

import json
import shutil
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest

from rnnlm.cli.train import main
from rnnlm.errors import RnnlmError
from rnnlm.formats.model_file import load_model, save_model
from rnnlm.models import CELLS, LanguageModel
from rnnlm.scoring.evaluation import evaluate
from rnnlm.text.corpus import load_corpus
from rnnlm.text.vocabulary import Vocabulary

EARLIER = Path(__file__).parents[1] / "golden/earlier-gru"  # made by golden/make_earlier_gru.sh


@pytest.fixture
def folder(tmp_path):
    """The earlier run, after one epoch of two."""
    shutil.copytree(EARLIER, tmp_path / "run")
    return tmp_path / "run"


def header_of(path):
    with np.load(path) as members:
        return json.loads(members["header"].tobytes())


def arrays_of(path):
    with np.load(path) as members:
        return {name: members[name] for name in members.files if name != "header"}


def require_end(folder):
    """The weights are the earlier version's after epoch 2, but for rounding.

    The other form's differ by up to 0.4.
    """
    found, expected = arrays_of(folder / "model.npz"), arrays_of(EARLIER / "model-2.npz")
    assert found.pop("counts").sum() == 400  # the tokens of the training text, which the corpus still tells
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-3, atol=1e-4, err_msg=name)


def test_an_earlier_model_is_the_textbooks_and_scores_as_it_did():
    model, vocabulary = load_model(EARLIER / "model-2.npz")
    assert model.architecture["cell"] == "gru-textbook"
    corpus = load_corpus("stories", max_tokens=400, max_vocab=20)
    result = evaluate(model, corpus.valid, vocabulary.eos_id)
    second = json.loads((EARLIER / "metrics-2.jsonl").read_text(encoding="utf-8").splitlines()[1])
    assert -result.log_prob / result.targets == pytest.approx(second["valid_loss"], rel=1e-5)


def members(path):
    """The names and bytes of an archive's members, in order."""
    with zipfile.ZipFile(path) as archive:
        return [(member.filename, archive.read(member)) for member in archive.infolist()]


def test_a_textbook_model_is_saved_as_earlier_versions_read_it(tmp_path):
    save_model(tmp_path / "again.npz", *load_model(EARLIER / "model.npz"), header_of(EARLIER / "model.npz")["training"])
    assert members(tmp_path / "again.npz") == members(EARLIER / "model.npz")  # ZIP's own bytes depend on the Python


@pytest.mark.parametrize("cell", CELLS)
def test_no_file_of_one_form_is_read_as_another(cell, tmp_path, rng):
    """Version 1 is that of all cells that earlier versions, too, read as they are."""
    words = Vocabulary(["<eos>", "<unk>", "a", "b"])
    model = LanguageModel(4, 3, 5, 2, cell=cell, rng=rng)
    save_model(tmp_path / "m.npz", model, words)
    header = header_of(tmp_path / "m.npz")
    assert header["version"] == (2 if cell == "gru" else 1)
    assert header["architecture"]["cell"] == ("gru" if cell == "gru-textbook" else cell)
    read, _ = load_model(tmp_path / "m.npz")
    assert read.architecture == model.architecture
    for name, param in model.named_params().items():
        np.testing.assert_array_equal(read.named_params()[name], param)
    if "gru" in cell:
        other = np.frombuffer(json.dumps(header | {"version": 3 - header["version"]}).encode(), np.uint8)
        np.savez(tmp_path / "m.npz", header=other, **arrays_of(tmp_path / "m.npz"))
        with pytest.raises(RnnlmError, match=r"gru1/bh"):
            load_model(tmp_path / "m.npz")


def test_an_earlier_run_resumes_as_the_textbooks(folder, capsys):
    assert main(["--resume", "--output", str(folder), "--epochs", "2"]) == 0
    assert "textbook GRU of 4" in capsys.readouterr().out
    require_end(folder)
    header = header_of(folder / "checkpoint.npz")
    assert (header["version"], header["architecture"]["cell"]) == (4, "gru-textbook")
    assert header["run"]["options"]["cell"] == "gru-textbook"
    assert tomllib.loads((folder / "config.toml").read_text(encoding="utf-8"))["cell"] == "gru-textbook"


def test_an_earlier_run_is_not_resumed_with_the_other_form(folder, capsys):
    assert main(["--resume", "--output", str(folder), "--epochs", "2", "--cell", "gru"]) == 1
    assert "--cell is gru, was gru-textbook" in capsys.readouterr().err


@pytest.mark.slow
def test_an_earlier_config_repeats_its_run_and_one_of_a_users_own_means_what_it_says(folder, tmp_path, capsys):
    config = folder / "config.toml"
    repeat = ["--epochs", "2", "--output", str(tmp_path / "again"), "--overwrite", "--config"]
    assert main([*repeat, str(config)]) == 0
    require_end(tmp_path / "again")
    assert main([*repeat, str(tmp_path / "again/config.toml")]) == 0  # which says gru-textbook, and its version
    require_end(tmp_path / "again")
    own = tmp_path / "own.toml"
    own.write_text('cell = "gru"\nhidden-size = 4\nmax-tokens = 400\n', encoding="utf-8")
    assert main([*repeat, str(own)]) == 0
    assert load_model(tmp_path / "again")[0].architecture["cell"] == "gru"
    assert main([*repeat, str(tmp_path / "again")]) == 0
    assert load_model(tmp_path / "again")[0].architecture["cell"] == "gru"


def test_a_run_that_left_only_an_earlier_config_starts_as_the_textbooks(folder):
    for path in folder.iterdir():
        if path.name != "config.toml":
            path.unlink()
    assert main(["--resume", "--output", str(folder), "--epochs", "2"]) == 0
    require_end(folder)
