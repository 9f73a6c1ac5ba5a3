"""summary.json: what a run writes there, and what of it a reader takes."""

import json
import math

import numpy as np
import pytest
from training_runs import metrics

import rnnlm
from rnnlm.errors import RnnlmError
from rnnlm.runs.summary import SUMMARY, read_summary


@pytest.fixture
def trained(run, tmp_path):
    """The folder of a run of one epoch, whose vocabulary has <unk>."""
    assert run("--epochs", "1", "--max-tokens", "100", "--min-count", "2", "--batch-size", "2")[0] == 0
    return tmp_path / "run"


def test_a_summary_says_of_the_texts_what_the_library_says(trained, run):
    summary = read_summary(trained)
    model = rnnlm.load(trained)
    valid, test = (rnnlm.read_text(run.corpus / f"{name}.txt", model.vocabulary) for name in ("valid", "test"))
    assert summary.vocabulary == len(model.vocabulary)
    assert summary.vocabulary_sha256 == model.vocabulary.fingerprint()
    assert (summary.unit, summary.corpus) == ("word", "small")
    with np.load(trained / "model.npz") as members:
        assert summary.parameters == sum(members[name].size for name in members.files if "/" in name)
    for text, expected in ((summary.valid, valid), (summary.test, test)):
        assert (text.targets, text.sentences, text.unk) == (len(expected.ids), expected.sentences, expected.unk)
        assert text.lost == list(expected.all_lost)
    assert summary.valid.bytes == (run.corpus / "valid.txt").stat().st_size
    assert summary.valid.sha256 != summary.test.sha256


def test_a_summary_has_the_test_score_of_the_best_model(trained, run):
    summary = read_summary(trained)
    model = rnnlm.load(trained)
    assert math.exp(summary.test_loss) == pytest.approx(model.perplexity(run.corpus / "test.txt"), rel=1e-5)
    assert summary.test_epoch == metrics(trained)[-1]["epoch"] == 1


def test_a_run_of_an_earlier_version_has_none(trained):
    (trained / SUMMARY).unlink()
    assert read_summary(trained) is None


def changed(folder, change):
    """Change the values of a summary."""
    values = json.loads((folder / SUMMARY).read_text())
    change(values)
    (folder / SUMMARY).write_text(json.dumps(values))


@pytest.mark.parametrize(("change", "message"), [
    (lambda values: values.update(version=2), "it must be a JSON object of version 1"),
    (lambda values: values.pop("valid"), "it must have the keys corpus, corpus_sha256, "),
    (lambda values: values.update(more=1), "it must have the keys corpus, "),
    (lambda values: values.update(valid=7), "it must have the keys sha256, targets, "),
    (lambda values: values["valid"].update(bytes=0), "bytes cannot be 0"),
    (lambda values: values["valid"].update(targets=0), "targets cannot be 0"),
    (lambda values: values["valid"].update(unk=True), "unk cannot be True"),
    (lambda values: values["test"].update(lost=[7]), r"lost cannot be \[7\]"),
    (lambda values: values.update(parameters=-1), "parameters cannot be -1"),
    (lambda values: values.update(parameters=10**30), "parameters cannot be 1000"),
    (lambda values: values.update(test_loss=-1.0), "test_loss cannot be -1.0"),
    (lambda values: values.update(test_loss="1"), "test_loss cannot be '1'"),
    (lambda values: values.update(corpus=None), "corpus cannot be None")])
def test_what_no_run_writes_is_one_line(trained, change, message):
    changed(trained, change)
    with pytest.raises(RnnlmError, match=rf"summary.json must be the summary of a run: {message}.*; remove it") as told:
        read_summary(trained)
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize("content", [b"", b"\xff", b"[" * 100_000, b"{}", b"7", b'{"version": 1, "x": NaN}',
                                     b" " * (1 << 20) + b"{}", b'{"corpus": "\x1b[2J"}'])
def test_what_is_no_summary_is_one_line(tmp_path, content):
    (tmp_path / SUMMARY).write_bytes(content)
    with pytest.raises(RnnlmError, match="must be the summary of a run") as told:
        read_summary(tmp_path)
    assert str(told.value).isprintable()
    assert len(str(told.value)) < 700


def test_a_summary_that_cannot_be_read_is_one_line(tmp_path):
    (tmp_path / SUMMARY).mkdir()
    with pytest.raises(RnnlmError, match=r"summary\.json could not be read: is a directory"):
        read_summary(tmp_path)
