"""What comes in from the folder that our export to Hugging Face wrote."""

import json
import re

import numpy as np
import pytest

from rnnlm.errors import DamagedError, RnnlmError
from rnnlm.exchange.exported import Exported
from rnnlm.exchange.hf import export
from rnnlm.exchange.safetensors_file import read_safetensors
from rnnlm.exchange.torch import read
from rnnlm.models import LanguageModel
from rnnlm.text.subwords.byte_level import Subwords
from rnnlm.text.tokenizer import Words
from rnnlm.text.vocabulary import Vocabulary

library = pytest.importorskip("safetensors.numpy")
WORDS = Vocabulary(["the", "<eos>", "naïve", "<unk>", "<pad>"])
VOCABULARIES = {
    "words": WORDS,
    "words in lower case, without <unk>": Vocabulary(["the", "<eos>", "a", "b"], Words(lowercase=True)),
    "characters": Vocabulary(["a", "<eos>", " ", "\r"], "char"),
    "subwords": Vocabulary.from_counts({"<eos>": 4, "h": 9, "th": 5},
                                       Subwords(np.array([[ord("t"), ord("h")]]))),
}


def random_model(V, cell="lstm", layers=1, **more):
    model = LanguageModel(V, 3, 4, layers, cell=cell, rng=None, **more)
    rng = np.random.default_rng(2)
    for param in model.params:
        param[...] = rng.standard_normal(param.shape)
    return model


@pytest.fixture
def folder(tmp_path):
    export(Exported(random_model(5, tied=True), WORDS), tmp_path / "out")
    return tmp_path / "out"


FORMS = [("words", "rnn", "relu", {}), ("words", "mrnn", "tanh", {"tied": True}), ("words", "gru", "tanh", {}),
         ("words", "gru-textbook", "tanh", {"projection": True}), ("words", "lstm", "tanh", {"tied": True}),
         *((name, "lstm", "tanh", {}) for name in VOCABULARIES)]


@pytest.mark.parametrize("name, cell, activation, more", FORMS, ids=str)
def test_what_went_to_hugging_face_comes_back(tmp_path, name, cell, activation, more):
    vocabulary = VOCABULARIES[name]
    model = random_model(len(vocabulary), cell, 1 + len(more), activation=activation, **more)
    export(Exported(model, vocabulary), tmp_path / "out")
    found, words = read(tmp_path / "out")
    assert found.architecture == model.architecture
    for ours, back in zip(model.params, found.params, strict=True):
        np.testing.assert_array_equal(ours, back)
    assert words.words == vocabulary.words and words.tokenizer == vocabulary.tokenizer
    assert words.fingerprint() == found.vocabulary_fingerprint == vocabulary.fingerprint()


def edit(path, **changes):
    """Write a file of JSON anew; a value of None takes its key away."""
    values = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps({key: value for key, value in values.items() if value is not None}), encoding="utf-8")


def test_keys_that_transformers_adds_do_not_matter(folder):
    edit(folder / "config.json", transformers_version="5.24.0", architectures=["X"], _name_or_path="../../etc")
    assert read(folder)[1].words == WORDS.words


def test_no_path_in_the_folder_is_followed_and_no_code_is_run(folder, tmp_path):
    for file in folder.glob("*.py"):
        file.write_text("raise SystemExit('it was run')")
    elsewhere = str(tmp_path / "elsewhere")  # where there is nothing
    edit(folder / "config.json", auto_map={"AutoConfig": "../evil.Config"}, weights=elsewhere, _name_or_path=elsewhere)
    edit(folder / "tokenizer.json", vocab_file=elsewhere)
    assert read(folder)[1].words == WORDS.words


