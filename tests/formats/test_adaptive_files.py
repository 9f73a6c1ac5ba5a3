"""Model files of version 4: those with an adaptive softmax."""

import json

import numpy as np
import pytest

from rnnlm.errors import RnnlmError
from rnnlm.files import archive
from rnnlm.formats.model_file import load_model, model_size, read_model_training, save_model
from rnnlm.models import LanguageModel
from rnnlm.text.vocabulary import Vocabulary

WORDS = ["<eos>", "<unk>", "the", "cat", "sat", "dog", "ran", "mat"]


def saved(path, counts=None, **options):
    options = {"softmax": "adaptive", "cutoffs": [2, 5]} | options
    model = LanguageModel(len(WORDS), 4, 8, **options, rng=np.random.default_rng(0))
    vocabulary = Vocabulary(WORDS, "word", counts)
    save_model(path, model, vocabulary, {"epoch": 3})
    return model, vocabulary


def rewritten(path, **values):
    """The file with other values in its header."""
    with np.load(path) as members:
        arrays = dict(members)
    header = json.loads(arrays["header"].tobytes())
    np.savez(path, **arrays | {"header": archive.as_bytes(json.dumps(header | values))})


@pytest.mark.parametrize("counts", [None, range(8, 0, -1)])
@pytest.mark.parametrize("options", [{}, {"tied": True}, {"projection": True, "cell": "gru"}])
def test_a_model_is_read_as_it_was_saved_with_counts_and_without(tmp_path, counts, options):
    path = tmp_path / "m.npz"
    model, vocabulary = saved(path, counts, **options)
    with np.load(path) as members:
        header = json.loads(members["header"].tobytes())
        sizes = sum(members[name].nbytes for name in members.files if name != "header")
    assert (header["version"], header["architecture"]["cutoffs"]) == (4, [2, 5])
    assert model_size(model, vocabulary) == sizes + 1  # the last word is followed by no line end
    again, words = load_model(path)
    assert again.architecture == model.architecture
    assert (words.counts is None) == (counts is None) and words.words == WORDS
    for name, param in model.named_params().items():
        np.testing.assert_array_equal(again.named_params()[name], param)
    np.testing.assert_array_equal(again.predict([[0, 3]]), model.predict([[0, 3]]))
    assert read_model_training(path) == {"epoch": 3}
    save_model(tmp_path / "again.npz", again, words, {"epoch": 3})
    assert (tmp_path / "again.npz").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_programs_of_before_are_told_the_version(tmp_path, version, monkeypatch):
    saved(tmp_path / "m.npz")
    monkeypatch.setattr("rnnlm.formats.model_file.VERSIONS", (1, 2, 3))
    with pytest.raises(RnnlmError, match=r"version 4; this program reads 'rnnlm model', version 1 or 2 or 3$"):
        load_model(tmp_path / "m.npz")
    rewritten(tmp_path / "m.npz", version=version)
    with pytest.raises(RnnlmError, match=f"a file of version {version} has no adaptive softmax, one of version 4 has"):
        load_model(tmp_path / "m.npz")


def test_a_full_softmax_is_saved_as_before(tmp_path):
    for counts, cell, version in ((None, "lstm", 1), (None, "gru", 2), (range(8), "lstm", 3)):
        saved(tmp_path / "m.npz", counts, softmax="full", cutoffs=[], cell=cell)
        with np.load(tmp_path / "m.npz") as members:
            header = json.loads(members["header"].tobytes())
        assert header["version"] == version
        assert "softmax" not in header["architecture"] and "cutoffs" not in header["architecture"]
