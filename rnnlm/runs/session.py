"""One session of a run: from texts or checkpoint to the test score, or to a stop."""

import math
from dataclasses import replace

from rnnlm.compute.processes import processes
from rnnlm.errors import DivergenceError, RnnlmError
from rnnlm.formats.checkpoint import checkpoint_size
from rnnlm.formats.model_file import model_size, read_model_training
from rnnlm.runs.best_model import best_model
from rnnlm.runs.combinations import notes_on_freezing, notes_on_length
from rnnlm.runs.description import shuffled, title
from rnnlm.runs.gpus import note_on_gpus
from rnnlm.runs.initial_model import BEFORE
from rnnlm.runs.later_epochs import epochs_at, fit
from rnnlm.runs.marks import Marks
from rnnlm.runs.options import free
from rnnlm.runs.run_folder import resume_command
from rnnlm.runs.saving import Saver
from rnnlm.runs.stopping import Stop, agreed_check
from rnnlm.runs.summary import Summary
from rnnlm.scoring.evaluation import evaluate

ROLLBACKS = 10  # in a row to the same step: the rate is a thousandth then, and it is not the rate


class Session:
    """The parts of a run, and what is done with them: ``begin``, then ``finish``.

    Several processes each have one, and do the same; the folder of all but the first is
    an Elsewhere.
    """

    def __init__(self, options, corpus, trainer, folder, observer, run):
        self.options, self.corpus, self.trainer = options, corpus, trainer
        self.folder, self.observer, self.processes = folder, observer, processes()
        self.saver, self.pace = Saver(trainer, folder, run, corpus.vocabulary), None
        self.marks = Marks(options.keep_every, options.keep_at)
        self.summary = Summary.of_run(corpus, run["corpus"], trainer.model)

    def carry_out(self, stopping, resumed):
        """``begin`` and ``finish``; stopping: see ``rnnlm.runs.opening.train``."""
        with stopping() as check:
            if self.processes.size > 1:
                check = agreed_check(check, self.processes)
            self.begin(resumed)
            return self.finish(check)

    def begin(self, resumed):
        """Make the folder this run's, and put the trainer where it is to start."""
        folder, corpus, model = self.folder, self.corpus, self.trainer.model
        size, vocabulary = model_size(model, corpus.vocabulary), self.saver.vocabulary_to_keep()
        folder.require_space(checkpoint_size(self.trainer, vocabulary), size, self.marks.count(self._tokens()))
        if resumed:
            self.saver.restore()
        else:
            self.trainer.share()
        began_from = self.saver.run.get("init_from")
        folder.begin(self.options, title(corpus, model), corpus.best_possible.get("valid"), began_from)
        folder.before_training = self.saver.run.get(BEFORE)
        self.observer.on_corpus(corpus)
        self.observer.on_model(model, folder.path)
        if line := note_on_gpus(model.device):
            self.observer.on_note(line)
        if began_from:
            self.observer.on_initial_model(began_from["path"], began_from["sha256"])
        if resumed:
            self._after_resuming()
            folder.write_summary(self.summary)  # without the test score, which is anew at the end
            return
        options, batches = self.options, self.trainer.batches
        notes = (*notes_on_freezing(options, model), shuffled(batches, options.shuffle),
                 *notes_on_length(options, options.epochs * len(batches)),
                 *self.marks.notes(self._tokens(), size, folder.kept.path))
        for line in filter(None, notes):
            self.observer.on_note(line)
        self.saver.begin()
        folder.write_summary(self.summary)

    def _tokens(self):
        """How many tokens all epochs have."""
        return self.options.epochs * self.trainer.batches.targets

    def _after_resuming(self):
        """See that the model file is that of the best epoch so far."""
        self.observer.on_resumed(self.saver.point)
        earlier = Marks(self.folder.before.keep_every, self.folder.before.keep_at)
        if line := self.marks.note_of_late(earlier, min(self.trainer.tokens, self._tokens())):
            self.observer.on_note(line)
        records = self.folder.records
        if not self.trainer.sums.steps and records and records[-1].improved:
            self.saver.save_model(records[-1])  # the signal may have come between the checkpoint and the model
        elif self.folder.best:
            self._look_at_model()

    def _look_at_model(self):
        """Note if the best model, kept until there is a better one, is unusable."""
        try:
            read_model_training(self.folder.model)
        except RnnlmError as error:
            self.observer.on_note(f"{error}; unless a later epoch gives a better model, the run will end without one")

    def finish(self, check):
        """Train, score the best model on the test text, draw; returns an Evaluation."""
        folder = self.folder
        try:
            self._fit(check)
            self.saver.point = replace(self.saver.point, when="over")
            evaluation = self._test(check)
        except Stop:
            self.observer.on_stop(self.saver.point, folder.path, folder.best)
            folder.redraw()
            raise
        except Exception:
            folder.redraw()
            raise
        self._end(evaluation)
        return evaluation

    def _end(self, evaluation):
        """Write what the test said, and remove what an ended run does not need."""
        folder, loss = self.folder, -evaluation.log_prob / evaluation.targets
        folder.test = evaluation.perplexity
        folder.write_summary(replace(self.summary, test_epoch=folder.best.epoch,
                                     test_loss=loss if math.isfinite(loss) else None))
        if self.pace and (line := self.pace.note_at_end(folder.best.valid_perplexity)):
            self.observer.on_note(line)
        drawn = folder.draw()
        folder.end(self.options.discard_checkpoints)
        self.observer.on_end(folder.path, drawn)

    def _fit(self, check):
        """All epochs that are left."""
        trainer = self.trainer
        epochs = epochs_at(self.options, trainer.epoch)
        if trainer.schedule.stop or trainer.epoch >= epochs:
            more = "patience" if trainer.schedule.stop else "epochs"
            self.observer.on_complete(more if more in free(vars(self.options)) else None)
            return
        if self.options.init_from and not trainer.iteration:
            self._validate_initial_model(check)
        self.observer.on_training(trainer, epochs)
        try:
            self._train(check)
        except Stop:
            self._save_rest()
            raise
        finally:
            self.observer.on_training_over()
        if trainer.schedule.stop:
            self.observer.on_stalled(trainer.schedule)

    def _validate_initial_model(self, check):
        """Say how well the model predicts that the run begins from, and remember it."""
        evaluation = self._validated(check)
        self.observer.on_initial_validation(evaluation)
        if math.isfinite(evaluation.perplexity):
            self.folder.before_training = self.saver.run[BEFORE] = evaluation.perplexity

    def _train(self, check):
        """Train; after a divergence from the last checkpoint on, if that is wanted."""
        while True:
            try:
                return self._epochs(check)
            except DivergenceError as error:
                self._roll_back(error)

    def _epochs(self, check):
        trainer, saver, observer, minutes = self.trainer, self.saver, self.observer, self.options.checkpoint_minutes

        def on_step(step):
            saver.grad_norm = step.grad_norm
            observer.on_step(step)
            if mark := self.marks.last(trainer.tokens - step.targets, trainer.tokens):
                saver.keep_model(mark)
            if saver.is_due(minutes):
                saver.save()
            check()

        def validate():
            observer.on_validation()
            result = self._validated(check)
            return -result.log_prob / result.targets

        for record in fit(trainer, validate, self.options, on_step):
            if self.pace:
                self.pace.keep(self)
            saver.keep(record)
            observer.on_epoch(record)
            check()

    def _validated(self, check):
        """The Evaluation of the validation text by the model as it is."""
        return evaluate(self.trainer.model, self.corpus.valid, self.corpus.vocabulary.eos_id, on_window=check)

    def _roll_back(self, error):
        """Return to the last checkpoint with half the learning rate, or give up."""
        self._require_rollback(error)
        trainer, saver = self.trainer, self.saver
        lr, rollbacks = trainer.schedule.lr / 2, saver.rollbacks + 1
        saver.restore()
        trainer.schedule.lr = lr
        saver.save()  # whoever resumes goes on at this rate, too
        saver.rollbacks = rollbacks
        self.observer.on_rollback(error, trainer.iteration, lr)

    def _require_rollback(self, error):
        """DivergenceError if the run is not to go back after this one."""
        path = self.folder.path
        last = f"{self.folder.shown} holds the run as it was after step {self.saver.point.step:,}"
        if self.options.on_divergence == "stop":
            clip = "a smaller --max-grad above 0" if self.options.max_grad else "--max-grad 0.25"
            raise DivergenceError(f"{error}; {last}: resume at half the rate with {resume_command(path)} "
                                  f"--on-divergence rollback, or start a new run with a lower --lr or {clip}"
                                  ) from error
        if self.saver.rollbacks == ROLLBACKS:
            raise DivergenceError(f"{error}, {ROLLBACKS} times in a row, each time at half the rate; {last}: start a "
                                  "new run with another --lr, --optimizer, --max-grad or --seed") from error

    def _save_rest(self):
        """What is not saved yet, if it can be."""
        try:
            self.saver.save_rest()
        except DivergenceError as error:
            self.observer.on_note(str(error))

    def _test(self, check):
        """The best model's Evaluation of the test text; DivergenceError without one."""
        workers, device, best = self.trainer.workers, self.trainer.model.device, self.folder.best
        self.trainer = self.saver.trainer = None  # a large vocabulary leaves no room for two models
        if best is None:
            raise DivergenceError("no epoch gave a finite validation loss, so there is no model: lower --lr")
        model, eos_id = best_model(self.folder.model, workers, self.processes)
        evaluation = evaluate(model.move_to(device), self.corpus.test, eos_id, on_window=check)
        self.observer.on_test(evaluation, best, self.corpus)
        return evaluation
