"""Files of named arrays from strangers: an .npz whose every claim is checked first.

The format is NumPy's (a ZIP of .npy members) under narrower rules.  Members are neither
compressed nor encrypted, each name occurs once, and together they are no longer than
the file.  The first one is ``header``, a JSON object.  The reader says which arrays of
which shape an archive must hold, and has them read straight into memory that it already
has.  So no file makes its reader use more memory than its own size, and nothing is
unpickled.
"""

import errno
import hashlib
import io
import json
import math
import os
import stat
import struct
import warnings
import zipfile
import zlib
from contextlib import contextmanager

import numpy as np

from rnnlm.errors import ArgumentError, DamagedError, RnnlmError, counted, shown
from rnnlm.files.finite import all_finite
from rnnlm.files.strict_json import loads
from rnnlm.files.whole import File, reason, whole_file

HEADER = "header"
LONGEST_HEADER = 1 << 16     # bytes of JSON; Python needs many times that for what JSON can describe
LONGEST_DIRECTORY = 1 << 20  # bytes of the ZIP directory, some ten thousand members
LONGEST_NPY_HEADER = 1024    # bytes; NumPy writes 128 for an array of two dimensions
LONGEST_DETAIL = 500         # characters
BLOCK = 1 << 20              # bytes that are read at a time


