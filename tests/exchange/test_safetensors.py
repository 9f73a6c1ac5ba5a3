"""Safetensors files: what is written, and what strangers' files may claim."""

import json
import math
import os
import struct
import subprocess
import sys

import numpy as np
import pytest

from rnnlm.errors import DamagedError, DivergenceError, RnnlmError
from rnnlm.exchange.safetensors_file import read_safetensors, write_safetensors
from rnnlm.exchange.safetensors_header import LONGEST_HEADER, read_header

library = pytest.importorskip("safetensors.numpy")
TRANSPOSED = np.arange(6, dtype=np.float32).reshape(2, 3).T


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def write(path, header, data=b"\0" * 8, length=None):
    """A file with this header, whatever it says."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
    return path


def test_arrays_return_as_they_were_however_they_lie(tmp_path):
    arrays = {"transposed": TRANSPOSED, "fortran": np.asfortranarray(TRANSPOSED), "strided": TRANSPOSED[::2],
              "plain": np.arange(4, dtype=np.float32)}
    write_safetensors(tmp_path / "w", arrays, {"key": "value"})
    for found, metadata in (read_safetensors(tmp_path / "w"), (library.load_file(tmp_path / "w"), None)):
        assert metadata in (None, {"format": "pt", "key": "value"})
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[name], array)


def test_a_number_that_is_not_finite_is_not_written(tmp_path):
    for value in (np.nan, np.inf, 1e300):  # the last as float32
        with pytest.raises(DivergenceError, match="not finite"):
            write_safetensors(tmp_path / "w", {"a": np.array([1, value])}, {})
    assert not os.listdir(tmp_path)


def test_half_precision_and_double_precision_become_float32(tmp_path):
    numbers = np.array([1.5, -2, 0.15625], np.float32)  # exact in all of them
    parts = {"F64": numbers.astype("<f8").tobytes(), "F16": numbers.astype("<f2").tobytes(),
             "BF16": (numbers.view(np.uint32) >> 16).astype("<u2").tobytes(), "F32": numbers.tobytes()}
    header, start = {}, 0
    for dtype, data in parts.items():
        header[dtype] = entry(dtype, (3, 1), (start, start + len(data)))
        start += len(data)
    found, _ = read_safetensors(write(tmp_path / "w", header, b"".join(parts.values())))
    for dtype in parts:
        assert found[dtype].dtype == np.float32 and found[dtype].ravel().tolist() == numbers.tolist()


@pytest.mark.parametrize("dtype, bits", [("F32", b"\0\0\x80\x7f"), ("F16", b"\0\x7c"), ("BF16", b"\xc0\x7f"),
                                         ("F64", struct.pack("<d", 1e300))])
def test_a_number_that_is_not_finite_is_refused(tmp_path, dtype, bits):
    write(tmp_path / "w", {"a": entry(dtype, (1,), (0, len(bits)))}, bits)
    with pytest.raises(DamagedError, match="a holds numbers that are not finite"):
        read_safetensors(tmp_path / "w")


HOSTILE = {
    "an empty file": (b"", None, b"", "it has 0 bytes, too few"),
    "a header longer than the file": (b"{}", 100, b"", "claims 100 bytes, the file ends before"),
    "a header longer than any": (b"{}", 1 << 60, b"", "claims 1,152,921,504,606,846,976 bytes, at most"),
    "no JSON": (b"nonsense", None, b"", "its header is not JSON"),
    "no UTF-8": (b"{\"\xff\": 1}", None, b"", "its header is not UTF-8"),
    "no object": (b"[1]", None, b"", "must be a JSON object"),
    "deep JSON": (b'{"a":' * 90 + b"1" + b"}" * 90, None, b"", "nested too deeply"),
    "NaN": (b'{"a": NaN}', None, b"", "it holds NaN"),
    "a name twice": (b'{"a": %b, "a": %b}' % ((json.dumps(entry()).encode(),) * 2), None, bytes(8), "'a' twice"),
    "no array": ({"__metadata__": {}}, None, b"", "it holds no array"),
    "metadata of numbers": ({"__metadata__": {"a": 1}, "a": entry()}, None, bytes(8), "must hold strings"),
    "an entry of another form": ({"a": {"dtype": "F32", "shape": [2]}}, None, bytes(8), "must have dtype, shape"),
    "an entry with more": ({"a": entry() | {"file": "/etc/passwd"}}, None, bytes(8), "must have dtype, shape"),
    "whole numbers": ({"a": entry("I64", (1,))}, None, bytes(8), "type I64, F64, F32, F16, BF16 can be read"),
    "a type that is a list": ({"a": entry(["F32"])}, None, bytes(8), "numbers of type"),
    "a negative size": ({"a": entry(shape=(-2,))}, None, bytes(8), "the shape"),
    "a size that is true": ({"a": entry(shape=(True, 2))}, None, bytes(8), "the shape"),
    "a size that is no whole number": ({"a": entry(shape=(2.0,))}, None, bytes(8), "the shape"),
    "many dimensions": ({"a": entry(shape=(1,) * 9, offsets=(0, 4))}, None, bytes(4), "the shape"),
    "a huge shape": ({"a": entry(shape=(1 << 40, 1 << 40))}, None, bytes(8), "but its offsets are"),
    "one offset": ({"a": entry(offsets=(0,))}, None, bytes(8), "the offsets"),
    "offsets that go back": ({"a": entry(offsets=(8, 0))}, None, bytes(8), "but its offsets are"),
    "an overlap": ({"a": entry(), "b": entry(offsets=(4, 12))}, None, bytes(12), "b overlaps the array before it"),
    "the same bytes twice": ({"a": entry(), "b": entry()}, None, bytes(8), "overlaps the array before it"),
    "a hole": ({"a": entry(), "b": entry(offsets=(12, 20))}, None, bytes(20), "4 bytes before b belong to no array"),
    "a hole at the start": ({"a": entry(offsets=(4, 12))}, None, bytes(12), "4 bytes before a"),
    "cut short": ({"a": entry()}, None, bytes(7), "it is cut short"),
    "a surplus": ({"a": entry()}, None, bytes(9), "1 bytes after its last array"),
    "too many numbers": ({"a": entry("F16", (1 << 36,), (0, 1 << 37))}, None, b"", "it is cut short"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_is_not_as_it_should_be_is_refused_in_one_line(tmp_path, name):
    header, length, data, message = HOSTILE[name]
    path = tmp_path / "w.safetensors"
    if name == "an empty file":
        path.touch()
    else:
        write(path, header, data, length)
    with pytest.raises(DamagedError, match="is not a safetensors file of a model") as caught:
        read_safetensors(path)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_a_sparse_file_of_too_many_numbers_is_refused_before_they_are_read(tmp_path):
    size = 1 << 37
    with open(write(tmp_path / "w", {"a": entry("F16", (size // 2,), (0, size))}, b""), "rb+") as file:
        try:
            file.truncate(file.seek(0, os.SEEK_END) + size)
        except OSError:
            pytest.skip("no sparse files of this size here")
    with pytest.raises(DamagedError, match=r"its arrays have 68,719,476,736 numbers, at most"):
        read_header(tmp_path / "w")


def test_names_from_a_file_are_escaped(tmp_path):
    write(tmp_path / "w", {"\x1b[2J\n": entry("I8")})
    with pytest.raises(DamagedError, match=r"\\x1b\[2J\\n") as caught:
        read_safetensors(tmp_path / "w")
    assert "\x1b" not in str(caught.value)


def test_a_folder_a_pipe_and_nothing_are_refused(tmp_path):
    with pytest.raises(DamagedError, match="it is a folder"):
        read_safetensors(tmp_path)
    with pytest.raises(RnnlmError, match="could not be read: no such file"):
        read_safetensors(tmp_path / "none")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(DamagedError, match="not a regular file"):
            read_safetensors(tmp_path / "pipe")


def test_any_byte_changed_in_a_header_gives_arrays_or_an_error_of_the_family(tmp_path):
    write_safetensors(tmp_path / "w", {"a": TRANSPOSED, "b": TRANSPOSED[:1]}, {})
    content, rng = (tmp_path / "w").read_bytes(), np.random.default_rng(0)
    end, errors = len(content) - 32, 0
    for _ in range(120):
        damaged = bytearray(content)
        damaged[rng.integers(end)] = rng.integers(256)
        (tmp_path / "w").write_bytes(bytes(damaged)[: int(rng.choice([len(content), rng.integers(len(content))]))])
        try:
            read_safetensors(tmp_path / "w")
        except RnnlmError:
            errors += 1
    assert errors > 80


def test_the_longest_header_holds_the_deepest_model():
    assert 500 * 4 * math.ceil(len(json.dumps({"rnn.weight_ih_l499": entry(shape=(4096, 1024))})) * 2) < LONGEST_HEADER


def test_without_the_library_one_line_names_the_extra(tmp_path):
    code = ("import sys; sys.modules['safetensors'] = None\n"
            "from rnnlm.exchange.safetensors_file import write_safetensors\n"
            f"write_safetensors({str(tmp_path / 'w')!r}, {{}}, {{}})")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.endswith("rnnlm.errors.RnnlmError: safetensors files need the package safetensors: pip install "
                                "safetensors, or this package with its extra: pip install 'numpy-rnnlm[torch]'\n")
