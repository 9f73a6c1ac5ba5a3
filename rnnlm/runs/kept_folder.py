"""The folder of kept models in a run folder, as the run writes it."""

import stat
from contextlib import contextmanager

from rnnlm.errors import RnnlmError
from rnnlm.files.lock import sweep
from rnnlm.files.whole import written
from rnnlm.formats.kept_names import KEPT, kept_name, mark_of
from rnnlm.formats.model_file import save_model


class KeptFolder:
    """The folder ``kept`` of a HeldFolder; other files in it are left alone.

    Attributes
    ----------
    path : of the folder, for messages.
    """

    def __init__(self, held):
        self.held, self.path = held, held.path / KEPT

    def save(self, mark, *model_vocabulary_and_training):
        """Write the model of a mark; see rnnlm.formats.model_file.save_model."""
        with self.held.writing(), written(self.path):
            self.held.make_inside(KEPT)
            with self.held.inside(KEPT) as folder:
                save_model(folder.file(kept_name(mark)), *model_vocabulary_and_training)

    def discard_after(self, tokens):
        """Remove the models of marks above ``tokens``, and a folder without files."""
        with written(self.path), self._open() as folder:
            for name in self._models(folder):
                if mark_of(name) > tokens:
                    folder.file(name).unlink(missing_ok=True)
        self.held.remove_inside(KEPT)

    def paths(self):
        """The paths of its models."""
        with self._open() as folder:
            return [self.path / name for name in self._models(folder)]

    def size(self):
        """How many bytes its models have."""
        with self._open() as folder:
            files = [folder.file(name) for name in self._models(folder)]
            return sum(file.stat().st_size for file in files if file.exists())  # not a link to nothing

    def holds_models(self):
        """Whether it is there, with a model."""
        with self._open() as folder:
            return bool(self._models(folder))

    def sweep(self):
        """Remove what killed processes left half-written."""
        with self._open() as folder:
            if folder:
                of_models = {name[1:].rsplit(".", 2)[0] for name in folder.names()}
                sweep(folder, list(filter(mark_of, of_models)))

    def require_folder(self):
        """RnnlmError if something else has its name."""
        mode = self.held.file(KEPT).mode()
        if mode and not stat.S_ISDIR(mode):
            raise RnnlmError(f"{self.path} is a file, but the run keeps models in a folder of that name: move it, or "
                             "choose another --output")

    @contextmanager
    def _open(self):
        """A block with its OpenFolder, or None."""
        if stat.S_ISDIR(self.held.file(KEPT).mode()):
            with self.held.inside(KEPT) as folder:
                yield folder
        else:
            yield None

    @staticmethod
    def _models(folder):
        """The names of the models in its OpenFolder, if there is one."""
        return list(filter(mark_of, folder.names())) if folder else []
