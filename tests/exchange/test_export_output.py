"""Where an export goes: nothing is lost, nothing is half there."""

import errno
import os

import pytest

from rnnlm.errors import DamagedError, RnnlmError
from rnnlm.exchange.output import require_free, whole_folder


def test_a_new_name_and_an_empty_folder_are_free(tmp_path):
    require_free(tmp_path / "new", is_folder=True)
    require_free(tmp_path / "new", is_folder=False)
    (tmp_path / "empty").mkdir()
    require_free(tmp_path / "empty", is_folder=True)


def test_what_is_there_needs_overwrite(tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text("mine")
    for name, is_folder in (("file", False), ("folder", True)):
        with pytest.raises(RnnlmError, match=f"{name} exists: choose another name, or replace it with --overwrite"):
            require_free(tmp_path / name, is_folder)
        require_free(tmp_path / name, is_folder, overwrite=True)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_where_a_file_is_due_and_the_reverse(tmp_path, overwrite):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    with pytest.raises(RnnlmError, match="folder is a folder, and a file will be written"):
        require_free(tmp_path / "folder", False, overwrite)
    with pytest.raises(RnnlmError, match="file is a file, and a folder will be written"):
        require_free(tmp_path / "file", True, overwrite)


def test_a_name_that_cannot_be_written(tmp_path):
    with pytest.raises(RnnlmError, match="the folder does not exist"):
        require_free(tmp_path / "none/new", is_folder=False)
    with pytest.raises(RnnlmError, match="- is not the name of a file"):
        require_free("-", is_folder=False)


def test_a_folder_appears_at_the_end(tmp_path):
    with whole_folder(tmp_path / "made") as folder:
        (folder / "a").write_text("1")
        assert not (tmp_path / "made").exists()
    assert (tmp_path / "made/a").read_text() == "1"
    assert os.listdir(tmp_path) == ["made"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_all_as_it_was(tmp_path, error):
    (tmp_path / "made").mkdir()
    (tmp_path / "made/a").write_text("old")
    with pytest.raises(error), whole_folder(tmp_path / "made") as folder:
        (folder / "a").write_text("new")
        raise error
    assert (tmp_path / "made/a").read_text() == "old"
    assert os.listdir(tmp_path) == ["made"]


def test_an_earlier_export_comes_back_if_the_new_one_cannot_take_its_name(tmp_path, monkeypatch):
    (tmp_path / "made").mkdir()
    (tmp_path / "made/a").write_text("old")
    rename = os.rename

    def full(old, new):
        if str(old).endswith(".tmp"):
            raise OSError(errno.ENOSPC, "no space")
        rename(old, new)

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(RnnlmError, match="made could not be written"), whole_folder(tmp_path / "made") as folder:
        (folder / "a").write_text("new")
    assert (tmp_path / "made/a").read_text() == "old"
    assert os.listdir(tmp_path) == ["made"]


def test_an_earlier_export_is_replaced_and_another_folder_is_not(tmp_path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made/a").write_text("old")
    with whole_folder(tmp_path / "made") as folder:
        (folder / "a").write_text("new")
        (folder / "b").write_text("new")
    assert (tmp_path / "made/a").read_text() == "new"
    for name in ("thesis.tex", "x", "y", "z"):
        (tmp_path / "made" / name).write_text("mine")
    with pytest.raises(RnnlmError, match=r"holds thesis.tex, x, y and more, so it is no earlier export"), \
            whole_folder(tmp_path / "made") as folder:
        (folder / "a").write_text("newer")
        (folder / "b").write_text("newer")
    assert sorted(os.listdir(tmp_path / "made")) == ["a", "b", "thesis.tex", "x", "y", "z"]
    assert os.listdir(tmp_path) == ["made"]


def test_a_folder_with_the_name_of_a_file_is_not_replaced(tmp_path):
    (tmp_path / "made/a").mkdir(parents=True)
    (tmp_path / "made/a/mine").write_text("mine")
    with pytest.raises(RnnlmError, match="holds a, so it is no earlier export"), \
            whole_folder(tmp_path / "made") as folder:
        (folder / "a").write_text("new")
    assert (tmp_path / "made/a/mine").read_text() == "mine"


def test_an_error_names_what_was_asked_for(tmp_path):
    with pytest.raises(DamagedError, match=f"^{tmp_path}/made/a is full$") as error, \
            whole_folder(tmp_path / "made") as folder:
        raise DamagedError(f"{folder / 'a'} is full") from OSError("full")
    assert isinstance(error.value.__cause__, OSError)


def test_a_link_stays_one(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with whole_folder(tmp_path / "link") as folder:
        (folder / "a").write_text("1")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real/a").read_text() == "1"
