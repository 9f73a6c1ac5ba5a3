"""The folder that an export to PyTorch writes, and what comes in from it."""

import json
import os
import re
import sys
import types

import numpy as np
import pytest
from conftest import REPOSITORY

import rnnlm.exchange.torch.writing as writing
from rnnlm.errors import ArgumentError, DamagedError, DivergenceError, RnnlmError
from rnnlm.exchange.exported import Exported
from rnnlm.exchange.safetensors_file import read_safetensors, write_safetensors
from rnnlm.exchange.torch import export, read
from rnnlm.models import LanguageModel
from rnnlm.text.corpus import read_text
from rnnlm.text.tokenizer import Words
from rnnlm.text.vocabulary import Vocabulary

pytest.importorskip("safetensors")
WORDS = Vocabulary(["the", "<eos>", "naïve", "<unk>", "a\u00a0b"])
LOWER = Vocabulary(["the", "<eos>", "cat", "<unk>", "sat"], Words(lowercase=True), [5, 4, 3, 2, 0])
CHARACTERS = Vocabulary(["\ufeff", "<eos>", " ", "\r", "\u2028"], "char")
VOCABULARIES = {"words": WORDS, "words in lower case, with counts": LOWER, "characters": CHARACTERS}
V = 5


def random_model(cell="lstm", layers=1, **more):
    model = LanguageModel(V, 3, 4, layers, cell=cell, rng=None, **more)
    rng = np.random.default_rng(2)
    for param in model.params:
        param[...] = rng.standard_normal(param.shape)
    return model


@pytest.fixture
def folder(tmp_path):
    export(Exported(random_model(tied=True), LOWER, "ab" * 32), tmp_path / "out")
    return tmp_path / "out"


FORMS = [("words", "rnn", "relu", {}), ("words", "rnn", "tanh", {"tied": True}), ("words", "gru", "tanh", {}),
         ("words", "gru", "tanh", {"tied": True}), ("words", "lstm", "tanh", {"projection": True}),
         ("words in lower case, with counts", "lstm", "tanh", {"tied": True}), ("characters", "lstm", "tanh", {})]


@pytest.mark.parametrize("name, cell, activation, more", FORMS, ids=str)
def test_export_and_import_give_equal_arrays_and_words(tmp_path, name, cell, activation, more):
    model, vocabulary = random_model(cell, 1 + len(more), activation=activation, **more), VOCABULARIES[name]
    export(Exported(model, vocabulary), tmp_path / "out")
    found, words = read(tmp_path / "out")
    assert found.architecture == model.architecture
    for ours, back in zip(model.params, found.params, strict=True):
        np.testing.assert_array_equal(ours, back)
    assert words.words == vocabulary.words and words.tokenizer == vocabulary.tokenizer
    assert words.fingerprint() == found.vocabulary_fingerprint == vocabulary.fingerprint()
    np.testing.assert_array_equal(words.counts, vocabulary.counts)


def test_what_is_in_the_folder(folder):
    assert sorted(os.listdir(folder)) == ["counts.txt", "model.py", "model.safetensors", "vocabulary.txt"]
    assert (folder / "vocabulary.txt").read_bytes() == b"the\n<eos>\ncat\n<unk>\nsat\n"
    assert (folder / "counts.txt").read_bytes() == b"5\n4\n3\n2\n0\n"
    arrays, metadata = read_safetensors(folder / "model.safetensors")
    assert sorted(arrays) == ["decoder.bias", "encoder.weight", "projection.bias", "projection.weight",
                              *(f"rnn.{name}_l0" for name in ("bias_hh", "bias_ih", "weight_hh", "weight_ih"))]
    assert metadata.pop("format") == "pt" and metadata.pop("decoder.weight") == "encoder.weight"
    assert json.loads(metadata.pop("rnnlm")) == {
        "version": 1, "sha256": "ab" * 32, "level": "word", "tokenizer": {"lowercase": True},
        "architecture": {"cell": "lstm", "vocab_size": 5, "wordvec_size": 3, "hidden_size": 4, "layers": 1,
                         "activation": "tanh", "tied": True, "projection": True}}
    assert not metadata


