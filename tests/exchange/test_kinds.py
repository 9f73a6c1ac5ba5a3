"""What is offered for import is called by its name."""

import io
import os
import shlex
import struct
import zipfile

import numpy as np
import pytest
from conftest import REPOSITORY

from rnnlm.errors import RnnlmError
from rnnlm.exchange.kinds import require_importable

SAFETENSORS = struct.pack("<Q", 2) + b"{}"


def zipped(name):
    """A ZIP file with one member."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(name, b"content")
    return made.getvalue()


def npz(**arrays):
    made = io.BytesIO()
    np.savez(made, **arrays)
    return made.getvalue()


@pytest.mark.parametrize(("name", "content", "said"), [
    ("model.pt", zipped("model/data.pkl"), "is a pickle"),
    ("model", zipped("archive/data.pkl"), "is a pickle"),
    ("model", b"\x80\x02\x8a\x0al\xfc\x9c", "is a pickle"),
    ("pytorch_model.bin", b"\0" * 100, "is a pickle"),
    ("model.npz", npz(header=np.zeros(2)), "is a file of this program, which needs no import"),
    ("weights.npz", npz(W=np.zeros(2)), "is an archive of NumPy's of another program"),
    ("model.keras", zipped("metadata.json"), "is a file of Keras's"),
    ("model.h5", b"\x89HDF\r\n\x1a\n", "is a file of Keras's"),
    ("model.txt", b"version: 10\nfile format: 0\n", "is a model of the classic RNNLM toolkit"),
    ("model.onnx", b"", "is an ONNX graph"),
    ("model", b"\x08\x07\x12\x05rnnlm", "is an ONNX graph"),
    ("model.lm", b"\n\\data\\\nngram 1=2\n", "is an ARPA file"),
    ("notes.txt", b"the cat sat .\n", "is of no kind that can be imported: give a safetensors file"),
    ("code.c", b"int f() {\n", "is of no kind that can be imported"),
    ("empty", b"", "is of no kind that can be imported"),
])
def test_other_files_are_called_by_their_names(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RnnlmError) as error:
        require_importable(tmp_path / name)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["model.safetensors", "model", "model.bin"])
def test_safetensors_pass_whatever_they_are_called(tmp_path, name):
    (tmp_path / name).write_bytes(SAFETENSORS)
    require_importable(tmp_path / name)


def test_folders(tmp_path):
    with pytest.raises(RnnlmError, match=r"holds no model\.safetensors: give a safetensors file"):
        require_importable(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x02")
    with pytest.raises(RnnlmError, match=r"holds no model\.safetensors, but pytorch_model\.bin, a pickle"):
        require_importable(tmp_path)
    (tmp_path / "model.npz").write_bytes(npz(header=np.zeros(2)))
    with pytest.raises(RnnlmError, match="is a run folder, which needs no import"):
        require_importable(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(SAFETENSORS)
    require_importable(tmp_path)


def test_what_is_not_there_and_what_is_no_file(tmp_path):
    with pytest.raises(RnnlmError, match="no such file or directory"):
        require_importable(tmp_path / "none")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RnnlmError, match="is not a regular file"):
        require_importable(tmp_path / "pipe")


def test_a_pickle_comes_with_three_lines_that_convert_it(tmp_path):
    path = tmp_path / "it's mine.pt"
    path.write_bytes(b"\x80\x02")
    with pytest.raises(RnnlmError) as error:
        require_importable(path)
    *_, option, code = shlex.split(str(error.value).replace(f"{path} is", "", 1))
    assert option == "-c"
    compile(code, "pasted", "exec")
    assert code.count("; ") == 2
    assert f'torch.load("{path}", ' in code
    assert code.endswith(f'"{path.with_suffix(".safetensors")}")')
    assert "weights_only=True" in code
    section = "Models from PyTorch"
    assert f'"{section}" in docs/exchange.md' in str(error.value)
    assert f"### {section}\n" in (REPOSITORY / "docs/exchange.md").read_text(encoding="utf-8")
