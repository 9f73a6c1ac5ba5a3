"""The kept models of a run, as their readers find them."""

import os

import numpy as np
import pytest

import rnnlm
from rnnlm.errors import RnnlmError
from rnnlm.formats.kept import KeptModel, kept_models
from rnnlm.formats.kept_names import kept_name, mark_of
from rnnlm.formats.model_file import save_model
from rnnlm.models import LanguageModel
from rnnlm.text.vocabulary import Vocabulary

WORDS = ["<eos>", "the", "cat"]
NEXT = {"tokens": 123}


@pytest.fixture
def folder(tmp_path):
    """A run folder with two kept models, and files that are none."""
    (tmp_path / "run/kept").mkdir(parents=True)
    for mark, training in ((1000, {"tokens": 1010, "epoch": 2}), (20, {"tokens": 30})):
        save(tmp_path / "run", mark, training)
    for name in ("notes.txt", "tokens-1.npz", ".tokens-000000000007.npz.01234567.tmp", "tokens-000000000007.npz.gz",
                 "tokens-00000000000٣.npz", "tokens-000000000000.npz"):
        (tmp_path / "run/kept" / name).write_bytes(b"")
    return tmp_path / "run"


def save(folder, mark, training):
    model = LanguageModel(len(WORDS), 4, 5, rng=np.random.default_rng(mark))
    save_model(folder / "kept" / kept_name(mark), model, Vocabulary(WORDS), training)


def test_they_come_in_order_with_the_tokens_that_they_say(folder):
    assert kept_models(folder) == [KeptModel(folder / "kept/tokens-000000000020.npz", 30),
                                   KeptModel(folder / "kept/tokens-000000001000.npz", 1010)]
    assert kept_models(str(folder)) == kept_models(folder)
    for kept in kept_models(folder):
        assert kept.load().perplexity("the cat") == rnnlm.load(kept.path).perplexity("the cat")
    assert len({kept.load().perplexity("the cat") for kept in kept_models(folder)}) == 2


def test_names_sort_as_numbers_do():
    marks = [1, 9, 10, 999_999, 10**6, 10**12 - 1]
    assert sorted(map(kept_name, reversed(marks))) == [kept_name(mark) for mark in marks]
    assert [mark_of(kept_name(mark)) for mark in marks] == marks
    assert mark_of("model.npz") is None


def test_a_folder_without_any_is_one_line(folder, tmp_path):
    for run, message in ((tmp_path, "holds no kept models: train with --keep-every or --keep-at to keep some"),
                         (folder / "kept", "holds no kept models"), (tmp_path / "none", "none is none: give the"),
                         (folder / "kept/notes.txt", "is none: give the run folder")):
        with pytest.raises(RnnlmError, match=message) as error:
            kept_models(run)
        assert "\n" not in str(error.value)
    (tmp_path / "kept").write_text("no folder")
    with pytest.raises(RnnlmError, match="kept could not be read: not a directory"):
        kept_models(tmp_path)
    with pytest.raises(RnnlmError, match="must be"):
        kept_models(None)


@pytest.mark.parametrize("tokens", [None, 0, -1, True, "30", 1.5, 10**30, [1], {"\x1b": 2}])
def test_one_that_does_not_say_its_tokens_is_one_line(folder, tokens):
    save(folder, 50, {"tokens": tokens} if tokens is not None else {})
    with pytest.raises(RnnlmError, match=r"tokens-000000000050.npz must say after how many tokens the model was "
                                         r"kept, got .*: move it out of the folder") as error:
        kept_models(folder)
    assert str(error.value).isprintable()


@pytest.mark.parametrize("harm", ["empty", "cut", "folder", "gone"])
def test_one_that_is_not_whole_is_one_line(folder, harm):
    path = folder / "kept/tokens-000000000020.npz"
    data = path.read_bytes()
    path.unlink()
    if harm == "folder":
        path.mkdir()
    elif harm == "gone":
        os.symlink("nowhere", path)
    else:
        path.write_bytes(data[: 0 if harm == "empty" else 700])
    with pytest.raises(RnnlmError, match=r"tokens-000000000020.npz (is not a whole rnnlm model file: |could not be "
                                         r"read: no such file)") as error:
        kept_models(folder)
    assert "\n" not in str(error.value)


def test_one_that_goes_meanwhile_is_one_line(folder):
    first, second = kept_models(folder)
    data = first.path.read_bytes()
    first.path.write_bytes(data[:700])
    with pytest.raises(RnnlmError, match=r"is not a whole rnnlm model file: .*; move it out of the folder to use"):
        first.load()
    first.path.unlink()
    with pytest.raises(RnnlmError, match="could not be read: no such file or directory"):
        first.load()
    assert second.load().vocabulary.words == WORDS
