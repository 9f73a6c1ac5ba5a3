"""The run folder as the processes see it that do not write there."""

from rnnlm.runs.run_folder import best_of


class Elsewhere:
    """Stands for the RunFolder, which the first process has, and does nothing.

    Parameters
    ----------
    path : of the run folder, for messages.
    options : those of the run.
    """

    model = None

    def __init__(self, path, options):
        self.path, self.shown, self.before = path, str(path), options
        self.records, self.before_training, self.kept = [], None, ElsewhereKept(path)

    @property
    def best(self):
        """The Record of the best epoch; None if there is none."""
        return best_of(self.records)

    def save(self, trainer, *_):
        """Give the first process the states of the columns that are this one's."""
        trainer.snapshot()

    replace_all = save

    def draw(self):
        """Whether there is a picture now."""
        return False

    def _nothing(self, *_):
        """What the first process does."""

    require_space = begin = restore = append_metrics = save_model = redraw = write_summary = end = _nothing


class ElsewhereKept:
    """Stands for the KeptFolder."""

    def __init__(self, path):
        self.path = path

    def save(self, *_):
        """The first process keeps the model."""
