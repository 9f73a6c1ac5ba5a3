"""The checkpoints of a run folder: the two newest are there, whole at every moment.

A new one is written under a name of its own and then takes the place of the newest,
which takes that of the one before.  A damaged one is put aside when a run resumes.
When a run has ended, one is left, or none.
"""

from rnnlm.errors import DamagedError, RnnlmError, one_line, quoted
from rnnlm.files.whole import written
from rnnlm.formats.checkpoint import load_checkpoint, read_checkpoint_header, save_checkpoint
from rnnlm.formats.model_file import MODEL_NAME
from rnnlm.runs.resuming import same_run

CHECKPOINTS = ("checkpoint-next.npz", "checkpoint.npz", "checkpoint-previous.npz")  # the newest first
DAMAGED = "checkpoint-damaged.npz"


class CheckpointFiles:
    """The checkpoints in a HeldFolder."""

    def __init__(self, held):
        self.held = held

    def there(self):
        """The Files of those that are there, the newest first."""
        return [file for file in map(self.held.file, CHECKPOINTS) if file.exists()]

    def newest(self, read):
        """What ``read`` finds in the newest one that it can read; None without any.

        RnnlmError if there are some, but it can read none.
        """
        errors = []
        for file in self.there():
            try:
                return read(file)
            except DamagedError as error:
                errors.append(str(error))
        if errors:
            raise RnnlmError(_none_is_whole(errors))
        return None

    def write(self, trainer, run, records, vocabulary=None):
        """Write a new one, which is not settled yet; see ``save_checkpoint``."""
        save_checkpoint(self.held.file(CHECKPOINTS[0]), trainer, run, records, vocabulary)

    def settle(self):
        """Give the newest one its final name, the one before it the other."""
        newest, current, previous = map(self.held.file, CHECKPOINTS)
        with written(current):
            if current.exists():
                current.replace(previous)
            newest.replace(current)
            current.sync_folder()

    def discard(self, keep):
        """Remove all but the ``keep`` newest, the oldest first."""
        for file in reversed(self.there()[keep:]):
            with written(file):
                file.unlink(missing_ok=True)

    def load(self, trainer, run):
        """Put the trainer where the newest whole one is.

        Returns
        -------
        tuple : its File, its Records, and the damaged ones, pairs of a File and its
            error; None if there is none.

        Raises
        ------
        RnnlmError : all are damaged, or the first whole one is of another run.
        """
        errors = []
        for file in self.there():
            try:
                if not same_run(read_checkpoint_header(file), run):
                    raise RnnlmError(f"{file} belongs to another run than the newer checkpoint, which is damaged: "
                                     f"delete {errors[-1][0] if errors else file} to resume that run")
                return file, load_checkpoint(file, trainer), errors
            except DamagedError as error:  # but not one that could not be read: that may pass
                errors.append((file, error))
        if errors:
            raise RnnlmError(_none_is_whole([str(error) for _, error in errors]))
        return None

    def put_aside(self, damaged):
        """Rename a damaged one (a File)."""
        with written(self.held.path / DAMAGED):
            damaged.replace(self.held.file(DAMAGED))


def _none_is_whole(errors):
    return (f"no checkpoint can be used: {'; '.join(errors)}. Start a new run with another --output; "
            f"{MODEL_NAME} stays as it is")


def without_checkpoints(path):
    """The RnnlmError where a run that has ended is to continue without a checkpoint."""
    return RnnlmError(f"the run in {one_line(str(path))} has ended, and its checkpoints are gone "
                      "(--discard-checkpoints), so it cannot be resumed: begin another run from its model with "
                      f"--init-from {quoted(path)}")
