"""What a session saves, and when: checkpoints, records of epochs, the best model."""

import math
import time
from contextlib import contextmanager
from dataclasses import dataclass

from rnnlm.compute.one_process import SAVE, processes_of
from rnnlm.errors import DivergenceError
from rnnlm.text.choose_tokenizer import LEARNED


@dataclass(frozen=True)
class SavePoint:
    """Where a run was saved.

    Attributes
    ----------
    step : updates since the start of the run.
    epoch : the epoch, from 1, that ``when`` refers to.
    when : "before" that epoch, "in" it, or "over": training is over, but the test text
        is not scored.
    """

    step: int
    epoch: int
    when: str


class Saver:
    """Saves the run of a Trainer in a RunFolder.

    Parameters
    ----------
    trainer : the Trainer.
    folder : the RunFolder.
    run : what else a checkpoint keeps of the run, a dict for JSON.
    vocabulary : the model's Vocabulary.

    Attributes
    ----------
    point : the SavePoint of the last checkpoint.
    rollbacks : how often training has returned to it so far.
    grad_norm : of the last step, for messages.
    """

    def __init__(self, trainer, folder, run, vocabulary):
        self.trainer, self.folder, self.run, self.vocabulary = trainer, folder, run, vocabulary
        self.processes = processes_of(trainer.model)
        self.seconds, self.state, self.point = time.monotonic(), None, None
        self.rollbacks, self.grad_norm = 0, math.nan

    def begin(self):
        """Save the first checkpoint, so that there is one from the first step on."""
        self.processes.outcome(self.folder.replace_all, self.trainer, self.run, self.vocabulary_to_keep())
        self._note_point()

    def restore(self):
        """Put the trainer where the last checkpoint was taken."""
        self.folder.restore(self.trainer, self.run)
        self.trainer.share()
        self.folder.records = self.processes.share(self.folder.records)
        self._note_point()

    def is_due(self, minutes):
        """Whether the last checkpoint is older than this."""
        return self.processes.agreed(SAVE, self.processes.first and time.monotonic() - self.seconds > 60 * minutes)

    def save(self):
        """Save a checkpoint; DivergenceError if one of its numbers is not finite."""
        self.trainer.meet()  # which may fail in all processes, not in the first one alone
        with self._told_where():
            self.processes.outcome(self.folder.save, self.trainer, self.run, self.vocabulary_to_keep())
        self.seconds, self.rollbacks = time.monotonic(), 0
        self._note_point()

    @contextmanager
    def _told_where(self):
        """A block that saves: a DivergenceError in it says more."""
        try:
            yield
        except DivergenceError as error:
            trainer = self.trainer
            raise DivergenceError(f"training diverged at step {trainer.iteration}: {error}; gradient norm "
                                  f"{self.grad_norm:g}, learning rate {trainer.optimizer.lr:g}") from error

    def save_rest(self):
        """Save the last checkpoint of a session, if there is something new to save.

        DivergenceError as from ``save``.
        """
        if self._state() != self.state:
            self.save()

    def keep(self, record):
        """Save at an epoch's end.

        The checkpoint comes first: metrics and best model can be made from it again.
        """
        self.folder.records.append(record)
        self.save()
        self.folder.append_metrics(record)
        if record.improved:
            self.save_model(record)

    def save_model(self, record):
        """Write the model file, with the weights that gave this Record."""
        perplexity = record.valid_perplexity if math.isfinite(record.valid_perplexity) else None
        training = {"epoch": record.epoch, "valid_loss": record.valid_loss, "valid_perplexity": perplexity}
        with self.trainer.weights_to_keep():
            self.folder.save_model(self.trainer.model, self.vocabulary, training | self._origin())

    def _origin(self):
        """What a model file says of the model from which the run began, a dict."""
        return {"init_from": self.run["init_from"]["sha256"]} if "init_from" in self.run else {}

    def vocabulary_to_keep(self):
        """What a checkpoint keeps: the vocabulary where the texts do not tell it.

        Subwords would follow from the texts, but in time, and a file may be gone.
        """
        kept = "init_from" in self.run or self.vocabulary.level in LEARNED
        return self.vocabulary if kept else None

    def keep_model(self, mark):
        """Write the model of a mark, with the weights that would be validated now.

        Before the checkpoint of this step: whoever resumes from that does not come here
        again.  DivergenceError as from ``save``.
        """
        trainer = self.trainer
        trainer.meet()
        with self._told_where(), trainer.weights_to_keep():
            self.processes.outcome(
                self.folder.kept.save, mark, trainer.model, self.vocabulary,
                {"tokens": trainer.tokens, "epoch": trainer.epoch + 1, "iteration": trainer.iteration}
                | self._origin())

    def _state(self):
        return self.trainer.iteration, self.trainer.sums.steps

    def _note_point(self):
        trainer, self.state = self.trainer, self._state()
        self.point = SavePoint(trainer.iteration, trainer.epoch + 1, "in" if trainer.sums.steps else "before")
