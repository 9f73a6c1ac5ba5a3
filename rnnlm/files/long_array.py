"""An array on disk whose length is known only at its end, in an .npz file.

Rows are collected in a file without a name.  When all are there, they become the file:
whole or not at all, and without more memory than a few rows take.
"""

import shutil
import tempfile
import zipfile

import numpy as np

from rnnlm.files.whole import File, require_replaceable, whole_file, written


class LongArray:
    """Rows (n, size) that become the one array of an .npz file.

    A block: what was not finished is gone after it.

    Parameters
    ----------
    path : of the file, which ``finish`` writes; an earlier file of such an array is
        replaced, and no other file.
    name : of the array in it.
    dtype : of its numbers.

    Raises
    ------
    RnnlmError : no file can be written there, or another one is there.
    """

    def __init__(self, path, name, dtype=np.float32):
        self.path, self.name, self.dtype = path, name, np.dtype(dtype)
        self.shape = None  # (rows so far, size), once there were rows
        require_replaceable(path, self._is_earlier, f"an earlier file of {name}")
        with written(path):
            folder = File.of(path).followed().path.parent
            self.file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # __exit__ closes it

    def _is_earlier(self, file):
        """Whether an open file has nothing but an array of this name."""
        try:
            with zipfile.ZipFile(file) as members:
                return members.namelist() == [f"{self.name}.npy"]
        except (zipfile.BadZipFile, NotImplementedError, ValueError):  # the last two: a damaged directory
            return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def add(self, rows):
        """Add rows (n, size)."""
        before = 0 if self.shape is None else self.shape[0]
        self.shape = before + len(rows), rows.shape[1]
        with written(self.path):
            self.file.write(np.ascontiguousarray(rows, self.dtype))

    def finish(self):
        """Write the file of all rows; returns the shape."""
        shape = self.shape or (0, 0)
        header = {"descr": np.lib.format.dtype_to_descr(self.dtype), "fortran_order": False, "shape": shape}
        with (whole_file(self.path) as file, zipfile.ZipFile(file, "w") as members,
              members.open(zipfile.ZipInfo(f"{self.name}.npy"), "w", force_zip64=True) as member):
            np.lib.format.write_array_header_1_0(member, header)
            self.file.seek(0)
            shutil.copyfileobj(self.file, member, 1 << 20)
        return shape
