"""--shuffle: documents or lines in a new random order in each epoch."""

import re
import signal
from collections import Counter

import numpy as np
import pytest
from training_runs import header_of, metrics, without_times

import rnnlm
from rnnlm.text.batches import TimeBatches

DOCUMENTS = ["the cat sat on the mat .\nthe cat ran to the door .\n\n", "a bird sang in the tree .\n\n",
             "the dog sat .\nthe dog ran .\na dog ran to the tree .\n\n\n"]
QUICK = ("--epochs", "2")


@pytest.fixture
def documents(tmp_path):
    """A corpus whose documents are separated by blank lines."""
    folder = tmp_path / "documents"
    folder.mkdir()
    for split, text in (("train", "".join(DOCUMENTS) * 20), ("valid", "".join(DOCUMENTS) * 3),
                        ("test", "".join(DOCUMENTS) * 2)):
        (folder / f"{split}.txt").write_text(text, encoding="utf-8")
    return folder


def same_end(one, other):
    return (one / "model.npz").read_bytes() == (other / "model.npz").read_bytes() and (
        without_times(one) == without_times(other))


def test_documents_and_lines_are_shuffled_if_asked(run, documents, tmp_path):
    for unit in ("none", "documents", "lines"):
        assert run(*QUICK, "--shuffle", unit, corpus=documents, output=unit)[0] == 0
    assert run(*QUICK, corpus=documents, output="default")[0] == 0
    assert same_end(tmp_path / "default", tmp_path / "none")
    losses = {metrics(tmp_path / unit)[-1]["train_loss"] for unit in ("none", "documents", "lines")}
    assert len(losses) == 3
    assert "order" not in header_of(tmp_path / "default/checkpoint.npz")["numbers"]["batches"]


@pytest.mark.parametrize(("unit", "note"), [
    ("documents", "60 documents of 15 tokens on average, 20 at most: each epoch reads them in a new random order"),
    ("lines", "200 lines of 5 tokens on average, 8 at most: each epoch reads them in a new random order")])
def test_a_note_counts_what_is_shuffled(run, documents, unit, note):
    assert note in run("--epochs", "1", "--shuffle", unit, corpus=documents)[2]


def test_a_text_of_one_document_is_refused_with_the_remedy(run, tmp_path):
    code, _, err = run("--shuffle", "documents")
    assert code == 1
    assert err.splitlines()[-1].endswith(
        "--shuffle documents needs a training text of at least two documents, it is one document: put a blank line "
        "between documents, or give --shuffle lines")
    assert not (tmp_path / "run").exists()


def test_python_shuffles_the_same(run, documents, tmp_path):
    options = {"epochs": 1, "hidden_size": 8, "batch_size": 4, "time_size": 7, "shuffle": "documents"}
    rnnlm.train(corpus=str(documents), output=tmp_path / "python", **options)
    line = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    assert run.bare("--corpus", str(documents), "--output", "line", *line)[0] == 0
    assert same_end(tmp_path / "python", tmp_path / "line")


def test_each_epoch_reads_every_document_whole(run, documents, monkeypatch):
    """What the model is given, put together again and cut at blank lines."""
    read, plain = [], TimeBatches.__iter__

    def spied(batches):
        read.append([])
        for xs, ts in plain(batches):
            read[-1].append(xs)
            yield xs, ts

    monkeypatch.setattr(TimeBatches, "__iter__", spied)
    assert run("--epochs", "3", "--shuffle", "documents", "--batch-size", "1", corpus=documents)[0] == 0
    decode, orders = rnnlm.load_corpus(str(documents), min_count=1).vocabulary.decode, []
    for windows in read:
        words = decode(np.concatenate(windows, axis=1)[0])
        parts = re.sub(" ?\n ?", "\n", " ".join(words)).split("\n\n")
        orders.append([part.strip("\n") for part in parts[:59]])  # all but the last one, whose end is a target only
        assert set(orders[-1]) == {document.strip("\n") for document in DOCUMENTS}
        assert max(Counter(orders[-1]).values()) == 20
    assert orders[0] != orders[1] != orders[2] != orders[0]


@pytest.mark.slow
def test_a_run_stopped_within_epochs_ends_where_it_would_have_ended(run, documents, tmp_path):
    options = ("--epochs", "3", "--shuffle", "documents")
    assert run(*options, corpus=documents, output="whole")[0] == 0
    steps = metrics(tmp_path / "whole")[0]["iteration"]
    for step, resume in ((5, []), (steps, ["--resume"]), (3, ["--resume"])):
        assert run.stopped_at(step, signal.SIGINT, *options, *resume, corpus=documents)[0] == 130
    assert run(*options, "--resume", corpus=documents)[0] == 0
    assert same_end(tmp_path / "run", tmp_path / "whole")


def test_the_order_of_documents_in_a_checkpoint_is_one_number(run, documents, tmp_path):
    """It does not grow with the documents; a resumed run keeps what it shuffles."""
    assert run.stopped_at(5, signal.SIGINT, *QUICK, "--shuffle", "lines", corpus=documents)[0] == 130
    assert isinstance(header_of(tmp_path / "run/checkpoint.npz")["numbers"]["batches"]["order"], int)
    code, _, err = run("--resume", "--shuffle", "documents", corpus=documents)
    assert code == 1
    assert "--shuffle is documents, was lines" in err
