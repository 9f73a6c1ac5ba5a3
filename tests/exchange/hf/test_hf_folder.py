"""The folder that transformers opens: its files, and what is in them."""

import ast
import json
import os

import numpy as np
import pytest
from hf_folders import FORMS, WORDS, small_folder, small_model

from rnnlm.errors import ArgumentError, DivergenceError, RnnlmError
from rnnlm.exchange.exported import Exported
from rnnlm.exchange.hf import export
from rnnlm.exchange.hf.folder import SOURCE
from rnnlm.exchange.hf.weights import IMPOSSIBLE
from rnnlm.exchange.torch import read
from rnnlm.models import LanguageModel
from rnnlm.text.split_words import SplitWords
from rnnlm.text.subwords.byte_level import Subwords
from rnnlm.text.vocabulary import Vocabulary

safetensors = pytest.importorskip("safetensors.numpy")


def loaded(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_files_and_nothing_else(tmp_path):
    small_folder(tmp_path / "made")
    assert sorted(os.listdir(tmp_path / "made")) == [
        "config.json", "generation_config.json", "model.safetensors", "modeling_rnnlm.py", "tokenizer.json",
        "tokenizer_config.json"]
    assert os.listdir(tmp_path) == ["made"]


def test_the_configuration(tmp_path):
    """Written out: each key was found to be necessary, or says what model it is."""
    small_folder(tmp_path / "made", "relu")
    assert loaded(tmp_path / "made/config.json") == {
        "model_type": "rnnlm", "architectures": ["RnnlmForCausalLM"],
        "auto_map": {"AutoConfig": "modeling_rnnlm.RnnlmConfig",
                     "AutoModelForCausalLM": "modeling_rnnlm.RnnlmForCausalLM"},
        "cell": "rnn", "activation": "relu", "vocab_size": 8, "trained_vocab_size": 7, "wordvec_size": 4,
        "hidden_size": 6, "num_hidden_layers": 2, "projection": True, "tie_word_embeddings": False,
        "bos_token_id": 2, "eos_token_id": 2, "pad_token_id": 7, "use_cache": False, "dtype": "float32",
        "rnnlm_sha256": "ab" * 32}
    assert loaded(tmp_path / "made/generation_config.json") == {
        "bos_token_id": 2, "eos_token_id": 2, "pad_token_id": 7, "use_cache": False}
    assert loaded(tmp_path / "made/tokenizer_config.json") == {
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "\n", "eos_token": "\n", "pad_token": "<pad>",
        "clean_up_tokenization_spaces": False, "model_max_length": 4096,
        "model_input_names": ["input_ids", "attention_mask"]}


def test_tied_vectors_are_stored_once(tmp_path):
    small_folder(tmp_path / "made", "lstm")
    assert loaded(tmp_path / "made/config.json")["tie_word_embeddings"] is True
    assert "decoder.weight" not in safetensors.load_file(tmp_path / "made/model.safetensors")


def test_names_and_values_of_the_weights(tmp_path):
    params = small_folder(tmp_path / "made", "gru").model.named_params()
    found = safetensors.load_file(tmp_path / "made/model.safetensors")
    layers = [f"rnn.{kind}_{where}_l{k}" for k in range(3) for kind in ("weight", "bias") for where in ("ih", "hh")]
    assert found.keys() == {"encoder.weight", *layers, "decoder.weight", "decoder.bias"}
    np.testing.assert_array_equal(found["encoder.weight"], np.vstack([params["embedding/W"], np.zeros((1, 4))]))
    np.testing.assert_array_equal(found["decoder.weight"], np.vstack([params["affine/W"].T, np.zeros((1, 6))]))
    np.testing.assert_array_equal(found["decoder.bias"], np.append(params["affine/b"], np.float32(-1e4)))
    z, r, n = np.split(params["gru2/Wh"].T, 3)
    np.testing.assert_array_equal(found["rnn.weight_hh_l1"], np.vstack([r, z, n]))
    np.testing.assert_array_equal(found["rnn.bias_hh_l1"], np.append(np.zeros(12), params["gru2/bh"]))


def test_an_added_token_has_no_probability_in_any_precision():
    for dtype in (np.float16, np.float32, np.float64):
        assert np.isfinite(dtype(IMPOSSIBLE))
        assert np.exp(dtype(IMPOSSIBLE)) == 0


def test_the_code_is_whole_and_needs_what_its_users_have(tmp_path):
    small_folder(tmp_path / "made")
    code = (tmp_path / "made/modeling_rnnlm.py").read_text(encoding="utf-8")
    assert code == SOURCE.read_text(encoding="utf-8")
    tree = ast.parse(code)
    modules = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert {module.split(".")[0] for module in modules} == {"dataclasses", "typing", "torch", "transformers"}
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    assert {name.split(".")[1] for name in loaded(tmp_path / "made/config.json")["auto_map"].values()} <= classes


def test_the_code_keeps_the_rules_that_transformers_does_not_tell():
    """Without one of these a model opens without an error, and is wrong."""
    (model,) = (node for node in ast.parse(SOURCE.read_text(encoding="utf-8")).body
                if isinstance(node, ast.ClassDef) and node.name == "RnnlmForCausalLM")
    text = ast.unparse(model)
    assert "_tied_weights_keys: ClassVar = {'decoder.weight': 'encoder.weight'}" in text
    assert "self.post_init()" in text
    assert "register_buffer" not in text  # a model is made without memory first: it would hold anything
    functions = {node.name for node in model.body if isinstance(node, ast.FunctionDef)}
    assert functions >= {"prepare_inputs_for_generation", "_supports_default_dynamic_cache", "get_output_embeddings"}


@pytest.mark.parametrize("form", FORMS)
def test_what_is_read_back_is_the_model(tmp_path, form):
    exported = small_folder(tmp_path / "made", form)
    model, vocabulary = read(tmp_path / "made")
    assert model.architecture == exported.model.architecture
    for name, param in exported.model.named_params().items():
        np.testing.assert_array_equal(model.named_params()[name], param)
    assert vocabulary.words == WORDS


def test_what_is_read_back_is_the_tokenizer(tmp_path):
    subwords = Subwords.train(["the cat sat on the mat"] * 3, 262)
    for level, words in (("char", ["<eos>", *"abc <>\t\\\"é😀"]), (subwords, [*reversed(subwords.tokens), "<eos>"])):
        small_folder(tmp_path / "made", words=words, level=level)
        _, vocabulary = read(tmp_path / "made")
        assert vocabulary.fingerprint() == Vocabulary(words, level).fingerprint()


def test_an_earlier_export_is_replaced_and_nothing_else(tmp_path):
    small_folder(tmp_path / "made")
    small_folder(tmp_path / "made", "gru")
    assert loaded(tmp_path / "made/config.json")["cell"] == "gru"
    (tmp_path / "made/mine.txt").write_text("mine")
    with pytest.raises(RnnlmError, match=r"made holds mine\.txt, so it is no earlier export"):
        small_folder(tmp_path / "made")
    assert loaded(tmp_path / "made/config.json")["cell"] == "gru"


def refused(tmp_path, model, vocabulary, error, match):
    with pytest.raises(error, match=match):
        export(Exported(model, vocabulary), tmp_path / "made")
    assert not os.listdir(tmp_path)


def test_what_a_folder_cannot_hold(tmp_path):
    adaptive = LanguageModel(7, 8, 8, softmax="adaptive", cutoffs=[3], rng=np.random.default_rng(1))
    refused(tmp_path, adaptive, Vocabulary(WORDS), ArgumentError, "--to hf cannot hold a model with an adaptive")
    refused(tmp_path, small_model(), Vocabulary(WORDS, SplitWords()), ArgumentError, "words and punctuation apart")


def test_words_of_another_model(tmp_path):
    refused(tmp_path, small_model(), Vocabulary([*WORDS, "more"]), ArgumentError, "a word for each of the model's 7")
    refused(tmp_path, small_model(), Vocabulary([*WORDS[:-1], "\ud800"]), ArgumentError, "UTF-8")


def test_a_weight_that_is_no_number(tmp_path):
    model = small_model()
    model.named_params()["lstm2/Wh"][0, 0] = np.nan
    refused(tmp_path, model, Vocabulary(WORDS), DivergenceError, "finite")


def test_nothing_is_left_of_an_export_that_fails(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RnnlmError):
        small_folder(tmp_path / "file/made")
    assert os.listdir(tmp_path) == ["file"]
