"""The three texts of a corpus as files: train.txt, valid.txt and test.txt in a folder.

The folder appears whole or not at all, and nothing that is there is replaced.
"""

import filecmp
import os
import shutil
from contextlib import ExitStack
from pathlib import Path

from rnnlm.errors import RnnlmError, one_line
from rnnlm.files.whole import sync_folder, written
from rnnlm.text.corpora import SPLITS
from rnnlm.text.text_files import TextWriter

NAMES = [f"{name}.txt" for name in SPLITS]


def require_free(folder):
    """RnnlmError unless texts can be saved there: it holds nothing else."""
    if not os.path.lexists(folder):
        return
    if not os.path.isdir(folder):
        raise RnnlmError(f"--save-splits must be a folder, {folder} is a file: choose another name")
    with written(folder):
        others = sorted(set(os.listdir(folder)) - set(NAMES))
    if others:
        raise RnnlmError(f"--save-splits must be a new folder, {folder} holds {one_line(others[0])}: choose another "
                         "name")


def save_splits(folder, parts):
    """Write the three texts; returns a line on what was done.

    parts : iterable of (number, bytes): the number of the text, and more of it.

    RnnlmError if the folder holds other texts.
    """
    folder = Path(os.path.realpath(folder))
    temporary = folder.with_name(f".{folder.name}.{os.urandom(4).hex()}.tmp")
    with written(folder):
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            temporary.mkdir()
            _write(temporary, parts)
            if folder.exists() and os.listdir(folder):
                _require_same(folder, temporary)
                return f"{folder} holds the three texts already"
            if folder.exists():
                folder.rmdir()
            temporary.rename(folder)
            sync_folder(folder.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return f"the three texts are saved in {folder}; to train on them again: --corpus {folder}"


def _write(folder, parts):
    with ExitStack() as stack:
        files = [stack.enter_context(open(folder / name, "xb")) for name in NAMES]
        writers = [TextWriter(file) for file in files]
        for number, data in parts:
            writers[number].write(data)
        for file in files:
            file.flush()
            os.fsync(file.fileno())


def _require_same(folder, other):
    _, different, failed = filecmp.cmpfiles(folder, other, NAMES, shallow=False)
    if different or failed:
        raise RnnlmError(f"{folder} holds other texts than this split ({(different + failed)[0]}): choose another "
                         "--save-splits")
