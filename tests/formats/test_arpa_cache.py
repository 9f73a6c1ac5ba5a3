"""The cached form of ARPA files: used when it is right, and never needed."""

import hashlib
import json
import os

import numpy as np
import pytest
from arpa_texts import kenlm_text, ngrams, srilm_text

from rnnlm.errors import RnnlmError
from rnnlm.files.archive import open_archive, write_archive
from rnnlm.formats import arpa_reading as module
from rnnlm.formats.arpa_reading import read_arpa, read_arpa_and_sha256


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache; every file is long enough for it."""
    monkeypatch.setenv("RNNLM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "LONG", 10)
    return tmp_path / "cache/arpa"


@pytest.fixture
def path(tmp_path):
    (tmp_path / "some.arpa").write_text(srilm_text(ngrams(unknown=False)))
    return tmp_path / "some.arpa"


@pytest.fixture
def parsings(monkeypatch):
    """The paths that are parsed, in order."""
    paths, plain = [], module.parsed

    def spied(path, *others):
        paths.append(str(path))
        return plain(path, *others)

    monkeypatch.setattr(module, "parsed", spied)
    return paths


def arrays_of(model):
    return [array for order in model.tables.orders for array in vars(order).values()]


def require_same(path):
    """Read twice or more: all is as from the file alone."""
    (first, words), (second, others) = read_arpa(path), read_arpa(path)
    assert words.fingerprint() == others.fingerprint()
    assert first.notes == second.notes == ["no <unk> among the words: unknown words have no probability"]
    for one, other in zip(arrays_of(first), arrays_of(second), strict=True):
        np.testing.assert_array_equal(one, other)
        assert one is None or one.dtype == other.dtype
    return first


def test_a_file_is_parsed_once(path, cache, parsings):
    require_same(path)
    assert len(parsings) == 1
    assert len(list(cache.iterdir())) == 1


def test_the_sha256_is_that_of_the_file(path, parsings, monkeypatch):
    wanted = hashlib.sha256(path.read_bytes()).hexdigest()
    assert [read_arpa_and_sha256(path)[2] for _ in range(2)] == [wanted, wanted]
    assert len(parsings) == 1
    monkeypatch.setattr(module, "LONG", path.stat().st_size + 1)
    assert read_arpa_and_sha256(path)[2] == wanted


def test_a_short_file_is_not_kept(path, cache, parsings, monkeypatch):
    monkeypatch.setattr(module, "LONG", path.stat().st_size + 1)
    require_same(path)
    assert len(parsings) == 2
    assert not cache.exists()


def test_a_file_that_changed_is_parsed_again(path, parsings):
    first = read_arpa(path)[0]
    path.write_text(srilm_text(ngrams(unknown=False, seed=1)))
    second = require_same(path)
    assert len(parsings) == 2
    assert not np.array_equal(first.tables.orders[0].log_probs, second.tables.orders[0].log_probs)
    os.utime(path, ns=(1, 1))
    require_same(path)
    assert len(parsings) == 3


def test_damaged_files_of_the_cache_are_not_trusted(path, cache, parsings):
    read_arpa(path)
    (kept,) = cache.iterdir()
    content = kept.read_bytes()
    for damaged in (b"", content[:-100], content.replace(b"rnnlm ARPA cache", b"rnnlm APRA cache"),
                    content[:2000] + bytes([content[2000] ^ 1]) + content[2001:]):
        kept.write_bytes(damaged)
        before = len(parsings)
        require_same(path)
        assert len(parsings) == before + 1
        assert kept.read_bytes() != damaged


@pytest.mark.parametrize("change", [
    lambda header, arrays: arrays.update(keys2=arrays["keys2"][::-1].copy()),
    lambda header, arrays: arrays["keys2"].__setitem__(-1, 10**9),
    lambda header, arrays: arrays["keys2"].__setitem__(0, -1),
    lambda header, arrays: arrays["log_probs1"].__setitem__(0, np.nan),
    lambda header, arrays: arrays.pop("back_offs1"),
    lambda header, arrays: header.update(sizes=[10**12, *header["sizes"][1:]]),
    lambda header, arrays: header.update(sizes=[]),
    lambda header, arrays: header.update(sizes=None),
    lambda header, arrays: header.pop("file"),
    lambda header, arrays: header.pop("notes"),
    lambda header, arrays: header.pop("sha256"),
    lambda header, arrays: header.update(level="letters"),
])
def test_what_cannot_be_is_not_trusted(change, path, cache, parsings):
    read_arpa(path)
    (kept,) = cache.iterdir()
    with np.load(kept) as found:
        arrays = {name: found[name] for name in found.files}
    header = json.loads(arrays.pop("header").tobytes())
    change(header, arrays)
    write_archive(kept, header, arrays)
    require_same(path)
    assert len(parsings) == 2
    with open_archive(kept, "a file of the cache") as archive:
        assert archive.header["file"][0] == str(path)


def test_no_cache_is_needed(path, parsings, cache, monkeypatch):
    cache.parent.write_text("a file where the folder would be")
    require_same(path)
    assert len(parsings) == 2
    monkeypatch.delenv("RNNLM_CACHE")
    monkeypatch.setattr("rnnlm.files.cache.Path.home", lambda: (_ for _ in ()).throw(RuntimeError("none")))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    require_same(path)


def test_a_file_that_changes_while_it_is_read_is_refused(path, monkeypatch):
    plain = module.parsed

    def slow(path, *others):
        found = plain(path, *others)
        path.write_text(kenlm_text(ngrams()))
        return found

    monkeypatch.setattr(module, "parsed", slow)
    with pytest.raises(RnnlmError, match=r"some\.arpa changed while it was read: start again when it is complete"):
        read_arpa(path)


def test_a_pipe_is_read(path, tmp_path):
    read, write = os.pipe()
    os.write(write, path.read_bytes())
    os.close(write)
    try:
        assert read_arpa(f"/dev/fd/{read}")[0].order == 3
    finally:
        os.close(read)
