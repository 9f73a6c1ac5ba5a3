"""Training on a text that memory does not hold: one that is long for the blocks."""

import gc
import json
import signal
import tracemalloc

import numpy as np
import pytest

from rnnlm.text import documents, numbered, numbered_cache, vocabulary

pytestmark = pytest.mark.slow

TOKENS = 2_000_000  # 8 MB as ids
OPTIONS = ("--shuffle", "documents", "--max-vocab", "50", "--threads", "1", "--average", "exponential")


@pytest.fixture
def large(tmp_path):
    """A corpus with one document about every 500 tokens."""
    folder = tmp_path / "large"
    folder.mkdir()
    rng = np.random.default_rng(1)
    words = np.array([*"abcdefghijklmnopqrstuvwxyz", "\n", "\n\n"])
    drawn = words[np.minimum(rng.geometric(0.1, TOKENS), 26) - 1]
    drawn[9::10] = "\n"
    drawn[np.sort(rng.choice(TOKENS // 10, TOKENS // 500, replace=False)) * 10 + 9] = "\n\n"
    (folder / "train.txt").write_text(" ".join(drawn.tolist()).replace("\n ", "\n"), encoding="utf-8")
    for split in ("valid", "test"):
        (folder / f"{split}.txt").write_text("a b c\n" * 20, encoding="utf-8")
    return folder


@pytest.fixture
def short_blocks(tmp_path, monkeypatch):
    """Every text is long, and is read a few thousand tokens at a time."""
    monkeypatch.setenv("RNNLM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(numbered_cache, "LONG", 10)
    for module, name in ((numbered, "BLOCK"), (documents, "BLOCK"), (vocabulary, "CHUNK")):
        monkeypatch.setattr(module, name, 1 << 14)


def state(folder):
    """All arrays of a checkpoint, and its numbers without the times."""
    with np.load(folder / "checkpoint.npz") as members:
        arrays = {name: members[name].tobytes() for name in members.files if name != "header"}
        numbers = json.loads(members["header"].tobytes())["numbers"]
    del numbers["seconds"], numbers["sums"]["seconds"]
    return arrays, numbers


def test_a_large_text_is_shuffled_and_resumed_in_memory_that_does_not_grow_with_it(run, large, tmp_path, request):
    assert run.stopped_at(30, signal.SIGINT, *OPTIONS, corpus=large, output="in-memory")[0] == 130
    request.getfixturevalue("short_blocks")
    assert run.stopped_at(1, signal.SIGINT, *OPTIONS, corpus=large, output="encoded")[0] == 130
    gc.collect()
    tracemalloc.start()
    try:
        code, _, err = run.stopped_at(12, signal.SIGINT, *OPTIONS, corpus=large)
        assert code == 130
        assert run.stopped_at(18, signal.SIGINT, "--resume", corpus=large)[0] == 130
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
    assert "4,001 documents of" in err
    assert state(tmp_path / "run") == state(tmp_path / "in-memory")