def write_archive(path, header, arrays):
    """Write a header (for JSON) and named arrays, whole or not at all.

    path: a path or a File.  ArgumentError if ``open_archive`` could not read the
    header.
    """
    try:
        text = as_bytes(json.dumps(header, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise ArgumentError(f"what is saved with the arrays must be strings, finite numbers, lists and dicts: "
                            f"{shown(str(error))}") from error
    if text.size > LONGEST_HEADER:
        raise ArgumentError(f"what is saved with the arrays must be at most {LONGEST_HEADER:,} bytes of JSON, got "
                            f"{text.size:,}")
    with whole_file(path) as file:
        np.savez(file, allow_pickle=False, **{HEADER: text}, **arrays)


def as_bytes(text):
    """A text as an array (bytes,) uint8: NumPy's string arrays lose trailing NULs."""
    return np.frombuffer(text.encode("utf-8"), dtype=np.uint8)


@contextmanager
def open_archive(path, kind):
    """A block with the Archive in a file: a path, or a File.

    DamagedError, which names the file and its ``kind``, for whatever is wrong with the
    content.  RnnlmError if the file cannot be read at all.
    """
    try:
        path = File.of(path)
        mode = path.stat().st_mode
        _require(stat.S_ISREG(mode), "it is a folder" if stat.S_ISDIR(mode) else "it is not a regular file")
        with path.open("rb") as file, zipfile.ZipFile(_checked(file)) as members:
            yield Archive(members)
    except OSError as error:
        if error.errno == errno.EINVAL:  # a position in the file that there cannot be
            raise DamagedError(f"{path} is not {kind}: it is damaged or of another format") from error
        raise RnnlmError(f"{path} could not be read: {reason(error)}") from error
    except (ArithmeticError, AttributeError, EOFError, LookupError, RnnlmError, RuntimeError, TypeError,
            ValueError, Warning, struct.error, zipfile.BadZipFile, zlib.error) as error:
        raise DamagedError(f"{path} is not {kind}: {_detail(error)}") from error


class Archive:
    """An open file: ``header``, a dict, and arrays.

    At what does not fit, methods raise ValueError or what zipfile raises.
    """

    def __init__(self, members):
        self._zip = members
        self._members = {}
        for member in members.infolist():
            _require(member.filename not in self._members, f"it holds {shown(member.filename)} twice")
            self._members[member.filename] = member
            _require(member.compress_type == zipfile.ZIP_STORED, f"{shown(member.filename)} is compressed; "
                     "numpy.savez writes members that are not")
        size = sum(member.file_size for member in members.infolist())
        available = members.fp.seek(0, os.SEEK_END)
        _require(size < available, f"its members claim {counted(size, 'byte')}, the file has {available:,}")
        self.header = self._json()

    def sha256(self):
        """The SHA-256 (hex) of the open file, whatever its path leads to by now."""
        self._zip.fp.seek(0)
        return hashlib.file_digest(self._zip.fp, "sha256").hexdigest()

    def _json(self):
        header = loads(self.text(HEADER, LONGEST_HEADER), HEADER)
        _require(isinstance(header, dict), f"{HEADER} must be a JSON object")
        return header

    def require_kind(self, name, *versions):
        """ValueError unless the header has this ``format`` and one of the versions."""
        found = self.header.get("format"), self.header.get("version")
        _require(found in [(name, version) for version in versions], f"format {shown(found[0])}, version "
                 f"{shown(found[1])}; this program reads {name!r}, version {' or '.join(map(str, versions))}")

    def holds(self, name):
        """Whether there is an array of this name."""
        return f"{name}.npy" in self._members

    def require_names(self, names):
        """ValueError unless the arrays, the header apart, are these."""
        found = [name.removesuffix(".npy") for name in self._members if name != f"{HEADER}.npy"]
        wanted = set(names)
        missing, surplus = sorted(wanted - set(found)), sorted(set(found) - wanted)
        _require(not missing, f"it lacks {shown(', '.join(missing))}")
        _require(not surplus, f"it holds arrays that do not belong there: {shown(', '.join(surplus))}")

    def require(self, shapes, dtype=np.float32):
        """ValueError unless the members' own headers declare these names and shapes."""
        for name, shape in shapes.items():
            with self._array(name) as (_, declared, _):
                self._fits(name, declared, shape, dtype)

    def _fits(self, name, declared, shape, dtype):
        found_shape, found_dtype, found_size = declared
        _require((found_shape, found_dtype) == (tuple(shape), np.dtype(dtype)),
                 f"{name} must be {np.dtype(dtype)} {tuple(shape)}, found {shown(f'{found_dtype} {found_shape}')}")
        size = math.prod(shape) * np.dtype(dtype).itemsize  # Python's integers do not overflow
        _require(found_size >= size, f"{name} is too short for its shape")  # so a small file never makes a large model
        _require(found_size == size, f"{name} has surplus bytes")

    def text(self, name, longest=1 << 62):
        """A member of bytes (n,) uint8, read as UTF-8."""
        size = self._member(name).file_size
        _require(size <= longest, f"{name} has {counted(size, 'byte')}, at most {longest:,} can be right")
        with self._array(name) as (_, declared, _):
            shape = declared[0]
            _require(len(shape) == 1, f"{name} must be bytes")
            self._fits(name, declared, shape, np.uint8)
        content = np.empty(shape, np.uint8)
        self.read(name, content)
        try:
            return content.tobytes().decode("utf-8")
        except UnicodeDecodeError:
            raise ValueError(f"{name} is not UTF-8") from None

    def read(self, name, out):
        """Fill ``out``, contiguous in C or Fortran order, with an array that fits."""
        with self._array(name) as (stream, declared, is_fortran):
            self._fits(name, declared, out.shape, out.dtype)
            rows = out.T if is_fortran else out  # in the order of the file
            _read_rows(stream, rows.reshape(-1) if rows.flags.c_contiguous else rows)
            _require(not stream.read(1), f"{name} has surplus bytes")  # its end, where the CRC-32 is checked

    def read_finite(self, name, out):
        """``read``, but ValueError if a number is not finite."""
        self.read(name, out)
        _require(all_finite(out), f"{name} holds numbers that are not finite")

    def _member(self, name):
        try:
            return self._members[f"{name}.npy"]
        except KeyError:
            raise ValueError(f"it lacks {name}") from None

    @contextmanager
    def _array(self, name):
        """A member after its header: stream, (shape, dtype, bytes), is_fortran."""
        with self._zip.open(self._member(name)) as stream:
            start = stream.read(10)  # magic string, version 1.0, length of the header
            length = int.from_bytes(start[8:], "little")
            _require(start[:8] == b"\x93NUMPY\1\0" and length <= LONGEST_NPY_HEADER, f"{name} has no .npy header 1.0")
            shape, dtype, is_fortran = _npy_header(name, io.BytesIO(start[8:] + stream.read(length)))
            yield stream, (shape, dtype, self._member(name).file_size - 10 - length), is_fortran


def _npy_header(name, file):
    """(shape, dtype, whether in Fortran order), as the header in a file declares."""
    try:
        with warnings.catch_warnings():  # NumPy warns of headers of Python 2
            warnings.simplefilter("error")
            shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file, LONGEST_NPY_HEADER)
    except Exception as error:  # NumPy evaluates a Python literal here, and its own words recommend pickle
        raise ValueError(f"{name} has no .npy header that could be understood") from error
    return shape, dtype, is_fortran


def _checked(file):
    """The open file, if its ZIP directory is small: zipfile reads all of it."""
    size = file.seek(0, os.SEEK_END)
    _require(size > 0, "it is empty")
    file.seek(max(0, size - 98))
    tail = file.read()  # 22 bytes for the end record; before it 20 and 56 more in an archive of over 4 GiB
    end, locator, end64 = tail[-22:], tail[-42:-22], tail[-98:-42]
    _require(len(end) == 22 and end.startswith(b"PK\5\6"), "its end is missing, or it is of another format")
    directory = int.from_bytes(end[12:16], "little")
    if locator.startswith(b"PK\6\7"):  # what zipfile would make of records that contradict each other is its own affair
        there = end64.startswith(b"PK\6\6") and int.from_bytes(locator[8:16], "little") == size - 98
        _require(there, "its end is inconsistent")
        directory = max(directory if directory < 0xFFFFFFFF else 0, int.from_bytes(end64[40:48], "little"))
    _require(directory <= LONGEST_DIRECTORY, f"its directory has {counted(directory, 'byte')}, "
             f"at most {LONGEST_DIRECTORY:,} can be right")
    return file


def _read_rows(stream, rows):
    """Fill an array, some rows at a time."""
    row = math.prod(rows.shape[1:]) * rows.itemsize
    step = max(1, BLOCK // max(1, row))
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        content = stream.read(part.nbytes)
        _require(len(content) == part.nbytes, "it is cut short")
        part[...] = np.frombuffer(content, rows.dtype).reshape(part.shape)


def _require(holds, message):
    if not holds:
        raise ValueError(message)


def _detail(error):
    """One line that names the trouble."""
    if isinstance(error, KeyError):
        return f"it lacks {shown(error.args[0])}"
    text = str(error).split("\n")[0]
    return shown(text, LONGEST_DETAIL) or "it is damaged or of another format"
