"""Where an export goes: a file or a folder, whole or not at all."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rnnlm.errors import RnnlmError, listed, quoted, shown
from rnnlm.files.whole import sync_folder, written

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_NAMES = 3  # of files that are in the way, for a message


def require_free(path: str | os.PathLike[str], is_folder: bool, overwrite: bool = False) -> None:
    """RnnlmError unless an export may go there; asked before any work.

    Parameters
    ----------
    path : of the file or folder to write.
    is_folder : whether the target writes a folder.
    overwrite : whether an earlier export may be replaced.
    """
    if str(path) == "-":
        raise RnnlmError("- is not the name of a file to write: choose a name, or give ./-")
    with written(path):
        parent = Path(path).absolute().parent
        os.stat(os.path.join(parent, ""))  # the slash asks for a folder
    if not os.path.lexists(path):
        return
    if is_folder and not os.path.isdir(path):
        raise RnnlmError(f"{path} is a file, and a folder will be written: choose another name")
    if not is_folder and os.path.isdir(path):
        raise RnnlmError(f"{path} is a folder, and a file will be written: choose another name, such as "
                         f"{quoted(os.path.join(path, 'model'))}")
    if not overwrite and not (is_folder and not os.listdir(path)):
        raise RnnlmError(f"{path} exists: choose another name, or replace it with --overwrite")


@contextmanager
def whole_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A block that fills a new folder, which gets its name at the end.

    A folder that is there is replaced if all in it are files with names that the new
    one writes, too.  So only an earlier export is replaced, and a block that fails
    leaves all as it was.  An RnnlmError in the block names the path, not the folder
    beside it.

    Yields
    ------
    Path : of a folder beside it, to write into.
    """
    target = Path(os.path.realpath(path))
    new = target.parent / f".{target.name}.{os.urandom(4).hex()}.tmp"
    old = new.with_suffix(".old")
    with written(path):
        new.mkdir()
    try:
        yield new
        with written(path):
            _require_earlier(target, new)
            for folder, _, names in os.walk(new):
                for name in names:
                    _sync(os.path.join(folder, name))
            if target.exists():
                os.rename(target, old)
            os.rename(new, target)
            sync_folder(target.parent)
    except RnnlmError as error:
        raise type(error)(str(error).replace(str(new), str(path))) from error.__cause__
    finally:
        if old.exists() and not target.exists():
            os.rename(old, target)
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _require_earlier(target, new):
    """RnnlmError if the target holds what the new folder does not."""
    there = sorted(os.listdir(target)) if target.exists() else []
    others = [name for name in there if not (new / name).exists() or (target / name).is_dir()]
    if others:
        several = [shown(name) for name in others[:MOST_NAMES]] + ["more"] * (len(others) > MOST_NAMES)
        raise RnnlmError(f"{target} holds {listed(several)}, so it is no earlier export and is not replaced: choose "
                         "another name with --output")


def _sync(path):
    with open(path, "rb") as file:
        os.fsync(file.fileno())