def test_an_export_of_the_first_version_is_read():
    model, vocabulary = read(REPOSITORY / "tests/golden/torch-files/export-1")
    expected = random_model("gru", 2, tied=True)
    for ours, back in zip(expected.params, model.params, strict=True):
        np.testing.assert_array_equal(ours, back)
    assert vocabulary.words == LOWER.words and vocabulary.counts.tolist() == [5, 4, 3, 2, 0]


@pytest.mark.parametrize("more, message", [
    ({"cell": "mrnn"}, "multiplicative units"), ({"cell": "gru-textbook"}, "textbook GRU"),
    ({"softmax": "adaptive", "cutoffs": [2]}, "adaptive softmax"),
])
def test_what_pytorchs_layers_cannot_hold_is_refused_before_anything_is_written(tmp_path, more, message):
    with pytest.raises(ArgumentError, match=f"--to torch cannot hold a model with .*{message}"):
        export(Exported(random_model(**more), WORDS), tmp_path / "out")
    assert not os.listdir(tmp_path)


def test_nothing_is_left_of_an_export_that_fails(tmp_path, monkeypatch):
    model = random_model()
    model.params[0][0, 0] = np.nan
    with pytest.raises(DivergenceError):
        export(Exported(model, WORDS), tmp_path / "out")
    with pytest.raises(ArgumentError, match="the vocabulary must have a word for each"):
        export(Exported(random_model(), Vocabulary(["<eos>", "a"])), tmp_path / "out")
    with pytest.raises(ArgumentError, match="without a line end"):
        export(Exported(random_model(), Vocabulary(["<eos>", "a\nb", "c", "d", "e"])), tmp_path / "out")
    monkeypatch.setattr(writing, "SOURCES", tmp_path / "none")
    with pytest.raises(OSError):
        export(Exported(random_model(), WORDS), tmp_path / "out")
    assert not os.listdir(tmp_path)


def edited(folder, *, about=None, arrays=None, **more):
    """Write the weights anew; about, arrays: functions that change what they get."""
    found, metadata = read_safetensors(folder / "model.safetensors")
    values = json.loads(metadata["rnnlm"])
    if about:
        values = about(values)
    write_safetensors(folder / "model.safetensors", arrays(found) if arrays else found,
                      {"rnnlm": json.dumps(values), **more})


def put(*keys, value):
    """A function that puts a value into nested dicts."""
    def change(values):
        inner = values
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value
        return values

    return change


@pytest.mark.parametrize("about, message", [
    (put("version", value=2), "must be an object of version 1, got"),
    (lambda values: [values], "must be an object of version 1, got"),
    (put("level", value="subword"), "must have an architecture and a level, word or char"),
    (put("level", value=["word"]), "level must be"),
    (put("tokenizer", value={"lowercase": "yes"}), "tokenizer must be one that this version of rnnlm knows"),
    (put("architecture", value=3), "architecture must be an object"),
    (put("architecture", "cell", value="transformer"), "one of the cells"),
    (put("architecture", "cell", value="gru"), "cell is gru in its metadata, and lstm by its arrays"),
    (put("architecture", "vocab_size", value=6), "vocab_size is 6 in its metadata, and 5 by its arrays"),
    (put("architecture", "layers", value=10**30), "layers must be"),
    (put("architecture", "tied", value=False), "missing: decoder.weight"),
])
def test_metadata_that_are_not_those_of_the_arrays(folder, about, message):
    edited(folder, about=about)
    with pytest.raises(DamagedError, match=re.escape(message)) as caught:
        read(folder)
    assert "\n" not in str(caught.value)


def test_metadata_that_are_no_json(folder):
    arrays, _ = read_safetensors(folder / "model.safetensors")
    write_safetensors(folder / "model.safetensors", arrays, {"rnnlm": "{"})
    with pytest.raises(DamagedError, match="rnnlm in its metadata is not JSON"):
        read(folder)


