"""What PyTorch wrote comes in: real files, options, and what is refused."""

import json
import shutil

import numpy as np
import pytest
from conftest import REPOSITORY
from torch_equations import logits, random_arrays

from rnnlm.errors import ArgumentError, DamagedError, RnnlmError
from rnnlm.exchange.safetensors_file import write_safetensors
from rnnlm.exchange.torch import read

pytest.importorskip("safetensors")
GOLDEN = REPOSITORY / "tests/golden/torch-files"
WORDS = GOLDEN / "words.txt"
IDS = [3, 0, 2, 4, 3, 0, 5, 1, 3]


@pytest.mark.parametrize("name, more", [("tied-lstm", {}), ("half-gru", {}), ("relu", {"activation": "relu"})])
def test_files_of_pytorchs_own_give_the_probabilities_that_pytorch_computes(name, more):
    model, vocabulary = read(GOLDEN / f"{name}.safetensors", WORDS, **more)
    assert vocabulary.words == ["the", "<unk>", "cat", "<eos>", "sat", "naïve"]
    assert model.architecture.tied is (name == "tied-lstm")
    assert model.vocabulary_fingerprint == vocabulary.fingerprint()
    expected = json.loads((GOLDEN / "log-probs.json").read_text())[name]
    found = model.log_probs(np.array([IDS[:-1]], np.int32), np.array([IDS[1:]], np.int32))[0]
    np.testing.assert_allclose(found, expected, rtol=2e-5)


def test_an_rnn_is_tanh_unless_another_activation_is_given():
    assert read(GOLDEN / "relu.safetensors", WORDS)[0].architecture.activation == "tanh"


def test_a_file_that_fine_tuning_left_beside_its_words(tmp_path):
    arrays = random_arrays(4, 6, 3, 4)
    write_safetensors(tmp_path / "model.safetensors", arrays, {})
    shutil.copy(WORDS, tmp_path / "vocabulary.txt")
    for path in (tmp_path, tmp_path / "model.safetensors"):
        model, vocabulary = read(path)
        assert vocabulary.unk_id == 1
        np.testing.assert_allclose(model.predict(np.array([IDS], np.int32))[0], logits("lstm", "", 1, arrays, IDS),
                                   rtol=1e-4, atol=1e-4)


def test_words_must_come_from_somewhere():
    with pytest.raises(RnnlmError, match=r"half-gru\.safetensors holds no words: give --vocabulary"):
        read(GOLDEN / "half-gru.safetensors")


@pytest.mark.parametrize("arguments, message", [
    ({"activation": "sigmoid"}, "activation must be"),
    ({"eos": "</s>"}, "give --vocabulary, too"),
    ({"unk": "x"}, "give --vocabulary, too"),
    ({"vocabulary": WORDS, "eos": "x"}, "--eos must be a word of"),
])
def test_values_that_cannot_be(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        read(GOLDEN / "relu.safetensors", **arguments)


def test_a_file_of_another_layout_names_itself(tmp_path):
    write_safetensors(tmp_path / "bert.safetensors", {"bert.embeddings.weight": np.ones((3, 2))}, {})
    with pytest.raises(DamagedError, match=r"bert\.safetensors is not a model that can be read: the arrays must be"):
        read(tmp_path / "bert.safetensors", WORDS)


def test_a_pickle_is_never_unpickled(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"\x80\x02cos\nsystem\nX\x04\0\0\0exit\x85R.")
    with pytest.raises(DamagedError, match="is not a safetensors file"):
        read(tmp_path / "model.pt", WORDS)
