"""``rnnlm.export_model``: what it takes, what it refuses, what it hands to a target."""

import sys
from types import ModuleType

import numpy as np
import pytest
from sigmoid_network import TextModel

import rnnlm
from rnnlm.errors import ArgumentError, RnnlmError
from rnnlm.exchange.exporting import as_exported, export_model
from rnnlm.exchange.targets import TARGETS
from rnnlm.formats.loaded import Loaded
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.text.vocabulary import Vocabulary


@pytest.fixture
def loaded(rng):
    return Loaded(LanguageModel(3, 4, 5, rng=rng), Vocabulary(["a", "<eos>", "b"]))


@pytest.fixture
def model(loaded, tmp_path):
    """The path of a run folder."""
    (tmp_path / "run").mkdir()
    save_model(tmp_path / "run/model.npz", loaded.model, loaded.vocabulary, {"epoch": 7})
    return tmp_path / "run"


def test_a_file_a_run_folder_and_a_loaded_model_give_the_same_file(model, loaded, tmp_path):
    exported = export_model(model / "model.npz", "text", tmp_path / "1")
    assert exported.training == {"epoch": 7}
    assert len(exported.sha256) == 64
    assert export_model(model, "text", tmp_path / "2").sha256 == exported.sha256
    assert export_model(loaded, "text", tmp_path / "3").sha256 == ""
    assert len({(tmp_path / name).read_bytes() for name in "123"}) == 1
    assert TextModel(tmp_path / "1").words == ["</s>", "a", "b"]


@pytest.mark.parametrize("to", TARGETS)
def test_each_target_gets_the_model_and_its_options(model, tmp_path, monkeypatch, to):
    calls, module = [], ModuleType("target")
    module.export = lambda *arguments, **options: calls.append((arguments, options))
    monkeypatch.setitem(sys.modules, f"rnnlm.exchange.{TARGETS[to].module}", module)
    exported = export_model(model, to, tmp_path / "out")
    assert calls == [((exported, tmp_path / "out"), {"streaming": True} if to == "onnx-streaming" else {})]
    np.testing.assert_array_equal(exported.model.named_params()["rnn1/Wh"],
                                  rnnlm.load(model).model.named_params()["rnn1/Wh"])


def test_a_list_of_tokens_reaches_the_graph_and_no_other_target(loaded, tmp_path):
    onnx = pytest.importorskip("onnx")
    (tmp_path / "tokens.txt").write_text("<blk> 0\nb 1\n</s> 2\n")
    for to in ("onnx", "onnx-streaming"):
        export_model(loaded, to, tmp_path / to, tokens=tmp_path / "tokens.txt")
        found = {entry.key: entry.value for entry in onnx.load(tmp_path / to).metadata_props}
        assert (found["vocabulary"], found["eos_id"]) == ('["<blk>", "b", "</s>", "a"]', "2")
    for to in ("text", "torch", "hf"):
        with pytest.raises(ArgumentError, match=f"--tokens belongs to --to onnx and --to onnx-streaming: --to {to} "):
            export_model(loaded, to, tmp_path / "out", tokens=tmp_path / "tokens.txt")
    with pytest.raises(RnnlmError, match="none could not be read"):
        export_model(loaded, "onnx", tmp_path / "out", tokens=tmp_path / "none")
    assert not (tmp_path / "out").exists()


def test_what_a_target_cannot_hold_is_refused_before_anything_is_written(rng, tmp_path):
    lstm = Loaded(LanguageModel(2, 3, 4, cell="lstm", rng=rng), Vocabulary(["<eos>", "a"]))
    with pytest.raises(ArgumentError, match="--to text cannot hold a model with LSTM units"):
        export_model(lstm, "text", tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_only_networks_are_exported(loaded, tmp_path):
    (tmp_path / "model.arpa").write_text("\\data\\\n")
    with pytest.raises(RnnlmError, match="is an ARPA file, which other toolkits read as it is"):
        export_model(tmp_path / "model.arpa", "onnx", tmp_path / "out")
    with pytest.raises(ArgumentError, match="the model must be a network, not an n-gram model or a mixture"):
        as_exported(rnnlm.mix(loaded, loaded))


@pytest.mark.parametrize(("arguments", "said"), [
    (("onxx", "out"), "to must be one of torch, onnx"), (("text", 7), "path must be the path of what"),
    (("text", ""), "path must not be empty")])
def test_wrong_arguments(loaded, arguments, said):
    with pytest.raises(ArgumentError, match=said):
        export_model(loaded, *arguments)


def test_the_model_itself_is_never_replaced(model):
    before = (model / "model.npz").read_bytes()
    for ours in (model, model / "model.npz"):
        with pytest.raises(RnnlmError, match=r"model\.npz is the model itself: choose another name"):
            export_model(ours, "text", model / "model.npz", overwrite=True)
    with pytest.raises(RnnlmError, match="run is the model itself"):
        export_model(model, "torch", model, overwrite=True)
    assert (model / "model.npz").read_bytes() == before


def test_an_earlier_export_is_replaced_when_that_is_asked_for(model, tmp_path):
    (tmp_path / "out").write_text("an earlier one")
    with pytest.raises(RnnlmError, match="out exists"):
        export_model(model, "text", tmp_path / "out")
    export_model(model, "text", tmp_path / "out", overwrite=True)
    assert TextModel(tmp_path / "out").words == ["</s>", "a", "b"]
