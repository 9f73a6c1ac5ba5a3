"""The observer of a training run: it is told what happens, and decides what to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rnnlm.errors import DivergenceError
    from rnnlm.models import LanguageModel
    from rnnlm.runs.saving import SavePoint
    from rnnlm.runs.seed_results import SeedRun, Seeds
    from rnnlm.scoring.evaluation import Evaluation
    from rnnlm.text.corpus import Corpus
    from rnnlm.training.records import Record, Step
    from rnnlm.training.trainer import Trainer


class Observer:
    """Hears what happens in a training run.

    Every method does nothing; a subclass overrides those that it wants.  They are
    called in the thread that trains, in about the order in which they are listed here.
    What they are given is the run's own: to look at, not to change.  What a method
    raises ends the run, which can be resumed from its last checkpoint.
    """

    def on_note(self, line: str) -> None:
        """Tell of something that was decided on the way or looks odd, in a line."""

    def on_seeds(self, seeds: list[int], ended: list[int], folder: Path) -> None:
        """Hear that there are runs of several seeds, in folders inside this one.

        ended: those of the seeds that are not trained again.
        """

    def on_seed(self, seed: int, folder: Path) -> None:
        """Hear that the run of the next seed begins or continues, in its folder."""

    def on_fetching(self, name: str, size: int) -> Callable[[int], object] | None:
        """Hear that a file of ``size`` bytes is fetched.

        May return a function, which is called with each further number of bytes.
        """

    def on_encoding(self, name: str, size: int) -> Callable[[int], object] | None:
        """Hear that a long text is encoded; may return what ``on_fetching`` may.

        size: its bytes.
        """

    def on_threads(self, threads: int) -> None:
        """Hear on how many threads the run computes."""

    def on_choice(self, lines: list[str]) -> None:
        """Hear what ``minutes`` chose for the run, and why, in three lines."""

    def on_corpus(self, corpus: Corpus) -> None:
        """Look at the texts; ``corpus.notes`` says what was decided, a line each."""

    def on_model(self, model: LanguageModel, folder: Path) -> None:
        """Look at the model before it is trained, and hear what the run folder is."""

    def on_initial_model(self, path: str, sha256: str) -> None:
        """Hear from which model the run began: its path then, its file's SHA-256."""

    def on_resumed(self, saved: SavePoint) -> None:
        """Hear from where the run continues."""

    def on_complete(self, option: str | None) -> None:
        """Hear that no epoch is left.

        A larger value of the option, if it is not None, would add some.
        """

    def on_initial_validation(self, evaluation: Evaluation) -> None:
        """Look at the score of the validation text by a model to fine-tune.

        It is the one that the run began from, with the run's vocabulary, not trained
        yet.
        """

    def on_training(self, trainer: Trainer, epochs: int) -> None:
        """Hear that training begins or continues, for at most so many epochs in all."""

    def on_step(self, step: Step) -> None:
        """Look at a step: its loss, targets and gradient norm."""

    def on_validation(self) -> None:
        """Hear that the validation text is about to be scored."""

    def on_epoch(self, record: Record) -> None:
        """Look at the Record of an epoch, which is over and saved."""

    def on_changed_epochs(self, epochs: int, line: str) -> None:
        """Hear that the run will have so many epochs now, and why, in a line."""

    def on_rollback(self, error: DivergenceError, step: int, lr: float) -> None:
        """Hear that training diverged and returned to a step, with this base rate."""

    def on_training_over(self) -> None:
        """Hear that training has ended, or was ended by a stop or an error."""

    def on_stalled(self, schedule: object) -> None:
        """Hear that the schedule ended training: the validation loss no longer fell."""

    def on_test(self, evaluation: Evaluation, best: Record, corpus: Corpus) -> None:
        """Look at the score of the test text, by the model of the best epoch."""

    def on_end(self, folder: Path, drawn: bool) -> None:
        """Hear that the run is over, and whether there is a picture in its folder."""

    def on_stop(self, saved: SavePoint, folder: Path, best: Record | None) -> None:
        """Hear that the run was stopped, where it was saved, and its best epoch."""

    def on_seed_end(self, run: SeedRun) -> None:
        """Look at what a seed's run reached, or why it ended early (``error``)."""

    def on_seeds_end(self, results: Seeds, drawn: bool) -> None:
        """Look at what all seeds reached; drawn: whether there is a picture of it."""

    def on_seeds_stop(self, folder: Path) -> None:
        """Hear that training was stopped between two seeds."""