@pytest.mark.parametrize("changes, message", [
    ({"model_type": "gpt2"}, "its model_type must be 'rnnlm', found 'gpt2'"),
    ({"model_type": None}, "its model_type must be 'rnnlm', found None"),
    ({"hidden_size": None}, "it lacks hidden_size"),
    ({"cell": "transformer"}, "architecture must be an object with one of the cells"),
    ({"hidden_size": 1 << 70}, "hidden_size must be"),
    ({"num_hidden_layers": 10**9}, "layers must be"),
    ({"tie_word_embeddings": "yes"}, "tied must be"),
    ({"vocab_size": 4}, "vocab_size must be"),
    ({"vocab_size": 7}, "encoder.weight must be 7 x 3"),
    ({"hidden_size": 5}, "rnn.weight_ih_l0 must be 20 x 3"),
    ({"cell": "gru"}, "rnn.weight_ih_l0 must be 12 x 3"),
    ({"tie_word_embeddings": False}, "missing: decoder.weight"),
    ({"num_hidden_layers": 2}, "missing: rnn.bias_hh_l1"),
])
def test_a_configuration_that_is_not_that_of_the_folder(folder, changes, message):
    edit(folder / "config.json", **changes)
    with pytest.raises(DamagedError, match=re.escape(message)) as caught:
        read(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content, message", [
    (b"[]", "its model_type must be 'rnnlm', found []"), (b"{", "it is not JSON"), (b"\xff", "it is not UTF-8"),
    (b'{"model_type": "rnnlm", "model_type": "gpt2"}', "'model_type' twice"),
    (b"[" * 5000, "nested too deeply"), (b" " * (1 << 20) + b"{}", "it has more than 1,048,576 bytes"),
])
def test_a_configuration_that_is_damaged(folder, content, message):
    (folder / "config.json").write_bytes(content)
    with pytest.raises(DamagedError, match="is not the configuration of a model that rnnlm export --to hf") as caught:
        read(folder)
    assert message in str(caught.value)


WORD_LEVEL = {"type": "WordLevel", "vocab": {"the": 0, "\n": 1, "naïve": 2, "<unk>": 3, "<pad>": 4, "<pad-2>": 5}}


@pytest.mark.parametrize("changes, message", [
    ({"model": None}, "must have a model with a vocab"),
    ({"model": {"type": "WordLevel", "vocab": ["the"]}}, "must have a model with a vocab"),
    ({"model": {"type": "WordLevel", "vocab": {"the": "0"}}}, "must have a model with a vocab"),
    ({"model": {"type": "WordLevel", "vocab": {"the": 0, "\n": 1}}}, "each of the ids 0 to 5 to one token"),
    ({"model": WORD_LEVEL | {"vocab": WORD_LEVEL["vocab"] | {"<pad>": 3}}}, "each of the ids 0 to 5"),
    ({"model": WORD_LEVEL | {"vocab": {f"w{i}": i for i in range(6)}}}, "a vocabulary must hold <eos>"),
    ({"model": WORD_LEVEL | {"type": "BPE"}}, "its merges must be pairs of pieces"),
    ({"model": WORD_LEVEL | {"type": "BPE", "merges": [["a"]]}}, "its merges must be pairs of pieces"),
    ({"model": WORD_LEVEL | {"type": "BPE", "merges": []}}, "must hold <eos> and all that its tokenizer"),
    ({"pre_tokenizer": {"type": "Whitespace"}}, "must split a text as our export does"),
    ({"pre_tokenizer": None}, "must split a text as our export does"),
    ({"normalizer": {"type": "NFC"}}, "its normalizer must be null or Lowercase"),
])
def test_a_tokenizer_of_another_kind(folder, changes, message):
    edit(folder / "tokenizer.json", **changes)
    with pytest.raises(DamagedError, match=re.escape(message)):
        read(folder)


def test_half_precision_from_transformers_comes_in(folder):
    arrays, _ = read_safetensors(folder / "model.safetensors")
    halves = {name: array.astype(np.float16) for name, array in arrays.items()}
    library.save_file(halves, folder / "model.safetensors")
    model, _ = read(folder)
    np.testing.assert_array_equal(model.named_params()["embedding/W"], halves["encoder.weight"][:5])


@pytest.mark.parametrize("name", ["tokenizer.json", "model.safetensors"])
def test_a_file_that_is_not_there(folder, name):
    (folder / name).unlink()
    with pytest.raises(RnnlmError, match=f"{name} could not be read: no such file"):
        read(folder)


def test_an_activation_that_the_folder_contradicts(folder):
    with pytest.raises(DamagedError, match="its activation is 'tanh', not 'relu'"):
        read(folder, activation="relu")
