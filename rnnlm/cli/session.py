"""One session of a training run: from the texts, or from a checkpoint, to the picture or to the signal that ends it."""

import math
import time
from contextlib import closing

from rnnlm.cli.command import StoppedBetweenSteps, encoding_bar, file_bar, stop_on_signal, threads_of
from rnnlm.cli.final_score import read_test
from rnnlm.cli.progress import HEAD, Progress, described, row, unknown_share
from rnnlm.cli.screen import note, say
from rnnlm.compute.threads import Workers
from rnnlm.errors import DivergenceError, RnnlmError, quoted, shown
from rnnlm.formats.model_file import read_model_training
from rnnlm.runs.assembly import build_trainer
from rnnlm.runs.combinations import notes_on_length
from rnnlm.runs.options import free, of_the_run
from rnnlm.runs.resuming import require_architecture, require_same_texts
from rnnlm.scoring.evaluation import evaluate
from rnnlm.text.corpora import known_corpora
from rnnlm.text.corpus import load_corpus

ROLLBACKS = 10  # in a row to the same step: the rate is a thousandth then, and it is not the rate


def train(options, folder, header=None):
    """Train in a RunFolder; returns the exit code.  header: that of the checkpoint to go on from, if any."""
    if header is not None:  # before anything is read or made that the options ask for
        require_architecture(header, options, header["architecture"]["vocab_size"], folder.path)
    address = known_corpora().get(options.corpus, options.corpus)  # what exists is an absolute path by now
    corpus = load_corpus(address, options.level, options.min_count, options.max_vocab, options.max_tokens,
                         on_file=file_bar("fetching"), on_long=encoding_bar)
    with Workers(threads_of(options)) as workers:
        session = _session(options, corpus, folder, header, workers)
        with stop_on_signal("stopping after this step") as stop:
            session.begin(resumed=header is not None)
            return session.finish(stop)


def _session(options, corpus, folder, header, workers):
    """All parts of the run; nothing is written yet."""
    run = {**of_the_run(options), "corpus": corpus.fingerprint(), "threads": workers.threads}
    if header is not None:
        if line := require_same_texts(header, run, options, folder.path):
            note(f"note: {line}")
        require_architecture(header, options, len(corpus.vocabulary), folder.path)
    return Session(options, corpus, build_trainer(options, corpus, workers, fresh=header is None), folder, run)


