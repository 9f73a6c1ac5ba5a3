"""The command rnnlm export: a model file in, a file of another system out."""

import re

import numpy as np
import pytest

from rnnlm.cli.main import main
from rnnlm.exchange import text
from rnnlm.exchange.targets import TARGETS
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.text.vocabulary import Vocabulary


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    save_model("run/model.npz", LanguageModel(3, 4, 5, rng=np.random.default_rng(1)), Vocabulary(["a", "<eos>", "b"]))
    return tmp_path


def refused(capsys, *arguments, code=1):
    """The line on standard error."""
    try:
        assert main(["export", *arguments]) == code
    except SystemExit as error:
        assert error.code == code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    return line


def test_it_says_what_it_wrote_and_how_to_use_it(capsys):
    assert main(["export", "run", "--to", "text", "--output", "my model.txt"]) == 0
    out, err = capsys.readouterr()
    assert re.fullmatch(r"my model\.txt: [\d.]+ kB, tanh RNN of 5, word vectors of 4, 3 words\n", out)
    assert err == "to use it: ./rnnlm -rnnlm 'my model.txt' -test TEXT\n"


def test_the_help_names_every_target(capsys):
    with pytest.raises(SystemExit):
        main(["export", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    for name, target in TARGETS.items():
        assert f"{name}: {target.help}" in said


@pytest.mark.parametrize(("arguments", "said"), [
    (["run", "--output", "out"], "--to"), (["run", "--to", "text"], "--output"),
    (["run", "--to", "onxx", "--output", "out"], "did you mean onnx?"),
    (["run", "--format", "onnx", "--output", "out"], "did you mean --to?")])
def test_wrong_usage(capsys, folder, arguments, said):
    assert said in refused(capsys, *arguments, code=2)
    assert [path.name for path in folder.iterdir()] == ["run"]


@pytest.mark.parametrize(("arguments", "said"), [
    (["none", "--to", "text", "--output", "out"], "none"),
    (["run", "--to", "text", "--output", "run"], "run is a folder, and a file will be written"),
    (["run", "--to", "torch", "--output", "run/model.npz"], "is a file, and a folder will be written"),
    (["run", "--to", "text", "--output", "run/model.npz"], "run/model.npz exists"),
    (["run", "--to", "text", "--output", "run/model.npz", "--overwrite"], "is the model itself"),
    (["run", "--to", "text", "--output", "none/out"], "the folder does not exist"),
    (["run", "--to", "text", "--output", "-"], "- is not the name of a file")])
def test_what_is_refused(capsys, folder, arguments, said):
    assert said in refused(capsys, *arguments)
    assert [path.name for path in folder.rglob("*")] == ["run", "model.npz"]


def test_tokens_of_a_recognizer(capsys, folder):
    pytest.importorskip("onnx")
    (folder / "tokens.txt").write_text("b 0\n</s> 1\n<blk> 2\n")
    for options, vocabulary in ((["--tokens", "tokens.txt"], b'["b", "</s>", "<blk>", "a"]'),
                                ([], b'["a", "<eos>", "b"]')):
        assert main(["export", "run", "--to", "onnx", "--output", "out", "--overwrite", *options]) == 0
        assert vocabulary in (folder / "out").read_bytes()
    capsys.readouterr()
    said = refused(capsys, "run", "--to", "text", "--output", "new", "--tokens", "tokens.txt")
    assert "--tokens belongs to --to onnx" in said


def test_an_earlier_export_is_replaced_with_overwrite():
    for options in ([], ["--overwrite"]):
        assert main(["export", "run", "--to", "text", "--output", "out", *options]) == 0


@pytest.mark.parametrize(("signal", "code"), [(KeyboardInterrupt, 130)])
def test_ctrl_c_leaves_nothing(capsys, folder, monkeypatch, signal, code):
    def interrupted(values):
        raise signal

    monkeypatch.setattr(text, "_lines", interrupted)
    assert refused(capsys, "run", "--to", "text", "--output", "out", code=code) == "rnnlm export: interrupted"
    assert [path.name for path in folder.iterdir()] == ["run"]
