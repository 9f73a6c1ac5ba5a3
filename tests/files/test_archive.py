import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hostile_files import described, good_file, hostile_files, members_of, zipped

from rnnlm.cli.evaluate import main as evaluate
from rnnlm.errors import DivergenceError, RnnlmError
from rnnlm.files.archive import as_bytes, open_archive, write_archive
from rnnlm.files.finite import require_finite
from rnnlm.formats.checkpoint import read_checkpoint_header
from rnnlm.formats.model_file import load_model, save_model
from rnnlm.models import LanguageModel
from rnnlm.text.vocabulary import Vocabulary

# Loads every file named on standard input: the seconds that it computes, the megabytes
# by which memory grew, and the message.
MEASURE = """
import json, os, resource, sys, time
from rnnlm import RnnlmError, load_model
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
load_model(sys.argv[1])
for path in map(str.strip, sys.stdin.readlines()):
    if os.fork():  # the peak of a process counts, so each file has one of its own
        os.wait()
        continue
    before, started, message = peak(), time.process_time(), ""
    try:
        load_model(path)
    except RnnlmError as error:
        message = str(error)
    print(json.dumps([os.path.basename(path), time.process_time() - started, peak() - before, message]), flush=True)
    os._exit(0)
"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """The paths of the hostile files, and what is reported of each, by name."""
    folder, expected = tmp_path_factory.mktemp("hostile"), {}
    for name, data, message in hostile_files(folder):
        (folder / name).write_bytes(data)
        expected[name] = message
    return folder, expected


def test_every_hostile_file_is_one_line_that_names_it_and_says_what_is_wrong(hostile):
    folder, messages = hostile
    wrong = []
    for name, expected in messages.items():
        path = folder / name
        data = path.read_bytes()
        try:
            load_model(path)
            wrong.append(f"{name}: was read")
        except RnnlmError as error:
            message = str(error)
            start = f"{path} is not a whole rnnlm model file: "
            if not (message.startswith(start) and expected in message and message.isprintable() and len(message) < 900):
                wrong.append(f"{name}: {message!r}, not {expected!r}")
            if "pickle" in message.removeprefix(start):
                wrong.append(f"{name}: recommends pickle: {message}")
        assert path.read_bytes() == data
    assert not wrong, "\n".join(wrong)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="megabytes are counted as Linux does")
def test_hostile_files_take_no_more_memory_than_their_size_and_50_mb_and_no_more_than_2_seconds(hostile, tmp_path):
    folder, messages = hostile
    words = ["<eos>", *map(str, range(39_999))]
    model = LanguageModel(len(words), 200, 200, rng=None)
    save_model(tmp_path / "large", model, Vocabulary(words))
    data = bytearray((tmp_path / "large").read_bytes())
    data[-3_000_000] ^= 1  # in the last large array
    (tmp_path / "large").write_bytes(data)
    paths = [*(folder / name for name in messages), tmp_path / "large"]
    done = subprocess.run([sys.executable, "-c", MEASURE, folder / "good.npz"], input="\n".join(map(str, paths)),
                          capture_output=True, text=True, check=True)
    found = {name: values for name, *values in map(json.loads, done.stdout.splitlines())}
    assert done.stderr == ""
    assert found.keys() == {path.name for path in paths}
    for path in paths:
        seconds, megabytes, message = found[path.name]
        assert message, path
        assert seconds < 2, path
        assert megabytes < path.stat().st_size / 1e6 + 50, path
    assert found["large"][2].endswith("Bad CRC-32 for file 'affine/W.npy'")
    assert found["large"][1] > 50  # it is really measured


def test_what_is_no_regular_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path, message in ((tmp_path / "pipe", "it is not a regular file"), ("/dev/zero", "it is not a regular file"),
                          (tmp_path, "it is a folder"), (tmp_path / "loop", "could not be read: too many levels"),
                          (tmp_path / "none", "could not be read: no such file"),
                          ("x" * 5000, "could not be read: file name too long")):
        with pytest.raises(RnnlmError, match=message), open_archive(path, "an archive"):
            pass


def test_the_command_says_it_in_one_line_and_exits_1(hostile, tmp_path, capsys):
    (tmp_path / "t.txt").write_text("the cat\n")
    folder, messages = hostile
    for name in messages:
        code = evaluate([str(folder / name), str(tmp_path / "t.txt")])
        out, err = capsys.readouterr()
        assert (code, out, len(err.splitlines())) == (1, "", 1), name


def test_a_checkpoint_is_read_with_the_same_care(hostile):
    folder, messages = hostile
    for name in messages:
        with pytest.raises(RnnlmError, match="is not a whole rnnlm checkpoint: "):
            read_checkpoint_header(folder / name)


def test_two_names_cannot_share_the_same_bytes(tmp_path):
    """Otherwise a small file could be read as a large model."""
    data = bytearray(good_file(tmp_path))
    one, other = (data.rindex(name) - 46 for name in (b"rnn1/Wh.npy", b"rnn2/Wh.npy"))  # entries of the directory
    data[other + 42 : other + 46] = data[one + 42 : one + 46]                           # where their bytes are
    (tmp_path / "m").write_bytes(data)
    with pytest.raises(RnnlmError, match=r"File name in directory 'rnn2/Wh\.npy' and header b'rnn1/Wh\.npy' differ"):
        load_model(tmp_path / "m")


@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_come_back_in_whatever_order_they_lie(tmp_path, order, rng):
    array = np.asarray(rng.normal(size=(5, 7)), np.float32, order=order)
    write_archive(tmp_path / "a", {"x": 1}, {"one": array, "none": np.empty((0, 3), np.float32),
                                             "single": np.float32([[3]])})
    with open_archive(tmp_path / "a", "an archive") as archive:
        assert archive.header == {"x": 1}
        for out in (np.empty((5, 7), np.float32), np.empty((7, 5), np.float32).T):
            archive.read_finite("one", out)
            np.testing.assert_array_equal(out, array)
        archive.read_finite("none", np.empty((0, 3), np.float32))
        single = np.empty((1, 1), np.float32)
        archive.read_finite("single", single)
        assert single == 3


def test_an_array_longer_than_a_piece_is_read_whole(tmp_path, rng, monkeypatch):
    import rnnlm.files.archive

    array = rng.normal(size=(50, 60))
    write_archive(tmp_path / "a", {}, {"x": array})
    monkeypatch.setattr(rnnlm.files.archive, "BLOCK", 1000)
    out = np.empty_like(array)
    with open_archive(tmp_path / "a", "an archive") as archive:
        archive.read("x", out)
    np.testing.assert_array_equal(out, array)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, -1])
def test_numbers_that_are_not_finite_are_refused_on_both_ways(tmp_path, value, place):
    array = np.zeros((1 << 20) + 5)
    array[place] = value
    with pytest.raises(DivergenceError, match="x holds numbers that are not finite, so nothing is saved"):
        require_finite({"x": array})
    write_archive(tmp_path / "a", {}, {"x": array})
    with open_archive(tmp_path / "a", "an archive") as archive:
        archive.read("x", np.empty_like(array))  # records may hold them
    with (pytest.raises(RnnlmError, match="a is not an archive: x holds numbers that are not finite"),
          open_archive(tmp_path / "a", "an archive") as archive):
        archive.read_finite("x", np.empty_like(array))


def test_what_numpy_writes_is_read_and_what_is_written_numpy_reads(tmp_path):
    np.savez(tmp_path / "a.npz", header=as_bytes('{"a": 1}'), x=np.arange(6.0).reshape(2, 3))
    out = np.empty((2, 3))
    with open_archive(tmp_path / "a.npz", "an archive") as archive:
        archive.read("x", out)
    write_archive(tmp_path / "b.npz", {"a": 1}, {"x": out})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with np.load(tmp_path / "b.npz") as members:
        np.testing.assert_array_equal(members["x"], np.arange(6.0).reshape(2, 3))


def test_an_archive_of_over_4_gib_has_its_directory_elsewhere(tmp_path):
    """The ZIP64 records, in a small file; a directory that is too large is not read."""
    end64 = b"PK\6\6" + (44).to_bytes(8, "little") + bytes(28)
    locator = b"PK\6\7" + bytes(16)  # the place of the record before it: 0
    for size, message in ((1 << 21, "its directory has 2,097,152 bytes"), (0, "it lacks header")):
        record = end64 + size.to_bytes(8, "little") + bytes(8)
        (tmp_path / "a").write_bytes(record + locator + b"PK\5\6" + bytes(18))
        with pytest.raises(RnnlmError, match=message), open_archive(tmp_path / "a", "an archive"):
            pass


def test_large_shapes_that_multiply_to_nothing_are_refused(tmp_path):
    """0 times 2^62 bytes would pass a check of the size alone."""
    members = [("header.npy", io.BytesIO()), ("x.npy", described("'<f4'", "(0, 4611686018427387904)"))]
    np.save(members[0][1], as_bytes("{}"))
    (tmp_path / "a").write_bytes(zipped([("header.npy", members[0][1].getvalue()), members[1]]))
    with pytest.raises(RnnlmError, match=r"x must be float32 \(5,\)"), open_archive(tmp_path / "a", "x") as archive:
        archive.require({"x": (5,)})
    assert len(members_of((tmp_path / "a").read_bytes())) == 2
