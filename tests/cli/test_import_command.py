"""The command rnnlm import: a file of another system in, a model folder out."""

import sys
from types import ModuleType

import numpy as np
import pytest

import rnnlm
from rnnlm.cli.main import main
from rnnlm.models import LanguageModel
from rnnlm.text.vocabulary import Vocabulary

SAFETENSORS = b"\x02" + b"\0" * 7 + b"{}"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(SAFETENSORS)
    return tmp_path


@pytest.fixture
def calls(monkeypatch):
    """The calls of a reader that stands for the real one."""
    found, module = [], ModuleType("reader")

    def read(*arguments, **options):
        found.append((arguments, options))
        return LanguageModel(3, 4, 5, rng=np.random.default_rng(1)), Vocabulary(["a", "<eos>", "b"])

    module.read = read
    monkeypatch.setitem(sys.modules, "rnnlm.exchange.torch", module)
    return found


def refused(capsys, *arguments, code=1):
    """The line on standard error."""
    try:
        assert main(["import", *arguments]) == code
    except SystemExit as error:
        assert error.code == code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    return line


def test_it_writes_a_folder_that_is_a_model(calls, capsys):
    assert main(["import", "model.safetensors", "--output", "my run"]) == 0
    out, err = capsys.readouterr()
    assert out == "my run: tanh RNN of 5, word vectors of 4, 3 words\n"
    assert err == "to score a text: rnnlm evaluate 'my run' TEXT\n"
    assert rnnlm.load("my run").vocabulary.words == ["a", "<eos>", "b"]
    nothing = {"activation": None, "eos": None, "unk": None}
    assert calls == [(("model.safetensors", None), nothing)]


def test_every_option_reaches_the_reader(calls):
    assert main(["import", "model.safetensors", "--output", "run", "--vocabulary", "words.txt", "--activation", "relu",
                 "--eos", "</s>", "--unk", "UNK"]) == 0
    assert calls == [(("model.safetensors", "words.txt"), {"activation": "relu", "eos": "</s>", "unk": "UNK"})]


@pytest.mark.usefixtures("calls")
def test_an_earlier_folder_needs_overwrite_and_another_one_stays(capsys, folder):
    assert main(["import", "model.safetensors", "--output", "run"]) == 0
    capsys.readouterr()
    assert "run exists" in refused(capsys, "model.safetensors", "--output", "run")
    assert main(["import", "model.safetensors", "--output", "run", "--overwrite"]) == 0
    (folder / "run/checkpoint.npz").write_bytes(b"mine")
    capsys.readouterr()
    said = refused(capsys, "model.safetensors", "--output", "run", "--overwrite")
    assert "run holds checkpoint.npz, so it is no earlier export and is not replaced" in said
    assert (folder / "run/checkpoint.npz").read_bytes() == b"mine"


@pytest.mark.parametrize("to", ["torch", "hf"])
def test_an_export_comes_back_with_all_its_numbers(rng, to):
    pytest.importorskip("safetensors")
    model = LanguageModel(4, 5, 6, 2, cell="lstm", tied=True, rng=rng)
    rnnlm.save_model("model.npz", model, Vocabulary(["a", "<eos>", "<unk>", "b"]))
    assert main(["export", "model.npz", "--to", to, "--output", "out"]) == 0
    assert main(["import", "out", "--output", "run"]) == 0
    found = rnnlm.load("run")
    assert dict(found.model.architecture) == dict(model.architecture)
    assert found.vocabulary.words == ["a", "<eos>", "<unk>", "b"]
    for name, param in model.named_params().items():
        np.testing.assert_array_equal(found.model.named_params()[name], param)


@pytest.mark.parametrize(("arguments", "said"), [
    (["model.safetensors"], "--output FOLDER must be given"),
    (["model.safetensors", "--output", "run", "--dict", "words.txt"], "did you mean --vocabulary?"),
    (["model.safetensors", "--output", "run", "--activation", "sigmoid"], "must be one of tanh, relu")])
def test_wrong_usage(capsys, arguments, said):
    assert said in refused(capsys, *arguments, code=2)


def test_what_is_no_model_of_another_system(capsys, folder):
    (folder / "model.pt").write_bytes(b"\x80\x02")
    assert "is a pickle" in refused(capsys, "model.pt", "--output", "run")
    assert "no such file" in refused(capsys, "none", "--output", "run")
    assert "is a file, and a folder will be written" in refused(capsys, "model.pt", "--output", "model.pt")
    assert sorted(path.name for path in folder.iterdir()) == ["model.pt", "model.safetensors"]