@pytest.mark.parametrize("name, content, message", [
    ("vocabulary.txt", b"<eos>\na\n", "it must have 5 lines, one for each of the model's ids, it has 2"),
    ("vocabulary.txt", b"<eos>\na\nb\nc\nd", "it must have 5 lines"),
    ("vocabulary.txt", b"<eos>\na\nb\nc\nc\n", "must hold each word once"),
    ("vocabulary.txt", b"a\nb\nc\nd\ne\n", "must hold <eos>"),
    ("vocabulary.txt", b"<eos>\n\xff\n\n\n\n", "it is not UTF-8"),
    ("counts.txt", b"1\n", "it must have 5 lines"),
    ("counts.txt", b"1\n2\n3\n4\n-5\n", "each line must be a whole number of at least 0"),
    ("counts.txt", b"1\n2\n3\n4\n9999999999999999999\n", "each line must be a whole number"),
])
def test_words_and_counts_that_are_damaged(folder, name, content, message):
    (folder / name).write_bytes(content)
    with pytest.raises(DamagedError, match=re.escape(message)):
        read(folder)


@pytest.mark.parametrize("name", ["vocabulary.txt", "model.safetensors"])
def test_a_file_that_is_not_there(folder, name):
    (folder / name).unlink()
    with pytest.raises(RnnlmError, match=f"{name} could not be read: no such file"):
        read(folder)


def test_words_of_another_file_take_the_place_of_the_exports(folder, tmp_path):
    (tmp_path / "words.txt").write_text("a\nb\nSTOP\nc\nd\n")
    assert read(folder, tmp_path / "words.txt", eos="STOP")[1].words == ["a", "b", "<eos>", "c", "d"]


def test_an_activation_that_the_export_contradicts(tmp_path):
    export(Exported(random_model("rnn", activation="relu"), WORDS), tmp_path / "out")
    assert read(tmp_path / "out", activation="relu")[0].architecture.activation == "relu"
    with pytest.raises(DamagedError, match="activation is relu in its metadata, and tanh by its arrays or as it is"):
        read(tmp_path / "out", activation="tanh")


def test_the_python_file_is_never_run(folder):
    (folder / "model.py").write_text("raise SystemExit('it was run')")
    read(folder)


@pytest.fixture
def program(folder, monkeypatch):
    """The exported Python file, with stand-ins for the packages that it needs."""
    torch, safetensors = types.ModuleType("torch"), types.ModuleType("safetensors")
    torch.nn = types.SimpleNamespace(Module=object, RNN=None, LSTM=None, GRU=None)
    torch.no_grad, torch.tensor = lambda: lambda function: function, np.array
    safetensors.safe_open, safetensors.torch = None, types.ModuleType("safetensors.torch")
    safetensors.torch.load_model = safetensors.torch.save = None
    for name, module in (("torch", torch), ("safetensors", safetensors), ("safetensors.torch", safetensors.torch)):
        monkeypatch.setitem(sys.modules, name, module)
    found = types.ModuleType("model")
    found.__file__ = str(folder / "model.py")
    exec((folder / "model.py").read_text(encoding="utf-8"), vars(found))
    return found


@pytest.mark.parametrize("vocabulary", [WORDS, LOWER, CHARACTERS], ids=list(VOCABULARIES))
@pytest.mark.parametrize("text", ["The cat\tsat\r\n\n the the\x0bcat", "a\u00a0b naïve\u2028x\n", " <EOS>  x\n"])
def test_the_python_file_reads_a_text_as_we_do(tmp_path, program, vocabulary, text):
    (tmp_path / "text").write_bytes(text.encode())
    about = json.loads(writing.metadata(Exported(random_model(), vocabulary))["rnnlm"])
    expected = read_text(tmp_path / "text", vocabulary).ids
    found = program.ids_of(text, about, vocabulary.words)
    assert found.tolist() == [vocabulary.eos_id, *expected.tolist()]


def test_the_python_file_reads_the_words_of_the_folder(program):
    assert program.read_vocabulary() == LOWER.words


def test_any_damage_gives_a_model_or_an_error_of_the_family(folder):
    rng, errors = np.random.default_rng(3), 0
    contents = {path: path.read_bytes() for path in folder.iterdir() if path.name != "model.py"}
    for _ in range(25):
        for path, content in contents.items():
            damaged = bytearray(content)
            for _ in range(rng.integers(1, 4)):
                damaged[rng.integers(min(len(content), 1000))] = rng.integers(256)
            path.write_bytes(damaged[: rng.integers(len(content))] if rng.random() < 0.2 else damaged)
            try:
                read(folder)
            except RnnlmError as error:
                assert "\n" not in str(error)
                errors += 1
            path.write_bytes(content)
    assert errors > 30