class Session:
    """The parts of a run, and what is done with them in order: ``begin``, then ``finish``."""

    def __init__(self, options, corpus, trainer, folder, run):
        self.options, self.corpus, self.trainer, self.folder, self.run = options, corpus, trainer, folder, run
        self.saved, self.saved_at, self.place = time.monotonic(), 0, ""  # when and where the last checkpoint was taken
        self.saved_state = None
        self.rollbacks = 0  # to that checkpoint, so far
        self.grad_norm = math.nan  # of the last step

    def begin(self, resumed):
        """Make the folder this run's, and the trainer stand where it is to start."""
        options, corpus, trainer, folder = self.options, self.corpus, self.trainer, self.folder
        model = trainer.model
        weights = sum(p.nbytes for p in model.params)
        words = sum(len(word.encode()) + 1 for word in corpus.vocabulary.words)
        states = sum(len(layer.state_names) * layer.hidden_size for layer in model.recurrent) * options.batch_size
        copies = 1 + len(trainer.optimizer.slot_names) + (trainer.average is not None)
        folder.require_space(weights * copies + states * model.params[0].itemsize, weights + words)
        if resumed:
            folder.restore(trainer, self.run)
        unit = "" if options.level == "word" else "characters, "
        unknown = unknown_share(corpus.valid, "of the validation targets are")
        title = f"{corpus.name}, {unit}{described(model)}\n{unknown}".rstrip()
        folder.begin(options, title, corpus.best_possible.get("valid"))
        say(f"corpus {shown(corpus.name)}: {corpus.train.size:,} tokens to train, {corpus.valid.ids.size:,} to "
            f"validate, {corpus.test.ids.size:,} to test; vocabulary {len(corpus.vocabulary):,}")
        for line in corpus.notes:
            note(f"note: {line}")
        if unknown:
            say(unknown)
        say(f"model: {described(model)}, {sum(p.size for p in model.params):,} parameters; run folder {folder.shown}")
        steps = options.epochs * len(trainer.batches)
        for line in () if resumed else notes_on_length(options, steps):
            note(f"note: {line}")
        if not resumed:
            folder.replace_all(trainer, self.run)  # so that there is a last good checkpoint from the first step on
            self._note_place()
            return
        self._note_place()
        say(f"resumed after step {self.saved_at:,}, {self.place}")
        if not trainer.sums.steps and folder.records and folder.records[-1].improved:
            self._save_model(folder.records[-1])  # the signal may have come between the checkpoint and the model
        elif folder.best:
            self._look_at_model()

    def _look_at_model(self):
        """A note if the best model so far, which only a better one replaces, cannot be used."""
        try:
            read_model_training(self.folder.model)
        except RnnlmError as error:
            note(f"note: {error}; unless a later epoch gives a better model, the run will end without one")

    def finish(self, stop):
        """Train, score the best model on the test text, draw the picture; returns the exit code."""
        try:
            self._fit(stop)
            self.place, workers = "training is over, but the test text is not scored", self.trainer.workers
            self.trainer = None  # a large vocabulary leaves no room for two models
            read_test(self.folder, self.corpus, workers, stop)
        except StoppedBetweenSteps as stopped:
            self._say_how_to_resume()
            self.folder.redraw()
            return 128 + stopped.signum
        except Exception:
            self.folder.redraw()
            raise
        folder = self.folder
        files = "model, metrics and picture" if folder.draw() else "model and metrics"
        note(f"{files} are in {folder.shown}; to write text: rnnlm generate {quoted(folder.path)}")
        return 0

    def _fit(self, stop):
        """All epochs that are left; after a divergence from the last checkpoint on, if that is wanted."""
        trainer, schedule = self.trainer, self.trainer.schedule
        if schedule.stop or trainer.epoch >= self.options.epochs:
            more = "patience" if schedule.stop else "epochs"
            further = f"; to train further, give a larger --{more}" if more in free(vars(self.options)) else ""
            note(f"note: training is already complete{further}")
            return
        say(HEAD)
        with closing(Progress(trainer, self.options.epochs, trainer.workers.threads)) as progress:

            def on_step(step):
                self.grad_norm = step.grad_norm
                progress(step)
                if time.monotonic() - self.saved > 60 * self.options.checkpoint_minutes:
                    self.save()
                stop.check()

            def validate():
                progress.validating()
                result = evaluate(trainer.model, self.corpus.valid, self.corpus.vocabulary.eos_id, on_window=stop.check)
                return -result.log_prob / result.targets

            def rows():
                for record in trainer.fit(validate, self.options.epochs, on_step):
                    self._keep(record)
                    progress.say(row(record))
                    progress.update()
                    stop.check()

            try:
                self._with_rollbacks(rows, progress)
            except StoppedBetweenSteps:
                self._save_at_stop()
                raise
        if schedule.stop:
            epochs = "the last epoch" if schedule.patience == 1 else f"each of {schedule.patience} epochs"
            say(f"stopped: the validation loss fell by less than {schedule.threshold:g} nats in {epochs}")

    def _with_rollbacks(self, rows, progress):
        while True:
            try:
                return rows()
            except DivergenceError as error:
                self._roll_back(error)
                progress.note(f"note: {error}; returned to step {self.trainer.iteration:,}, "
                              f"base learning rate {self.trainer.schedule.lr:g}")
                progress.update()

    def _roll_back(self, error):
        """Go back to the last checkpoint with half the learning rate, or say that this is as far as it goes."""
        last = f"{self.folder.shown} holds the run as it was after step {self.saved_at:,}"
        if self.options.on_divergence == "stop":
            clip = "a smaller --max-grad above 0" if self.options.max_grad else "--max-grad 0.25"
            raise RnnlmError(f"{error}; {last}: resume at half the rate with {self._command()} --on-divergence "
                             f"rollback, or start a new run with a lower --lr or {clip}") from error
        if self.rollbacks == ROLLBACKS:
            raise RnnlmError(f"{error}, {ROLLBACKS} times in a row, each time at half the rate; {last}: start a "
                             "new run with another --lr, --optimizer, --max-grad or --seed") from error
        lr, rollbacks = self.trainer.schedule.lr / 2, self.rollbacks + 1
        self.folder.restore(self.trainer, self.run)
        self.trainer.schedule.lr = lr
        self.save()  # whoever resumes goes on at this rate, too
        self.rollbacks = rollbacks

    def _keep(self, record):
        """An epoch is over: first the checkpoint, from which metrics.jsonl and the best model can be made again."""
        self.folder.records.append(record)
        self.save()
        self.folder.append_metrics(record)
        if record.improved:
            self._save_model(record)

    def _save_at_stop(self):
        """The last checkpoint of this session, if there is something new to save that can be saved."""
        trainer = self.trainer
        if (trainer.iteration, trainer.sums.steps) == self.saved_state:
            return
        try:
            self.save()
        except DivergenceError as error:
            note(f"note: {error}")

    def save(self):
        """A checkpoint of the run as it stands. DivergenceError if a number of it is not finite."""
        trainer = self.trainer
        try:
            self.folder.save(trainer, self.run)
        except DivergenceError as error:
            raise DivergenceError(f"training diverged at step {trainer.iteration}: {error}; gradient norm "
                                  f"{self.grad_norm:g}, learning rate {trainer.optimizer.lr:g}") from error
        self.saved, self.rollbacks = time.monotonic(), 0
        self._note_place()

    def _note_place(self):
        trainer = self.trainer
        self.saved_at, self.saved_state = trainer.iteration, (trainer.iteration, trainer.sums.steps)
        self.place = f"{'in' if trainer.sums.steps else 'before'} epoch {trainer.epoch + 1}"

    def _save_model(self, record):
        perplexity = record.valid_perplexity if math.isfinite(record.valid_perplexity) else None
        with self.trainer.weights_to_keep():
            self.folder.save_model(
                self.trainer.model, self.corpus.vocabulary,
                {"epoch": record.epoch, "valid_loss": record.valid_loss, "valid_perplexity": perplexity})

    def _say_how_to_resume(self):
        note(f"stopped after step {self.saved_at:,}, {self.place}; all of the run is saved in "
             f"{self.folder.shown}")
        if best := self.folder.best:
            note(f"best model so far: validation perplexity {best.valid_perplexity:.5g} after epoch {best.epoch}")
        note(f"to resume: {self._command()}")

    def _command(self):
        return f"rnnlm train --resume --output {quoted(self.folder.path)}"
